/*
 * summary_view.h - what `summary`, `routes`, `modules`, `workers` and `crashes` share: the options,
 * the store read once, the conclusions.
 */
#ifndef FPMSCOPE_CLI_SUMMARY_VIEW_H
#define FPMSCOPE_CLI_SUMMARY_VIEW_H

#include <argp.h>
#include <stdbool.h>

#include "analyze/gateway/gateway.h"
#include "analyze/summary/summary.h"
#include "cli/input/module_config.h"
#include "cli/input/period.h"
#include "store/store.h"

/* What the user asked for. */
struct summary_request {
    const char *data; /* directory of the store; NULL: the default */
    struct period period;
    bool json;
    bool all;            /* also what is healthy */
    const char *compare; /* name of a mark, or FROM..TO; or NULL */
    const char *fail_on; /* "leak", "crash", "any": exit with 1 when there is one; or NULL */
};

struct summary_view {
    struct store *store;
    struct module_config modules;
    struct summary *summary;
    struct gateway *gateway;
    const struct summary_result *result;
    const struct gateway_report *report;
};

/*
 * Parse the command line of a command of this family into `ret_request`; argp prints errors and
 * --help and exits with CLI_USAGE or 0.
 */
void summary_request_parse(int argc, char **argv, const char *doc,
                           struct summary_request *ret_request);

/* The store that was asked for, to read.  0 or CLI_NO_DATA; the reason was printed. */
int summary_request_open_store(const struct summary_request *request, struct store **ret_store);

/* Read and conclude.  0 or a cli_exit; the reason was printed.  Release in both cases.  The view
 * must not move in between. */
int summary_view_open(const struct summary_request *request, struct summary_view *ret_view);
void summary_view_release(struct summary_view *view);

/* CLI_OK, or CLI_FOUND when --fail-on asks for what was found. */
int summary_view_verdict(const struct summary_request *request, const struct summary_view *view);

#endif
