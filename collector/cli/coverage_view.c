/* coverage_view.c - what could not be seen in a period: the store's counters, sorted. */
#include "cli/coverage_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/columns.h"
#include "report/human.h"
#include "report/json_text.h"
#include "report/paragraph.h"

enum { WHAT_BYTES = 32 };

static void add(struct coverage_list *list, const char *text)
{
    if (list && list->count < COVERAGE_NOTES_MAX)
        snprintf(list->items[list->count++], COVERAGE_NOTE_BYTES, "%s", text);
}

/* Names of the store's counters and where they go; any other becomes a note. */
static bool add_counter(struct coverage_view *coverage, const struct store_coverage *row)
{
    if (strcmp(row->name, "dropped_messages") == 0)
        coverage->dropped_messages += row->n;
    else if (strcmp(row->name, "throttled_samples") == 0)
        coverage->throttled_samples += row->n;
    else
        return false;
    return true;
}

const char *coverage_words(const char *counter)
{
    static const struct {
        const char *counter, *words;
    } table[] = {
#define COVERAGE_WORDS(counter, words) {#counter, words},
#include "cli/coverage_words.def"
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].counter, counter) == 0)
            return table[i].words;
    return NULL;
}

/* "15 requests were served, and their reports never came (missed_requests)" */
static void add_note(struct coverage_view *coverage, const struct store_coverage *row)
{
    const char *words = coverage_words(row->name), *detail = row->detail;
    char text[COVERAGE_NOTE_BYTES];

    if (words)
        snprintf(text, sizeof text, "%" PRIu64 " %s (%s%s%s)", row->n, words, row->name,
                 detail[0] ? ": " : "", detail);
    else
        snprintf(text, sizeof text, "%s%s%s (%" PRIu64 ")", row->name, detail[0] ? ": " : "",
                 detail, row->n);
    add(coverage->notes, text);
}

static int on_row(void *ctx, const struct store_coverage *row)
{
    struct coverage_view *coverage = ctx;

    if (add_counter(coverage, row))
        return 0;
    if (strcmp(row->name, "unreadable_log") == 0) {
        add(coverage->unreadable_logs, row->detail);
    } else if (strcmp(row->name, "unknown_layout") == 0) {
        add(coverage->unknown_layouts, row->detail);
    } else {
        add_note(coverage, row);
    }
    return 0;
}

void coverage_view_read(struct coverage_view *coverage, const struct summary_view *view,
                        const struct period *period)
{
    const struct store_query query = {.from_us = period->from_us, .to_us = period->to_us};
    char text[COVERAGE_NOTE_BYTES];

    *coverage = (struct coverage_view){
        .dropped_messages = view->result->dropped_messages,
        .unconnected_workers = view->result->unconnected_workers,
        .unreadable_logs = calloc(1, sizeof(struct coverage_list)),
        .unknown_layouts = calloc(1, sizeof(struct coverage_list)),
        .notes = calloc(1, sizeof(struct coverage_list)),
    };
    if (store_each_coverage(view->store, &query, on_row, coverage) < 0)
        add(coverage->notes, "the store's own counters could not be read");
    for (size_t i = 0; i < view->report->note_count; i++)
        add(coverage->notes, human_text(view->report->notes[i], text, sizeof text));
    if (view->result->not_kept > 0) {
        snprintf(text, sizeof text, "%" PRIu64 " rows were beyond what a summary keeps",
                 view->result->not_kept);
        add(coverage->notes, text);
    }
}

void coverage_view_release(struct coverage_view *coverage)
{
    free(coverage->unreadable_logs);
    free(coverage->unknown_layouts);
    free(coverage->notes);
}

static json_t *list_json(const struct coverage_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; list && i < list->count; i++)
        json_array_append_new(array, json_text(slice_of(list->items[i])));
    return array;
}

json_t *coverage_view_json(const struct coverage_view *coverage)
{
    json_t *root = json_object();

    json_object_set_new(root, "dropped_messages",
                        json_integer((json_int_t) coverage->dropped_messages));
    json_object_set_new(root, "throttled_samples",
                        json_integer((json_int_t) coverage->throttled_samples));
    json_object_set_new(root, "unreadable_logs", list_json(coverage->unreadable_logs));
    json_object_set_new(root, "unknown_layouts", list_json(coverage->unknown_layouts));
    json_object_set_new(root, "unconnected_workers",
                        json_integer((json_int_t) coverage->unconnected_workers));
    json_object_set_new(root, "notes", list_json(coverage->notes));
    return root;
}

static void print_list(FILE *out, const char *what, const struct coverage_list *list)
{
    char text[COVERAGE_NOTE_BYTES + WHAT_BYTES];

    for (size_t i = 0; list && i < list->count; i++) {
        snprintf(text, sizeof text, "%s%s", what, list->items[i]);
        paragraph_print(out, "  ", slice_of(text), columns_of_terminal(out, sizeof text));
    }
}

static void print_count(FILE *out, uint64_t n, const char *what)
{
    if (n > 0)
        fprintf(out, "  %" PRIu64 " %s\n", n, what);
}

static size_t length(const struct coverage_list *list)
{
    return list ? list->count : 0;
}

void coverage_view_print(FILE *out, const struct coverage_view *coverage)
{
    if (coverage->dropped_messages + coverage->throttled_samples + coverage->unconnected_workers +
            length(coverage->unreadable_logs) + length(coverage->unknown_layouts) +
            length(coverage->notes) ==
        0)
        return;
    fputs("\nWhat fpmscope could not see\n", out);
    print_count(out, coverage->dropped_messages, "messages of workers were dropped");
    print_count(out, coverage->throttled_samples, "samples were skipped to stay in the budget");
    print_count(out, coverage->unconnected_workers, "workers never connected");
    print_list(out, "cannot read log ", coverage->unreadable_logs);
    print_list(out, "no PHP stacks: ", coverage->unknown_layouts);
    print_list(out, "", coverage->notes);
}
