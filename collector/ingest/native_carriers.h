/*
 * native_carriers.h - libraries that carry the work of others (libc, the PHP engine, libffi): the
 * library to name to people is the innermost one that is none of these.
 */
#ifndef FPMSCOPE_INGEST_NATIVE_CARRIERS_H
#define FPMSCOPE_INGEST_NATIVE_CARRIERS_H

#include <stdbool.h>

#include "base/slice.h"

static inline bool native_is_carrier(struct slice library)
{
    static const struct slice beginnings[] = {
#define NATIVE_CARRIER(beginning, why) {.ptr = (beginning), .len_bytes = sizeof(beginning) - 1},
#include "ingest/native_carriers.def"
    };

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (slice_starts(library, beginnings[i]))
            return true;
    return library.len_bytes == 0;
}

#endif
