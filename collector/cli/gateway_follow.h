/*
 * gateway_follow.h - `fpmscope 502 --follow`: the store is asked every second, rows are given to
 * the caller as they are decided, each once, until SIGINT, SIGTERM, or until nobody reads.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_FOLLOW_H
#define FPMSCOPE_CLI_GATEWAY_FOLLOW_H

#include "analyze/gateway/gateway.h"

struct gateway_follow {
    const char *data; /* directory of the store; NULL: the default */
    int64_t from_us;  /* rows from here on; 0: from now */
    int64_t to_us;    /* stop when the clock is past it; 0: never */
    /* Is this row to be shown, and show it; texts and `files` are valid until the return. */
    bool (*wants)(void *ctx, const struct gateway_row *row, const char *const *files);
    void (*show)(void *ctx, const struct gateway_row *row, const char *const *files);
    void *ctx;
};

/* Blocks until it is stopped.  A cli_exit; problems are said on stderr. */
int gateway_follow(const struct gateway_follow *follow);

#endif
