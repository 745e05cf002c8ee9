/* gateway_words.c - {words} in the sentences of verdicts.def, one function each, in a table. */
#include "analyze/gateway/gateway_words.h"

#include <stddef.h>
#include <stdio.h>

enum {
    SENTENCE_BYTES = 4096,
    BUSY_SHOWN = 3,
    HOLDS_US = 200000,            /* what is over sooner holds nobody up */
    LONGEST_US = 600 * SECOND_US, /* requests that run longer are not looked for */
};

static void put(struct word_context *word, struct slice text, const char *otherwise)
{
    if (text.len_bytes == 0)
        text = slice_of(otherwise);
    snprintf(word->text, WORD_BYTES, "%.*s", (int) slice_head(text, WORD_BYTES - 1).len_bytes,
             text.ptr);
}

static void word_request(struct word_context *word)
{
    snprintf(word->text, WORD_BYTES, "%.*s %.*s", (int) word->row->method.len_bytes,
             word->row->method.ptr, (int) slice_head(word->row->uri, 512).len_bytes,
             word->row->uri.ptr);
}

static void word_pid(struct word_context *word)
{
    const struct gateway_row *row = word->row;
    size_t used = 0;

    for (int i = 0; i < row->pid_count && used < WORD_BYTES - 32; i++)
        used += (size_t) snprintf(word->text + used, WORD_BYTES - used, "%s%lld",
                                  i == 0                        ? ""
                                  : row->join == JOIN_AMBIGUOUS ? " or "
                                                                : ", ",
                                  (long long) row->pids[i]);
}

static void word_pool(struct word_context *word)
{
    put(word, word->row->pool, "www");
}

static void word_signal(struct word_context *word)
{
    put(word, word->row->signal, "no signal");
}

static void word_library(struct word_context *word)
{
    put(word, word->row->shared_object, "a library that is not known");
}

static void word_rss(struct word_context *word)
{
    const struct death *death = word->e->death;
    int64_t kib = death ? death->rss_kib : 0;

    if (death && death->oom != NONE)
        kib = GATEWAY_AT(word->gateway, ooms, oom, death->oom)->rss_kib;
    spell_kib(word->text, WORD_BYTES, kib);
}

static void word_seconds(struct word_context *word)
{
    int64_t duration_us = word->e->duration_us;

    if (word->e->death && word->e->death->ran_us > 0)
        duration_us = word->e->death->ran_us;
    spell_duration(word->text, WORD_BYTES, duration_us);
}

/* "http://127.0.0.1:8080/path" -> without the path; "fastcgi://unix:/run/fpm.sock:" -> the path. */
static struct slice address_of(struct slice upstream)
{
    ptrdiff_t scheme = slice_find(upstream, SLICE("://"));

    if (upstream.len_bytes > 0 && upstream.ptr[upstream.len_bytes - 1] == ':')
        upstream.len_bytes--;
    if (slice_starts(upstream, SLICE("fastcgi://unix:")))
        return slice_skip(upstream, sizeof "fastcgi://unix:" - 1);
    if (scheme < 0 || !slice_starts(upstream, SLICE("http")))
        return upstream;
    ptrdiff_t slash = slice_index(slice_skip(upstream, (size_t) scheme + 3), '/');

    return slash < 0 ? upstream : slice_head(upstream, (size_t) (scheme + 3 + slash));
}

static void word_upstream(struct word_context *word)
{
    const struct fault *fault = word->e->php_fault ? word->e->php_fault : word->e->proxy_fault;

    put(word, fault ? address_of(gateway_text(word->gateway, fault->upstream)) : SLICE(""),
        "its address");
}

static void word_outage(struct word_context *word)
{
    const struct span *down = word->e->down;
    char from[32], to[32];

    word->text[0] = '\0';
    if (!down)
        return;
    spell_time(from, sizeof from, down->from_us);
    spell_time(to, sizeof to, down->to_us);
    if (down->to_us == INT64_MAX)
        snprintf(word->text, WORD_BYTES, " (since %s)", from);
    else
        snprintf(word->text, WORD_BYTES, " (from %s to %s)", from, to);
}

/* Who held the workers in that stretch of time, longest first. */
static int busy_in(const struct gateway *gateway, text_id pool, int64_t from_us, int64_t to_us,
                   const struct served *ret_busy[BUSY_SHOWN])
{
    int n = 0;

    for (size_t i = array_first_from(&gateway->served, offsetof(struct served, begin_us),
                                     from_us - LONGEST_US);
         i < gateway->served.count; i++) {
        const struct served *served = GATEWAY_AT(gateway, served, served, i);
        int64_t duration_us = served->end_us - served->begin_us;
        int at = n;

        if (served->begin_us > to_us)
            break;
        if (served->end_us < from_us || duration_us < HOLDS_US ||
            (pool && served->pool && served->pool != pool))
            continue;
        while (at > 0 && ret_busy[at - 1]->end_us - ret_busy[at - 1]->begin_us < duration_us)
            at--;
        if (at >= BUSY_SHOWN)
            continue;
        for (int k = (n < BUSY_SHOWN ? n++ : n - 1); k > at; k--)
            ret_busy[k] = ret_busy[k - 1];
        ret_busy[at] = served;
    }
    return n;
}

static void word_busy(struct word_context *word)
{
    const struct served *busy[BUSY_SHOWN];
    const struct request *request = word->e->request;
    int n = request ? busy_in(word->gateway, word->e->pool, request->end_us,
                              request->end_us + request->precision_us, busy)
                    : 0;
    size_t used = 0;

    if (n == 0) {
        snprintf(word->text, WORD_BYTES, "what held the workers is not recorded");
        return;
    }
    used = (size_t) snprintf(word->text, WORD_BYTES, "the workers were held by ");
    for (int i = 0; i < n && used < WORD_BYTES - 300; i++) {
        struct slice uri = slice_head(gateway_text(word->gateway, busy[i]->uri), 120);
        char duration[32];

        spell_duration(duration, sizeof duration, busy[i]->end_us - busy[i]->begin_us);
        used += (size_t) snprintf(word->text + used, WORD_BYTES - used, "%s%.*s (%s)",
                                  i ? ", " : "", (int) uri.len_bytes, uri.ptr, duration);
    }
}

