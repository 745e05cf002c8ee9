/* summary_part.h - a command that prints one part of the summary: a table, or its JSON. */
#ifndef FPMSCOPE_CLI_SUMMARY_PART_H
#define FPMSCOPE_CLI_SUMMARY_PART_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "analyze/summary/summary.h"

struct summary_part {
    const char *name; /* the key in the summary's JSON */
    const char *doc;  /* for --help */
    json_t *(*json)(const struct summary_result *result);
    /* More of it, or NULL: keys beside it, chapters for people before the table. */
    const char *more_name;
    json_t *(*more_json)(const struct summary_result *result);
    int (*chapters)(FILE *out, const struct summary_result *result);
    int (*table)(FILE *out, const struct summary_result *result, bool for_people);
    bool compares; /* --compare means something here; else it is refused */
};

/* The whole command; returns a cli_exit. */
int summary_part_run(const struct summary_part *part, int argc, char **argv);

#endif
