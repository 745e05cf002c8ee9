/*
 * params.h - read the name-value pairs of PARAMS records into a request.
 *
 * A pair is  name_length value_length name value , lengths of one byte or, with the top bit set,
 * four.  Pairs straddle records, and records straddle read() calls; the parser keeps at most one
 * name and never a value: bytes of a wanted value go straight into the request, all others are
 * skipped without a look.
 */
#ifndef FPMSCOPE_REQUEST_PARAMS_H
#define FPMSCOPE_REQUEST_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fpmscope/recorder.h"

enum { PARAM_NAME_BYTES = 64, PARAM_WANTED_MAX = 32, PARAM_IDS_MAX = 8, PARAM_FIELDS_MAX = 12 };

/* One text of struct recorder_request. */
struct param_field {
    uint16_t len_offset_bytes, text_offset_bytes, cap_bytes;
};

struct param_wanted {
    const char *name; /* not NUL-terminated when configured */
    uint8_t name_bytes, field, rank;
};

/* Made once, shared by all requests; borrows `ids` for ever.  Sorted by length, so that most names
 * are known to be unwanted at a glance: wanted[first[n]] .. wanted[first[n + 1] - 1] have n bytes.
 */
struct param_table {
    struct param_wanted wanted[PARAM_WANTED_MAX];
    size_t count;
    uint8_t first[PARAM_NAME_BYTES + 2];
};

/* `ids` is a comma-separated list of names; what is too much or too long is left out. */
void param_table_init(struct param_table *table, const char *ids);

enum param_stage { PARAM_NAME_LENGTH, PARAM_VALUE_LENGTH, PARAM_NAME, PARAM_VALUE };

/* Zero-initialised: before the first pair. */
struct params {
    uint8_t stage;        /* enum param_stage */
    uint8_t length_bytes; /* of a four-byte length seen so far */
    uint32_t length;      /* under construction */
    uint32_t name_bytes, value_bytes, left_bytes;
    uint8_t field_count; /* fields that take the value of this pair: one name may fill two */
    uint8_t fields[2];
    uint8_t ranks[PARAM_FIELDS_MAX]; /* of what is in the field, plus one; 0: nothing */
    char name[PARAM_NAME_BYTES];
};

/* Feed the content of PARAMS records. */
void params_feed(struct params *params, const struct param_table *table,
                 struct recorder_request *request, const uint8_t *bytes, size_t len_bytes);

#endif