static void word_workers(struct word_context *word)
{
    const struct evidence *e = word->e;
    int workers = e->busy ? e->busy->workers : 0;

    for (size_t i = 0; i < word->gateway->fpm_notes.count; i++) {
        const struct fpm_note *note = GATEWAY_AT(word->gateway, fpm_notes, fpm_note, i);

        if (note->what == FPM_MAX_CHILDREN && note->limit > 0 &&
            (!e->pool || note->pool == e->pool) && note->time_us <= word->row->time_us)
            workers = note->limit;
    }
    if (workers > 0)
        snprintf(word->text, WORD_BYTES, "now %d", workers);
    else
        snprintf(word->text, WORD_BYTES, "see the pool's configuration");
}

static void word_culprit(struct word_context *word)
{
    put(word, word->row->culprit, "another request");
}

static void word_fetch(struct word_context *word)
{
    const struct fetch *fetch = word->e->fetch;

    put(word, fetch ? gateway_text(word->gateway, fetch->error) : SLICE(""), "it gave no reason");
}

static void word_message(struct word_context *word)
{
    const struct evidence *e = word->e;
    text_id message = e->php_end       ? e->php_end->message
                      : e->php_said    ? e->php_said->message
                      : e->php_fault   ? e->php_fault->message
                      : e->proxy_fault ? e->proxy_fault->message
                      : e->other_fault ? e->other_fault->message
                                       : 0;
    struct slice text = gateway_text(word->gateway, message);
    ptrdiff_t line = slice_index(text, '\n');

    if (e->mixed_deaths)
        text = SLICE("several workers died at that moment of different causes");
    else if (e->death && e->death->cause == DEATH_LOST)
        text = SLICE("its worker stopped talking in the middle of it");
    put(word, line > 0 ? slice_head(text, (size_t) line) : text, "no log given speaks of it");
}

static void word_status(struct word_context *word)
{
    snprintf(word->text, WORD_BYTES, "%d", word->e->status);
}

/* A kernel's log that is read is not missing because the kernel was silent. */
static bool is_missing(const struct gateway *gateway, unsigned source)
{
    return source == SOURCE_KERNEL ? !kernel_is_listened_to(gateway) : !(gateway->sources & source);
}

static void word_missing(struct word_context *word)
{
    static const struct {
        unsigned source;
        const char *name;
    } sources[] = {
        {SOURCE_ERROR, "nginx's error log"},
        {SOURCE_FPM, "php-fpm's log"},
        {SOURCE_EVENTS, "the workers' record (run php-fpm under fpmscope)"},
        {SOURCE_KERNEL, "the kernel's log"},
        {SOURCE_VARNISH, "`varnishlog -g request -q 'RespStatus >= 500'`"},
        {SOURCE_PHP, "PHP's error_log"},
    };
    size_t used = 0;

    word->text[0] = '\0';
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (is_missing(word->gateway, sources[i].source) && used < WORD_BYTES - 100)
            used += (size_t) snprintf(word->text + used, WORD_BYTES - used, "%s%s",
                                      used ? ", " : "", sources[i].name);
    if (used == 0)
        snprintf(word->text, WORD_BYTES, "the logs of the other hosts on its way");
}

static const struct {
    const char *name;
    void (*fill)(struct word_context *);
} words[] = {
    {"request", word_request},    {"pid", word_pid},           {"pool", word_pool},
    {"signal", word_signal},      {"library", word_library},   {"rss", word_rss},
    {"seconds", word_seconds},    {"upstream", word_upstream}, {"outage", word_outage},
    {"busy", word_busy},          {"workers", word_workers},   {"culprit", word_culprit},
    {"fetch", word_fetch},        {"message", word_message},   {"status", word_status},
    {"missing", word_missing},    {"caller", advice_caller},   {"in_module", advice_in_module},
    {"room", advice_room},        {"refused", advice_refused}, {"grace", advice_grace},
    {"longer", advice_longer},    {"shorter", advice_shorter}, {"kernel_silence", kernel_silence},
    {"kernel_step", kernel_step},
};

/* The filled word that `at` begins with, and behind it; false when it is no word. */
static bool fill_word(struct word_context *word, const char *at, const char **ret_behind)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].name);

        if (strncmp(at + 1, words[i].name, n) == 0 && at[1 + n] == '}') {
            word->text[0] = '\0';
            words[i].fill(word);
            *ret_behind = at + n + 2;
            return true;
        }
    }
    return false;
}

struct slice words_fill(struct gateway *gateway, const struct evidence *evidence,
                        const struct gateway_row *row, const char *sentence)
{
    char text[SENTENCE_BYTES], filled[WORD_BYTES];
    struct word_context word = {gateway, evidence, row, filled};
    size_t used = 0;

    for (const char *at = sentence; *at && used < sizeof text - 1;) {
        if (*at != '{' || !fill_word(&word, at, &at)) {
            text[used++] = *at++;
            continue;
        }
        struct slice part = slice_head(slice_of(filled), sizeof text - 1 - used);

        memcpy(text + used, part.ptr, part.len_bytes);
        used += part.len_bytes;
    }
    /* The same verdict in the same words for thousands of rows: kept once. */
    return gateway_text(gateway, intern_put(&gateway->texts, (struct slice){text, used}));
}
