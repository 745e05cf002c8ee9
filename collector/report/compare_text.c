/* compare_text.c - a comparison line by line: the change, the route, the numbers of both sides. */
#include "report/compare_text.h"

#include <inttypes.h>

#include "report/columns.h"
#include "report/human.h"
#include "report/json_text.h"
#include "report/paragraph.h"
#include "report/text_sink.h"

enum { LINE_BYTES = 4096 };

static double kept_bytes(const struct summary_route *route)
{
    return route && slice_equal(route->verdict, SLICE("leak")) ? route->bytes_per_request : 0;
}

static int64_t peak_bytes(const struct summary_route *route)
{
    return route ? route->typical_peak_bytes : 0;
}

static void say_numbers(FILE *out, const struct compare_row *row)
{
    char was[HUMAN_BYTES], is[HUMAN_BYTES];

    if (row->change == COMPARE_new_leak || row->change == COMPARE_gone_leak)
        fprintf(out, ": kept %s a request, now %s",
                human_bytes(kept_bytes(row->before), was, sizeof was),
                human_bytes(kept_bytes(row->after), is, sizeof is));
    else if (row->change == COMPARE_new_crashes || row->change == COMPARE_gone_crashes)
        fprintf(out, ": %" PRIu64 " before, %" PRIu64 " since", row->crashes_before,
                row->crashes_after);
    else
        fprintf(out, ": typically %s, now %s",
                human_bytes((double) peak_bytes(row->before), was, sizeof was),
                human_bytes((double) peak_bytes(row->after), is, sizeof is));
}

static void say_row(FILE *out, const struct comparison *comparison, size_t i)
{
    const struct compare_row *row = &comparison->rows[i];

    text_sink_say(out, "", row->route, " ");
    fputs(compare_change_sentence(row->change), out);
    say_numbers(out, row);
    text_sink_say(out, " (", row->module, ")");
    fputc('.', out);
}

static void say_failures(FILE *out, const struct comparison *comparison, size_t verdict)
{
    fprintf(out, "failed requests, %s: %zu before, %zu since.",
            gateway_verdict_name((enum gateway_verdict) verdict),
            comparison->gateway_before->count_by_verdict[verdict],
            comparison->gateway_after->count_by_verdict[verdict]);
}

static void say_period(FILE *out, const char *before, const struct summary_result *result)
{
    char from[HUMAN_TIME_BYTES], to[HUMAN_TIME_BYTES];

    fprintf(out, "%s%s to %s UTC (%" PRIu64 " request%s)", before,
            human_time(result->from_us, from, sizeof from),
            human_time(result->to_us, to, sizeof to), result->requests,
            human_plural(result->requests));
}

static void say_heading(FILE *out, const struct comparison *comparison, size_t unused)
{
    char time[HUMAN_TIME_BYTES];

    (void) unused;
    if (!comparison->mark) {
        say_period(out, "Before: ", comparison->before);
        say_period(out, "; since: ", comparison->after);
        return;
    }
    text_sink_say(out, "Since the mark '", slice_of(comparison->mark), "'");
    fprintf(out, " (%s UTC): %" PRIu64 " requests before, %" PRIu64 " since",
            human_time(comparison->at_us, time, sizeof time), comparison->before->requests,
            comparison->after->requests);
}

typedef void (*say_fn)(FILE *out, const struct comparison *comparison, size_t i);

/* One line for who searches in it, but on a terminal where it would not fit. */
static void print_line(FILE *out, const char *lead, say_fn say, const struct comparison *comparison,
                       size_t i)
{
    char text[LINE_BYTES];
    FILE *sink = text_sink_open(text, sizeof text);

    if (!sink)
        return;
    say(sink, comparison, i);
    paragraph_print(out, lead, slice_of(text_sink_close(sink, text, sizeof text)),
                    columns_of_terminal(out, sizeof text));
}

void compare_text_print(FILE *out, const struct comparison *comparison)
{
    fputc('\n', out);
    print_line(out, "", say_heading, comparison, 0);
    for (size_t i = 0; i < comparison->row_count; i++)
        print_line(out, "  ", say_row, comparison, i);
    if (comparison->row_count == 0)
        fputs("  no route changed its verdict.\n", out);
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        if (comparison->gateway_before->count_by_verdict[i] !=
            comparison->gateway_after->count_by_verdict[i])
            print_line(out, "  ", say_failures, comparison, i);
}

static json_t *row_json(const struct compare_row *row)
{
    json_t *json = json_object();

    json_object_set_new(json, "change", json_string(compare_change_name(row->change)));
    json_object_set_new(json, "route", json_text(row->route));
    json_object_set_new(json, "module", json_text(row->module));
    json_object_set_new(json, "bytes_per_request_before", json_real(kept_bytes(row->before)));
    json_object_set_new(json, "bytes_per_request_after", json_real(kept_bytes(row->after)));
    json_object_set_new(json, "typical_peak_bytes_before", json_integer(peak_bytes(row->before)));
    json_object_set_new(json, "typical_peak_bytes_after", json_integer(peak_bytes(row->after)));
    json_object_set_new(json, "crashes_before", json_integer((json_int_t) row->crashes_before));
    json_object_set_new(json, "crashes_after", json_integer((json_int_t) row->crashes_after));
    return json;
}

static json_t *counts_json(const struct gateway_report *report)
{
    json_t *counts = json_object();

    for (int i = 0; i < VERDICT_COUNT; i++)
        if (report->count_by_verdict[i] > 0)
            json_object_set_new(counts, gateway_verdict_name((enum gateway_verdict) i),
                                json_integer((json_int_t) report->count_by_verdict[i]));
    return counts;
}

static json_t *period_json(const struct summary_result *result)
{
    return json_pack("{sI sI}", "from_us", (json_int_t) result->from_us, "to_us",
                     (json_int_t) result->to_us);
}

json_t *compare_json(const struct comparison *comparison)
{
    json_t *json = json_object(), *rows = json_array();

    for (size_t i = 0; i < comparison->row_count; i++)
        json_array_append_new(rows, row_json(&comparison->rows[i]));
    json_object_set_new(json, "mark",
                        comparison->mark ? json_text(slice_of(comparison->mark)) : json_null());
    json_object_set_new(json, "at_us", json_integer(comparison->at_us));
    json_object_set_new(json, "before", period_json(comparison->before));
    json_object_set_new(json, "after", period_json(comparison->after));
    json_object_set_new(json, "requests_before",
                        json_integer((json_int_t) comparison->before->requests));
    json_object_set_new(json, "requests_after",
                        json_integer((json_int_t) comparison->after->requests));
    json_object_set_new(json, "changes", rows);
    json_object_set_new(json, "failed_before", counts_json(comparison->gateway_before));
    json_object_set_new(json, "failed_after", counts_json(comparison->gateway_after));
    return json;
}
