/* route_text.c - a route's verdict in words: heading, sentence, advice. */
#include "report/route_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "analyze/module/module_app.h"
#include "report/human.h"
#include "report/milestone_text.h"
#include "report/prognosis.h"
#include "report/text_sink.h"

enum { HOLDERS_SAID = 3 };

/* Of the judged hits, that kept memory: with fewer "after every request" would be a lie. */
#define EVERY_REQUEST_SHARE 0.9

/* Below a tenth of the peak a module is not worth its words. */
#define HOLDER_MIN_SHARE 0.1

static const struct route_verdict route_verdicts[] = {
#define ROUTE_VERDICT(code, notable, heading, advice)                                              \
    {#code, heading, advice, notable, __COUNTER__},
#include "report/route_verdicts.def"
};

const struct route_verdict *route_verdict_of(struct slice code)
{
    const size_t count = sizeof route_verdicts / sizeof *route_verdicts;

    for (size_t i = 0; i < count; i++)
        if (slice_equal(code, slice_of(route_verdicts[i].code)))
            return &route_verdicts[i];
    return &route_verdicts[count - 1];
}

/* Samples are up to half a megabyte of allocations apart: of less than this a request hundreds of
 * requests leave none. */
enum { RARELY_SAMPLED_BYTES = 8 * 1024 };

static void say_nowhere(FILE *out, const struct summary_route *route)
{
    char bytes[HUMAN_BYTES];

    fputs("; where is not known yet: no sample of it was taken", out);
    if (route->bytes_per_request >= RARELY_SAMPLED_BYTES)
        return;
    fprintf(out,
            ", since samples are far apart and %s a request are little; `fpmscope run --exact` on "
            "a test machine (or FPMSCOPE_EXACT=1 in php-fpm's environment) tells the stack after a "
            "few requests",
            human_bytes(route->bytes_per_request, bytes, sizeof bytes));
}

/* "allocated in libxml2.so.2 via DOMDocument::save, called by Acme_ErpSync (...)" */
static void say_where(FILE *out, const struct summary_route *route)
{
    if (route->allocated_in.len_bytes == 0 && route->module.len_bytes == 0) {
        say_nowhere(out, route);
        return;
    }
    text_sink_say(out, "; allocated in ", route->allocated_in, "");
    text_sink_say(out, " via ", route->php_leaf, "");
    text_sink_say(out, ", called by ", module_app_in_words(route->module), "");
    text_sink_say(out, " (", route->blamed_frame, ")");
}

static void sentence_of_leak(FILE *out, const struct summary_route *route,
                             const struct summary_result *result)
{
    const bool every =
        (double) route->leaking_hits >= EVERY_REQUEST_SHARE * (double) route->judged_hits;
    char bytes[HUMAN_BYTES], time[HUMAN_TIME_BYTES];

    (void) result;
    fprintf(
        out,
        "keeps %s %s (confidence %.2f, %" PRIu64 " of %" PRIu64 " request%s in %" PRIu64
        " worker%s, since %s",
        human_bytes(route->bytes_per_request, bytes, sizeof bytes),
        every ? "after every request" : "per request on average", route->confidence,
        route->leaking_hits, route->judged_hits, human_plural(route->judged_hits), route->workers,
        human_plural(route->workers),
        human_clock(route->began_us ? route->began_us : route->first_seen_us, time, sizeof time));
    if (route->began_after) {
        fputs(", ", out);
        milestone_say(out, route->began_after, route->began_us);
    }
    fputc(')', out);
    say_where(out, route);
    fputc('.', out);
}

/* "61 % held by Acme_Catalog (Acme\Export::collect (Export.php:88))"; what holds little is left
 * out. */
static void say_holders(FILE *out, const struct summary_route *route)
{
    for (size_t i = 0; i < route->holder_count && i < HOLDERS_SAID; i++) {
        const struct summary_holder *holder = &route->holders[i];

        if (holder->share < HOLDER_MIN_SHARE)
            return;
        fprintf(out, "%s%.0f %% ", i == 0 ? "; " : ", ", holder->share * 100);
        text_sink_say(out, i == 0 ? "held by " : "by ", module_app_in_words(holder->module), "");
        text_sink_say(out, " (", holder->frame, ")");
    }
}

static void sentence_of_peak(FILE *out, const struct summary_route *route,
                             const struct summary_result *result)
{
    char peak[HUMAN_BYTES], typical[HUMAN_BYTES], p95[HUMAN_BYTES];

    (void) result;
    fprintf(out,
            "peak %s (p95; typically %s, at most %s, %" PRIu64 " request%s), all of it given back",
            human_bytes((double) route->p95_peak_bytes, p95, sizeof p95),
            human_bytes((double) route->typical_peak_bytes, typical, sizeof typical),
            human_bytes((double) route->peak_bytes, peak, sizeof peak), route->hits,
            human_plural(route->hits));
    if (route->holder_count > 0 && route->holders[0].share >= HOLDER_MIN_SHARE) {
        say_holders(out, route);
    } else if (route->module.len_bytes > 0) {
        text_sink_say(out, "; most of it taken by ", module_app_in_words(route->module), "");
        text_sink_say(out, " (", route->blamed_frame, ")");
    }
    if (route->errors > 0)
        fprintf(out, "; %" PRIu64 " of them ended in a 5xx", route->errors);
    fputc('.', out);
}

static void sentence_of_rest(FILE *out, const struct summary_route *route,
                             const struct summary_result *result)
{
    (void) result;
    fprintf(out, "%" PRIu64 " request%s in %" PRIu64 " worker%s", route->hits,
            human_plural(route->hits), route->workers, human_plural(route->workers));
    text_sink_say(out, ": ", route->reason, "");
    fputc('.', out);
}

typedef void (*sentence_fn)(FILE *, const struct summary_route *, const struct summary_result *);

static const struct {
    const char *code;
    sentence_fn write;
} sentences[] = {
    {"leak", sentence_of_leak},
    {"suspect", sentence_of_leak},
    {"peak", sentence_of_peak},
};

const char *route_sentence(const struct summary_route *route, const struct summary_result *result,
                           char *buf, size_t cap)
{
    FILE *out = text_sink_open(buf, cap);
    sentence_fn write = sentence_of_rest;

    if (!out)
        return buf;
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (slice_equal(route->verdict, slice_of(sentences[i].code)))
            write = sentences[i].write;
    write(out, route, result);
    return text_sink_close(out, buf, cap);
}

/* ", about 46 h at the 3600 requests an hour that 4 workers shared while there was traffic" */
static void say_when(FILE *out, const struct prognosis *prognosis)
{
    char time[HUMAN_TIME_BYTES];

    if (prognosis->us_to_ceiling <= 0)
        return;
    fprintf(out, ", about %s at the %" PRId64 " requests an hour that ",
            human_duration(prognosis->us_to_ceiling, time, sizeof time),
            prognosis->pool_requests_per_hour);
    if (prognosis->pool_workers == 1)
        fputs("one worker served while there was traffic", out);
    else
        fprintf(out, "%" PRId64 " workers shared while there was traffic", prognosis->pool_workers);
}

static void advice_of_leak(FILE *out, const struct summary_route *route,
                           const struct summary_result *result)
{
    const struct prognosis prognosis = prognosis_make(route, result);
    char bytes[HUMAN_BYTES];

    if (prognosis.requests_to_ceiling == 0)
        return;
    fprintf(out, "A worker grows by %s in %" PRId64 " requests",
            human_bytes((double) PROGNOSIS_CEILING_BYTES, bytes, sizeof bytes),
            prognosis.requests_to_ceiling);
    say_when(out, &prognosis);
    fprintf(out, ". pm.max_requests = %" PRId64 " caps it at %s until ", prognosis.max_requests,
            human_bytes((double) prognosis.capped_bytes, bytes, sizeof bytes));
    if (route->module.len_bytes > 0)
        text_sink_say(out, "", module_app_in_words(route->module), " is fixed.");
    else
        fputs("the cause is fixed.", out);
}

const char *route_advice(const struct summary_route *route, const struct summary_result *result,
                         char *buf, size_t cap)
{
    const struct route_verdict *verdict = route_verdict_of(route->verdict);
    FILE *out = text_sink_open(buf, cap);

    if (!out)
        return buf;
    if (slice_equal(route->verdict, SLICE("leak")))
        advice_of_leak(out, route, result);
    fflush(out);
    if (ftell(out) == 0)
        fprintf(out, "%s", verdict->advice);
    return text_sink_close(out, buf, cap);
}
