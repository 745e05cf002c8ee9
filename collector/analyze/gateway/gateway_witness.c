/* gateway_witness.c - the evidence behind a row, each piece in the words of who saw it. */
#include <stdarg.h>
#include <stdio.h>

#include "analyze/gateway/gateway_words.h"

enum { MESSAGE_BYTES = 240, HOLDERS_SHOWN = 6 };

struct witness {
    struct gateway *gateway;
    const struct evidence *e;
    struct gateway_row *row;
};

static void say(struct witness *witness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct witness *witness, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (witness->row->evidence_count == GATEWAY_EVIDENCE_MAX)
        return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t) n < sizeof text ? (size_t) n : sizeof text - 1;

    for (size_t i = 0; i < len; i++) /* one line each, whatever a log put in */
        if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    witness->row->evidence[witness->row->evidence_count++] = gateway_text(
        witness->gateway, intern_put(&witness->gateway->texts, (struct slice){text, len}));
}

static const char *text_of(const struct witness *witness, text_id id)
{
    return gateway_text(witness->gateway, id).ptr;
}

static void say_hops(struct witness *witness)
{
    const struct request *request = witness->e->request;

    for (int k = request->hop_count; k-- > 0;) {
        const struct hop *hop = request_hop(witness->gateway, request, k);
        char duration[32] = "";

        if (hop->duration_us >= 0)
            spell_duration(duration, sizeof duration, hop->duration_us);
        say(witness, "nginx%s%s%s%s answered %d%s%s", hop->handler ? " (" : "",
            text_of(witness, hop->handler), hop->handler ? ")" : "", hop->port ? "" : "",
            hop->status, hop->duration_us >= 0 ? " after " : "", duration);
    }
}

static void say_faults(struct witness *witness)
{
    const struct request *request = witness->e->request;

    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = request_fault(witness->gateway, request, i);

        say(witness, "nginx's error log: %.*s", MESSAGE_BYTES, text_of(witness, fault->message));
    }
}

static void say_worker_record(struct witness *witness, const struct death *death)
{
    char into[32] = "";
    int64_t begin_us = death->request.begin_us;

    if (death->request.method)
        spell_duration(into, sizeof into, death->time_us - begin_us);
    struct slice signal = spell_signal(witness->gateway, death->signo);

    if (death->has_crash)
        say(witness, "worker %lld itself: %s%s%s%s%s", (long long) death->pid, signal.ptr,
            into[0] ? " " : "", into, into[0] ? " into this request" : "",
            death->response_sent ? ", after its response was sent" : "");
    else if (death->cause == DEATH_LOST)
        say(witness, "worker %lld never ended this request and was never heard of again",
            (long long) death->pid);
    else if (death->from_events && death->signo > 0)
        say(witness, "PHP-FPM's master: worker %lld ended by %s%s%s%s", (long long) death->pid,
            signal.ptr, into[0] ? ", " : "", into, into[0] ? " into this request" : "");
    else if (death->from_events)
        say(witness, "PHP-FPM's master: worker %lld exited with code %d", (long long) death->pid,
            death->exit_code);
    if (death->sender > 0 && death->sender != death->pid)
        say(witness, "the signal was sent by process %lld", (long long) death->sender);
    if (death->master_signal && death->cause != DEATH_CRASH)
        say(witness, "PHP-FPM's master sent it %s",
            spell_signal(witness->gateway, (int) death->master_signal).ptr);
    else if (death->from_events && death->cause == DEATH_KILLED)
        say(witness, "PHP-FPM's master sent it no signal");
}

/* Who had the memory at that second: the reader must be able to see it, not only the verdict. */
static void say_holders(struct witness *witness, const struct death *death)
{
    char text[512], age[32];
    int64_t age_us;

    if (death->cause != DEATH_OOM)
        return;
    const struct memory_holders holders = holders_at_death(witness->gateway, death, &age_us);

    if (memory_holders_text(&holders, HOLDERS_SHOWN, text, sizeof text) == 0)
        return;
    spell_duration(age, sizeof age, age_us);
    if (age_us > 0)
        say(witness, "memory %s before: %s", age, text);
    else
        say(witness, "memory then, by the kernel's list of tasks: %s", text);
}

