/* leak_text.c - numbers of struct leak_evidence as sentences. */
#include "report/leak_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "report/human.h"

/* The first sentence of what is claimed to stay. */
static int say_kept(const struct leak_route *route, char *buf, size_t cap)
{
    const struct leak_evidence *evidence = &route->evidence;
    char bytes[HUMAN_BYTES];

    return snprintf(
        buf, cap,
        "Keeps %s of %s memory per request%s: %" PRIu64 " of %" PRIu64
        " requests in workers old enough left some behind, in %" PRIu64 " worker live%s.",
        human_bytes(route->bytes_per_request, bytes, sizeof bytes),
        evidence->mmap ? "mapped" : "native",
        evidence->on_errors ? " on average, on failed ones only"
        : evidence->sparse  ? " on average, after some of them"
                            : "",
        evidence->growing_hits, evidence->old_hits, route->workers, human_plural(route->workers));
}

static void say_leak(const struct leak_route *route, char *buf, size_t cap)
{
    const struct leak_evidence *evidence = &route->evidence;
    char bytes[HUMAN_BYTES];
    int at;

    if (slice_equal(route->uri, SLICE("*")))
        at = snprintf(buf, cap, "Every request keeps about %s, whatever its route.",
                      human_bytes(route->bytes_per_request, bytes, sizeof bytes));
    else
        at = say_kept(route, buf, cap);
    if (at < 0 || (size_t) at >= cap)
        return;
    at += snprintf(buf + at, cap - (size_t) at, " A leak, because %s", evidence->because);
    if ((size_t) at >= cap)
        return;
    if (evidence->found_share > .05 && evidence->found_error < .5)
        snprintf(buf + at, cap - (size_t) at, "; the workers' floors rise by %.0f %% of it.",
                 evidence->found_share * 100);
    else
        snprintf(buf + at, cap - (size_t) at, ".");
}

static void say_suspect(const struct leak_route *route, char *buf, size_t cap)
{
    const int at = say_kept(route, buf, cap);

    if (at > 0 && (size_t) at < cap)
        snprintf(buf + at, cap - (size_t) at,
                 " Not called a leak: sizes differ, no sampled block is known to stay, and the "
                 "workers' floors move too much to show it.");
}

static void say_returned(const struct leak_route *route, char *buf, size_t cap)
{
    snprintf(buf, cap,
             "%" PRIu64 " of %" PRIu64
             " requests left memory behind. Not a leak: %.0f %% of it was "
             "freed by one of the next four requests.",
             route->evidence.growing_hits, route->evidence.old_hits,
             route->evidence.returned_share * 100);
}

static void say_peak(const struct leak_route *route, char *buf, size_t cap)
{
    snprintf(buf, cap,
             "Some requests take at least %.0f times the usual memory. Not a leak: they give it "
             "back when they end.",
             route->evidence.peak_factor);
}

static void say_fragmentation(const struct leak_route *route, char *buf, size_t cap)
{
    snprintf(buf, cap,
             "RSS rises by %.0f KiB per 100 requests more than live bytes do. Not a leak: the "
             "allocator keeps holes between living blocks.",
             route->evidence.rss_kib_per_100);
}

static void say_insufficient(const struct leak_route *route, char *buf, size_t cap)
{
    snprintf(buf, cap,
             "%" PRIu64 " request%s, of which %" PRIu64 " in workers old enough to tell. Too few "
             "to judge.",
             route->hits, human_plural(route->hits), route->evidence.old_hits);
}

/* Verdicts whose meaning is the whole second sentence. */
static void say_meaning(const struct leak_route *route, char *buf, size_t cap)
{
    snprintf(buf, cap,
             "%" PRIu64 " of %" PRIu64 " requests in workers old enough left memory behind. Not a "
             "leak: %s.",
             route->evidence.growing_hits, route->evidence.old_hits,
             route->evidence.because[0] ? route->evidence.because
                                        : leak_verdict_meaning(route->verdict));
}

const char *leak_text(const struct leak_route *route, char buf[LEAK_TEXT_BYTES])
{
    static void (*const sayings[LEAK_VERDICT_COUNT])(const struct leak_route *, char *, size_t) = {
        [LEAK_VERDICT_leak] = say_leak,
        [LEAK_VERDICT_suspect] = say_suspect,
        [LEAK_VERDICT_delayed_free] = say_returned,
        [LEAK_VERDICT_peak] = say_peak,
        [LEAK_VERDICT_fragmentation] = say_fragmentation,
        [LEAK_VERDICT_insufficient] = say_insufficient,
    };

    buf[0] = '\0';
    (sayings[route->verdict] ? sayings[route->verdict] : say_meaning)(route, buf, LEAK_TEXT_BYTES);
    return buf;
}
