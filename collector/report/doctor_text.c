/* doctor_text.c - findings as text and JSON. */
#include "report/doctor_text.h"

#include <stdlib.h>

#include "report/human.h"
#include "report/json_text.h"
#include "report/paragraph.h"
#include "report/table.h"
#include "report/text_sink.h"

enum { LINE_BYTES = 4 * DOCTOR_FIX_BYTES, JOINED_BYTES = 16384 };

static bool use_colour(bool for_people)
{
    return for_people && !getenv("NO_COLOR");
}

static void print_finding(FILE *out, const struct doctor_finding *finding, bool colour)
{
    const size_t columns = paragraph_columns(out);

    static const char *const colours[DOCTOR_STATE_COUNT] = {"\x1b[32m", "\x1b[2m", "\x1b[33m",
                                                            "\x1b[31m"};
    char line[LINE_BYTES];

    fprintf(out, "%s%-7s%s  %s (%s)\n", colour ? colours[finding->state] : "",
            doctor_state_name(finding->state), colour ? "\x1b[0m" : "",
            human_text(slice_of(finding->title), line, sizeof line), finding->id);
    for (size_t i = 0; i < finding->evidence_count; i++)
        paragraph_print(out, "         ", slice_of(finding->evidence[i]), columns);
    if (finding->evidence_left_out > 0)
        fprintf(out, "         and %zu more\n", finding->evidence_left_out);
    if (finding->fix[0] && finding->state != DOCTOR_OK)
        paragraph_print(out, "      -> ", slice_of(finding->fix), columns);
}

/* How many of each, and what is ok by name. */
static void print_counts(FILE *out, const struct doctor_report *report, bool all)
{
    char text[LINE_BYTES];
    FILE *sink = text_sink_open(text, sizeof text);

    if (!sink)
        return;
    fprintf(sink, "%zu checks: %zu fail, %zu warn, %zu skipped, %zu ok", report->count,
            report->states[DOCTOR_FAIL], report->states[DOCTOR_WARN],
            report->states[DOCTOR_SKIPPED], report->states[DOCTOR_OK]);
    for (size_t i = 0, n = 0; !all && i < report->count; i++)
        if (report->findings[i].state == DOCTOR_OK)
            fprintf(sink, "%s%s", n++ ? ", " : " (", report->findings[i].id);
    fputs(!all && report->states[DOCTOR_OK] ? "; --all shows them)" : "", sink);
    paragraph_print(out, "", slice_of(text_sink_close(sink, text, sizeof text)),
                    paragraph_columns(out));
}

static void print_for_people(FILE *out, const struct doctor_report *report, bool all, bool colour)
{
    for (int state = DOCTOR_FAIL; state >= DOCTOR_OK; state--) {
        if (state == DOCTOR_OK && !all)
            break;
        for (size_t i = 0; i < report->count; i++)
            if (report->findings[i].state == (enum doctor_state) state)
                print_finding(out, &report->findings[i], colour);
    }
    print_counts(out, report, all);
}

static void print_row(FILE *out, const struct doctor_finding *finding)
{
    char joined[JOINED_BYTES], line[LINE_BYTES];
    FILE *sink = text_sink_open(joined, sizeof joined);

    for (size_t i = 0; sink && i < finding->evidence_count; i++)
        fprintf(sink, "%s%s", i ? "; " : "", finding->evidence[i]);
    text_sink_close(sink, joined, sizeof joined);
    fprintf(out, "%s\t%s\t%s", doctor_state_name(finding->state), finding->id,
            human_text(slice_of(finding->title), line, sizeof line));
    fprintf(out, "\t%s", human_text(slice_of(joined), line, sizeof line));
    fprintf(out, "\t%s\n", human_text(slice_of(finding->fix), line, sizeof line));
}

void doctor_text_print(FILE *out, const struct doctor_report *report, bool all, bool for_people)
{
    if (for_people) {
        print_for_people(out, report, all, use_colour(for_people));
        return;
    }
    for (int state = DOCTOR_FAIL; state >= DOCTOR_OK; state--)
        for (size_t i = 0; i < report->count; i++)
            if (report->findings[i].state == (enum doctor_state) state)
                print_row(out, &report->findings[i]);
}

static json_t *finding_json(const struct doctor_finding *finding)
{
    json_t *object = json_object(), *evidence = json_array();

    for (size_t i = 0; i < finding->evidence_count; i++)
        json_array_append_new(evidence, json_text(slice_of(finding->evidence[i])));
    json_object_set_new(object, "id", json_string(finding->id));
    json_object_set_new(object, "state", json_string(doctor_state_name(finding->state)));
    json_object_set_new(object, "title", json_string(finding->title));
    json_object_set_new(object, "evidence", evidence);
    json_object_set_new(object, "evidence_left_out",
                        json_integer((json_int_t) finding->evidence_left_out));
    json_object_set_new(object, "fix", json_text(slice_of(finding->fix)));
    return object;
}

json_t *doctor_json(const struct doctor_report *report, const struct doctor_host *host)
{
    json_t *root = json_object(), *checks = json_array(), *summary = json_object();

    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(checks, finding_json(&report->findings[i]));
    for (int state = DOCTOR_OK; state < DOCTOR_STATE_COUNT; state++)
        json_object_set_new(summary, doctor_state_name((enum doctor_state) state),
                            json_integer((json_int_t) report->states[state]));
    json_object_set_new(summary, "hypernode", json_boolean(host->hypernode));
    json_object_set_new(summary, "masters", json_integer((json_int_t) host->masters.count));
    json_object_set_new(root, "checks", checks);
    json_object_set_new(root, "summary", summary);
    return root;
}
