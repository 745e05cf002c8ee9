/*
 * store_feed.h - play a period of the store to an engine that expects a stream: the events, and the
 * log lines that were kept, decoded again.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_STORE_FEED_H
#define FPMSCOPE_CLI_GATEWAY_STORE_FEED_H

#include "analyze/gateway/gateway.h"
#include "cli/input/period.h"
#include "store/store.h"

/*
 * Both passes of the gateway over the period, and a margin before it: what began earlier may fail
 * in it.  File numbers of rows are those of store_log_path().  0 or a negative errno.
 */
int store_feed_gateway(struct store *store, const struct period *period, struct gateway *gateway);

#endif