static void say_death_logs(struct witness *witness, const struct death *death)
{
    char text[32];

    if (death->timeout_line.file >= 0) {
        spell_duration(text, sizeof text, death->ran_us);
        say(witness, "php-fpm's log: child %lld, execution timed out (%s), terminating",
            (long long) death->pid, text);
    }
    if (death->fpm_line.file >= 0) {
        spell_duration(text, sizeof text, death->age_us);
        say(witness, "php-fpm's log: child %lld exited on %s after %s", (long long) death->pid,
            death->signo ? spell_signal(witness->gateway, death->signo).ptr : "its own", text);
    }
    if (death->slow)
        say(witness, "php-fpm's slow log: it was in %s", text_of(witness, death->slow));
    if (death->oom != NONE) {
        const struct oom *oom = GATEWAY_AT(witness->gateway, ooms, oom, death->oom);

        spell_kib(text, sizeof text, oom->rss_kib);
        say(witness, "kernel: %s asked for memory, killed process %lld (%s) holding %s",
            oom->invoker ? text_of(witness, oom->invoker) : "somebody", (long long) oom->pid,
            text_of(witness, oom->comm), text);
    } else if (death->kernel_line.file >= 0) {
        say(witness, "kernel: fault in %s+%s", text_of(witness, death->shared_object),
            text_of(witness, death->shared_object_offset));
    }
    say_holders(witness, death);
    if (death->cause == DEATH_KILLED && death->signo == 9 &&
        !kernel_is_listened_to(witness->gateway))
        say(witness, "no kernel log was %s: out of memory is not excluded",
            witness->gateway->kernel_log ? "readable" : "given");
}

static void say_restart(struct witness *witness)
{
    const struct restart *restart = witness->e->restart;
    char time[32];

    if (!restart || witness->row->verdict != VERDICT_pool_restart)
        return;
    spell_time(time, sizeof time, restart->from_us);
    say(witness, "PHP-FPM's master told all workers to end at %s%s", time,
        restart->reason == REASON_RELOAD              ? " (reload)"
        : restart->reason == REASON_EMERGENCY_RESTART ? " (failed processes threshold)"
                                                      : "");
}

static void say_varnish(struct witness *witness)
{
    const struct fetch *fetch = witness->e->fetch;

    if (fetch)
        say(witness, "varnishlog: FetchError %.*s%s%.*s", MESSAGE_BYTES,
            text_of(witness, fetch->error), fetch->received ? "; " : "", MESSAGE_BYTES,
            text_of(witness, fetch->received));
    if (witness->row->verdict == VERDICT_varnish_child_died)
        say(witness, "varnishd: its child died around that time");
}

static void say_php(struct witness *witness)
{
    const struct evidence *e = witness->e;
    char duration[32];

    if (e->php_end)
        say(witness, "PHP: %.*s", MESSAGE_BYTES, text_of(witness, e->php_end->message));
    if (e->served) {
        spell_duration(duration, sizeof duration, e->served->end_us - e->served->begin_us);
        say(witness, "worker %lld finished this request normally after %s%s",
            (long long) e->served->pid, duration,
            e->served->write_errno ? ", but nobody was reading its answer" : "");
    } else if (e->later) {
        spell_duration(duration, sizeof duration, e->later->time_us - e->later->request.begin_us);
        say(witness, "worker %lld was still at it, and ended after %s by %s",
            (long long) e->later->pid, duration,
            e->later->signo ? spell_signal(witness->gateway, e->later->signo).ptr : "itself");
    } else if (e->request && !e->death && (witness->gateway->sources & SOURCE_EVENTS) &&
               e->back_hop) {
        say(witness, "no worker ever began this request");
    }
}

static void say_ambiguity(struct witness *witness)
{
    if (witness->row->join == JOIN_AMBIGUOUS)
        say(witness, "%d equal requests at that moment: which worker served which is not decided",
            witness->row->candidates);
}

void row_add_evidence(struct gateway *gateway, const struct evidence *evidence,
                      struct gateway_row *row)
{
    struct witness witness = {gateway, evidence, row};

    if (evidence->request) {
        say_hops(&witness);
        say_faults(&witness);
    }
    if (evidence->death) {
        say_worker_record(&witness, evidence->death);
        say_death_logs(&witness, evidence->death);
    }
    say_restart(&witness);
    say_varnish(&witness);
    say_php(&witness);
    say_ambiguity(&witness);
}
