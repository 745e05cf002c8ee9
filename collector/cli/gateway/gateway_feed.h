/*
 * gateway_feed.h - sources of events and log lines -> the gateway engine.
 *
 * Files are read twice (see analyze/gateway.h), what can be read only once (pipes, "-") between the
 * two.  The live store will be another source: a function that is called once per pass.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_GATEWAY_FEED_H
#define FPMSCOPE_CLI_GATEWAY_GATEWAY_FEED_H

#include "analyze/gateway/gateway.h"
#include "cli/input/period.h"
#include "logs/log_source.h"

/* Lines this far outside the period are still read: clocks differ, requests last. */
#define GATEWAY_FEED_MARGIN_US (3LL * 3600 * 1000000)

struct gateway_feed_options {
    struct period period;              /* 0 in a limit: none */
    const char *access_format;         /* nginx's log_format string, or NULL */
    const char *const *access_formats; /* of each file, where it has its own; or NULL */
};

/*
 * Feed `count` files into `gateway`; `reports[i]` says what became of the i-th.  A file that cannot
 * be read is reported and skipped.  0; -ENODATA when none could be read.
 */
int gateway_feed_files(struct gateway *gateway, const char *const *paths, size_t count,
                       const struct gateway_feed_options *options, struct log_report *reports);

#endif
