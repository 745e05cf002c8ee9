/*
 * gateway_advice.c - the {words} of verdicts.def that are numbers to set or names to act on, each
 * computed from the evidence; where there is none, what to look at instead.
 */
#include <stddef.h>
#include <stdio.h>

#include "analyze/gateway/gateway_words.h"

enum {
    RESERVE_PERCENT = 10, /* of what is free: for what is not php-fpm */
    STEP_S = 10,          /* settings are round numbers */
    GRACE_LEAST_S = 30,
    GRACE_MOST_S = 300,
};

/* ---- names -----------------------------------------------------------------------------------
 */

/* Whose code it was, in words: "the module Acme_Feed", "app:shop", "the site's own code". */
struct owner_words {
    const char *article;
    struct slice name, before_frame, frame;
    bool is_app; /* the application itself: nobody can disable it */
};

static struct owner_words owner_in_words(const struct gateway_row *row, struct slice before_frame)
{
    const bool unnamed = slice_equal(row->module, SLICE("(app)"));
    const bool is_app = unnamed || slice_starts(row->module, SLICE("app:"));

    return (struct owner_words){
        .article = is_app ? "" : "the module ",
        .name = unnamed ? SLICE("the site's own code") : slice_head(row->module, 200),
        .before_frame = row->frame.len_bytes > 0 ? before_frame : SLICE(""),
        .frame = row->frame.len_bytes > 0 ? slice_head(row->frame, 400) : SLICE(""),
        .is_app = is_app,
    };
}

void advice_caller(struct word_context *word)
{
    const struct owner_words owner = owner_in_words(word->row, SLICE(" in "));

    if (word->row->module.len_bytes == 0)
        snprintf(word->text, WORD_BYTES,
                 "if one route dominates, disable the module that owns it (`fpmscope crashes` "
                 "names it when the workers run under fpmscope)");
    else
        snprintf(word->text, WORD_BYTES, "fix%s %s%.*s, which called it%s%.*s",
                 owner.is_app ? "" : " or disable", owner.article, (int) owner.name.len_bytes,
                 owner.name.ptr, owner.before_frame.ptr, (int) owner.frame.len_bytes,
                 owner.frame.ptr);
}

void advice_in_module(struct word_context *word)
{
    const struct owner_words owner = owner_in_words(word->row, SLICE(": "));

    word->text[0] = '\0';
    if (word->row->module.len_bytes > 0)
        snprintf(word->text, WORD_BYTES, " in %s%.*s%s%.*s", owner.article,
                 (int) owner.name.len_bytes, owner.name.ptr, owner.before_frame.ptr,
                 (int) owner.frame.len_bytes, owner.frame.ptr);
}

/* ---- memory ----------------------------------------------------------------------------------
 */

/* The pool's workers in what the collector saw; without a pool's name the largest pool. */
static const struct memory_holder *pool_in(const struct snapshot *snapshot, struct slice pool)
{
    static const struct slice title = {"php-fpm: pool ", sizeof "php-fpm: pool " - 1};
    const struct memory_holder *largest = NULL;

    for (size_t i = 0; i < snapshot->holders.count; i++) {
        const struct memory_holder *holder = &snapshot->holders.items[i];
        const struct slice name = slice_of(holder->name);

        if (!slice_starts(name, title) || holder->processes <= 0)
            continue;
        if (slice_equal(slice_skip(name, title.len_bytes), pool))
            return holder;
        if (!largest || holder->rss_kib > largest->rss_kib)
            largest = holder;
    }
    return largest;
}

void advice_room(struct word_context *word)
{
    const struct snapshot *seen = holders_before(word->gateway, word->row->time_us);
    const struct memory_holder *pool = seen ? pool_in(seen, word->row->pool) : NULL;
    char each[32], left[32];

    if (!pool || seen->available_kib <= 0) {
        snprintf(word->text, WORD_BYTES, "`fpmscope doctor` computes what memory allows");
        return;
    }
    int64_t each_kib = pool->rss_kib / pool->processes + 1;
    int64_t spare_kib = seen->available_kib - seen->available_kib * RESERVE_PERCENT / 100;
    int64_t fits = pool->processes + spare_kib / each_kib;

    spell_kib(each, sizeof each, each_kib);
    spell_kib(left, sizeof left, seen->available_kib);
    snprintf(word->text, WORD_BYTES,
             "memory is there for %lld in all: %lld workers took %s each, %s were free",
             (long long) fits, (long long) pool->processes, each, left);
}

/* ---- queue -----------------------------------------------------------------------------------
 */

void advice_refused(struct word_context *word)
{
    const struct gateway *gateway = word->gateway;
    const struct request *request = word->e->request;
    int64_t from_us = request ? request->end_us - SECOND_US : 0;
    size_t refused = 0;

    for (size_t i = array_first_from(&gateway->faults, offsetof(struct fault, time_us), from_us);
         request && i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        if (fault->time_us > request->end_us + SECOND_US)
            break;
        refused += fault->cause == NGINX_CONNECT_EAGAIN;
    }
    snprintf(word->text, WORD_BYTES, "%zu", refused > 0 ? refused : 1);
}

/* ---- time ------------------------------------------------------------------------------------
 */

/* How long the request had run in PHP when it was cut off, as far as anybody knows; us. */
static int64_t ran_us(const struct evidence *e)
{
    if (e->death && e->death->ran_us > 0)
        return e->death->ran_us;
    if (e->death && e->death->request.method)
        return e->death->time_us - e->death->request.begin_us;
    return e->duration_us > 0 ? e->duration_us : 0;
}

static int64_t rounded_up_s(int64_t us)
{
    return (us / SECOND_US / STEP_S + 1) * STEP_S;
}

/* process_control_timeout: twice what was cut off, as it did not get to its end. */
void advice_grace(struct word_context *word)
{
    int64_t grace_s = rounded_up_s(2 * ran_us(word->e));

    grace_s = grace_s < GRACE_LEAST_S ? GRACE_LEAST_S : grace_s;
    snprintf(word->text, WORD_BYTES, "%llds",
             (long long) (grace_s > GRACE_MOST_S ? GRACE_MOST_S : grace_s));
}

/* request_terminate_timeout that this request might have survived: nobody knows how long it is. */
void advice_longer(struct word_context *word)
{
    snprintf(word->text, WORD_BYTES, "%llds", (long long) rounded_up_s(2 * ran_us(word->e)));
}

/* request_terminate_timeout that ends a request when nginx no longer waits for it; a log without
 * $request_time does not tell how long that is. */
void advice_shorter(struct word_context *word)
{
    int64_t waited_s = (word->e->duration_us + SECOND_US / 2) / SECOND_US;

    if (word->e->duration_us < 0)
        snprintf(word->text, WORD_BYTES, "fastcgi_read_timeout's value");
    else
        snprintf(word->text, WORD_BYTES, "%llds", (long long) (waited_s > 0 ? waited_s : 1));
}
