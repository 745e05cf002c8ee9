/* gateway_json.c - rows as the contract in DESIGN names their keys. */
#include "report/gateway_json.h"

#include <stdio.h>

#include "report/json_text.h"

static void set_text(json_t *object, const char *key, struct slice text)
{
    if (text.len_bytes > 0)
        json_object_set_new(object, key, json_text(text));
}

static void set_name(json_t *object, const char *key, const char *name)
{
    if (name[0])
        json_object_set_new(object, key, json_string(name));
}

static json_t *json_lines(const struct gateway_row *row, const char *const *files)
{
    json_t *lines = json_array();

    for (int i = 0; i < row->line_count; i++)
        json_array_append_new(lines, json_pack("{s:o, s:I}", "file",
                                               json_text(slice_of(files[row->lines[i].file])),
                                               "offset", (json_int_t) row->lines[i].offset_bytes));
    return lines;
}

static json_t *json_row_lists(const struct gateway_row *row, json_t *object)
{
    json_t *pids = json_array(), *statuses = json_array(), *evidence = json_array();

    for (int i = 0; i < row->pid_count; i++)
        json_array_append_new(pids, json_integer((json_int_t) row->pids[i]));
    for (int i = 0; i < row->upstream_count; i++)
        json_array_append_new(statuses, json_integer(row->upstream_status[i]));
    for (int i = 0; i < row->evidence_count; i++)
        json_array_append_new(evidence, json_text(row->evidence[i]));
    json_object_set_new(object, "upstream_status", statuses);
    json_object_set_new(object, "pids", pids);
    json_object_set_new(object, "evidence", evidence);
    return object;
}

static void set_where_they_apply(json_t *object, const struct gateway_row *row)
{
    set_text(object, "signal", row->signal);
    if (row->stack_overflow)
        json_object_set_new(object, "stack_overflow", json_true());
    set_name(object, "killer", gateway_killer_name(row->killer));
    set_name(object, "reason", gateway_reason_name(row->reason));
    set_name(object, "hop", gateway_hop_name(row->hop));
    set_text(object, "culprit", row->culprit);
    set_text(object, "pool", row->pool);
    set_text(object, "library", row->shared_object);
    set_text(object, "module", row->module);
    set_text(object, "frame", row->frame);
    set_text(object, "request_id", row->request_id);
    set_text(object, "remote_addr", row->remote_addr);
    if (row->duration_us >= 0)
        json_object_set_new(object, "duration_us", json_integer((json_int_t) row->duration_us));
}

static json_t *json_row(const struct gateway_row *row, const char *const *files)
{
    json_t *object = json_object();

    json_object_set_new(object, "time_us", json_integer((json_int_t) row->time_us));
    json_object_set_new(object, "time_precision_us",
                        json_integer((json_int_t) row->time_precision_us));
    json_object_set_new(object, "method", json_text(row->method));
    json_object_set_new(object, "uri", json_text(row->uri));
    json_object_set_new(object, "host", json_text(row->host));
    json_object_set_new(object, "client_status", json_integer(row->client_status));
    json_object_set_new(object, "verdict", json_string(gateway_verdict_name(row->verdict)));
    json_object_set_new(object, "innocent", json_boolean(row->innocent));
    json_object_set_new(object, "join", json_string(gateway_join_name(row->join)));
    json_object_set_new(object, "candidates", json_integer(row->candidates));
    json_object_set_new(object, "lines", json_lines(row, files));
    json_row_lists(row, object);
    set_where_they_apply(object, row);
    json_object_set_new(object, "why", json_text(row->sentence));
    json_object_set_new(object, "advice", json_text(row->advice));
    return object;
}

static json_t *gateway_json_rows(const struct gateway_row *const *rows, size_t count,
                                 const char *const *files)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_row(rows[i], files));
    return list;
}

void gateway_json_print_row(const struct gateway_row *row, const char *const *files)
{
    json_t *object = json_row(row, files);

    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}

static json_t *json_counts(const struct gateway_row *const *rows, size_t count)
{
    size_t counts[VERDICT_COUNT] = {0};
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++)
        counts[rows[i]->verdict]++;
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
        if (counts[verdict] > 0)
            json_object_set_new(object, gateway_verdict_name((enum gateway_verdict) verdict),
                                json_integer((json_int_t) counts[verdict]));
    return object;
}

static json_t *json_clocks(const struct gateway_report *report, const char *const *files)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->clock_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:I, s:i, s:b}", "file",
                                              json_text(slice_of(files[report->clocks[i].file])),
                                              "shift_us", (json_int_t) report->clocks[i].shift_us,
                                              "samples", report->clocks[i].samples, "corrected",
                                              report->clocks[i].corrected));
    return list;
}

json_t *gateway_json_report(const struct gateway_report *report,
                            const struct gateway_row *const *rows, size_t count,
                            const char *const *files)
{
    json_t *root = json_object(), *deaths = json_array(), *notes = json_array();

    for (size_t i = 0; i < report->death_count; i++)
        json_array_append_new(deaths, json_row(&report->deaths[i], files));
    for (size_t i = 0; i < report->note_count; i++)
        json_array_append_new(notes, json_text(report->notes[i]));
    json_object_set_new(root, "rows", gateway_json_rows(rows, count, files));
    json_object_set_new(root, "deaths_without_5xx", deaths);
    json_object_set_new(root, "count_by_verdict", json_counts(rows, count));
    json_object_set_new(root, "clocks", json_clocks(report, files));
    json_object_set_new(root, "notes", notes);
    return root;
}
