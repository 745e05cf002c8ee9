/* compare_text.c - a comparison line by line: the change, the route, the numbers of both sides. */
#include "report/compare_text.h"

#include <inttypes.h>

#include "report/human.h"
#include "report/json_text.h"

enum { NAME_BYTES = 512 };

static double kept_bytes(const struct summary_route *route)
{
    return route && slice_equal(route->verdict, SLICE("leak")) ? route->bytes_per_request : 0;
}

static int64_t peak_bytes(const struct summary_route *route)
{
    return route ? route->typical_peak_bytes : 0;
}

static void print_numbers(FILE *out, const struct compare_row *row)
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

static void print_row(FILE *out, const struct compare_row *row)
{
    char text[NAME_BYTES];

    fprintf(out, "  %s ", human_text(row->route, text, sizeof text));
    fprintf(out, "%s", compare_change_sentence(row->change));
    print_numbers(out, row);
    if (row->module.len_bytes > 0)
        fprintf(out, " (%s)", human_text(row->module, text, sizeof text));
    fputs(".\n", out);
}

static void print_failures(FILE *out, const struct comparison *comparison)
{
    for (int i = 0; i < VERDICT_COUNT; i++) {
        const size_t was = comparison->gateway_before->count_by_verdict[i];
        const size_t is = comparison->gateway_after->count_by_verdict[i];

        if (was != is)
            fprintf(out, "  failed requests, %s: %zu before, %zu since.\n",
                    gateway_verdict_name((enum gateway_verdict) i), was, is);
    }
}

static void print_period(FILE *out, const char *before, const struct summary_result *result)
{
    char from[HUMAN_TIME_BYTES], to[HUMAN_TIME_BYTES];

    fprintf(out, "%s%s to %s UTC (%" PRIu64 " request%s)", before,
            human_time(result->from_us, from, sizeof from),
            human_time(result->to_us, to, sizeof to), result->requests,
            human_plural(result->requests));
}

static void print_heading(FILE *out, const struct comparison *comparison)
{
    char time[HUMAN_TIME_BYTES], mark[4 * NAME_BYTES];

    if (!comparison->mark) {
        print_period(out, "\nBefore: ", comparison->before);
        print_period(out, "; since: ", comparison->after);
        fputc('\n', out);
        return;
    }
    fprintf(out, "\nSince the mark '%s' (%s UTC): %" PRIu64 " requests before, %" PRIu64 " since\n",
            human_text(slice_of(comparison->mark), mark, sizeof mark),
            human_time(comparison->at_us, time, sizeof time), comparison->before->requests,
            comparison->after->requests);
}

void compare_text_print(FILE *out, const struct comparison *comparison)
{
    print_heading(out, comparison);
    for (size_t i = 0; i < comparison->row_count; i++)
        print_row(out, &comparison->rows[i]);
    if (comparison->row_count == 0)
        fputs("  no route changed its verdict.\n", out);
    print_failures(out, comparison);
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
