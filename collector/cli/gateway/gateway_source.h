/*
 * gateway_source.h - where `fpmscope 502` gets its evidence from: the files on the command line,
 * else a pipe on standard input, else the collector's store, else the logs of this host.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_GATEWAY_SOURCE_H
#define FPMSCOPE_CLI_GATEWAY_GATEWAY_SOURCE_H

#include "cli/gateway/gateway_feed.h"
#include "cli/gateway/gateway_places.h"
#include "store/store.h"

enum { GATEWAY_SOURCE_FILES_MAX = GATEWAY_FILES_MAX };

struct gateway_source {
    struct gateway_feed_options feed;
    const char *data; /* directory of the store; NULL: the default */
    /* Of each file number in rows; given by the caller, or filled in. */
    const char *names[GATEWAY_SOURCE_FILES_MAX];
    size_t count;

    struct store *store; /* NULL: files are read */
    struct log_report *reports;
    struct gateway_places found;
};

/*
 * Feed everything into `gateway`, saying on stderr what could not be read, in sentences that begin
 * with `command`.  0, or a negative errno when there was nothing to read.  `names` are valid until
 * gateway_source_close(), which may be called in any case.
 */
int gateway_source_read(struct gateway_source *source, const char *command,
                        struct gateway *gateway);

/* The two halves of reading a store: open `data` (-ENOENT: there is none; the message says why);
 * then its period, which fills in `names`.  0 or a negative errno. */
int gateway_source_open_store(struct gateway_source *source, struct store_message *ret_message);
int gateway_source_read_store(struct gateway_source *source, struct gateway *gateway);

void gateway_source_close(struct gateway_source *source);

#endif
