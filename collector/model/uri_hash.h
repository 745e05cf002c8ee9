/*
 * uri_hash.h - the number that stands for a whole URI where only its masked form is kept: the `uh`
 * of events and the hash beside a stored log line.
 *
 * 53 bits, so that every JSON reader keeps it whole; 0 is "not known".  Of URIs longer than
 * URI_HASH_MAX_BYTES the beginning counts: the shim keeps no more.
 */
#ifndef FPMSCOPE_MODEL_URI_HASH_H
#define FPMSCOPE_MODEL_URI_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/log_event.h"

enum { URI_HASH_MAX_BYTES = 2048 };

int64_t uri_hash(struct slice uri);

/* Can this be one of ours?  Another writer's stream may have another hash under the same name. */
static inline bool uri_hash_is_ours(int64_t hash)
{
    return hash > 0 && hash < INT64_C(1) << 53;
}

/*
 * The hash of the URI in a log line as it was read; 0 when the line has none, only a rewritten one,
 * or one that its writer has masked.
 */
int64_t uri_hash_of_log(const struct log_event *event);

#endif
