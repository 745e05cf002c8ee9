/* coverage_view.h - what could not be seen in a period: the store's counters, sorted for a reader.
 */
#ifndef FPMSCOPE_CLI_COVERAGE_VIEW_H
#define FPMSCOPE_CLI_COVERAGE_VIEW_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/input/period.h"
#include "cli/summary_view.h"

enum { COVERAGE_NOTE_BYTES = 256, COVERAGE_NOTES_MAX = 64 };

struct coverage_list {
    char items[COVERAGE_NOTES_MAX][COVERAGE_NOTE_BYTES];
    size_t count;
};

struct coverage_view {
    uint64_t dropped_messages, throttled_samples, unconnected_workers;
    struct coverage_list *unreadable_logs, *unknown_layouts, *notes; /* owned */
};

/* What a counter of the store says behind its number; NULL: it speaks for itself. */
const char *coverage_words(const char *counter);

/* Fill from the store and the conclusions; what cannot be read becomes a note. */
void coverage_view_read(struct coverage_view *coverage, const struct summary_view *view,
                        const struct period *period);
void coverage_view_release(struct coverage_view *coverage);

json_t *coverage_view_json(const struct coverage_view *coverage);

/* Nothing at all when everything was seen. */
void coverage_view_print(FILE *out, const struct coverage_view *coverage);

#endif
