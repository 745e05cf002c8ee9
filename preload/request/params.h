/*
 * params.h - read the name-value pairs of PARAMS records into a request.
 *
 * A pair is  name_length value_length name value , lengths of one byte or, with the top bit set,
 * four.  Pairs straddle records, and records straddle read() calls; the parser keeps at most one
 * name and never a value: bytes of a wanted value go straight into the request, all others are
 * skipped without a look.  A pair that is here from end to end, as nearly all are, is read where it
 * lies; the state machine is for the others.
 */
#ifndef FPMSCOPE_REQUEST_PARAMS_H
#define FPMSCOPE_REQUEST_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fpmscope/recorder.h"

enum {
    PARAM_NAME_BYTES = 64,
    PARAM_WANTED_MAX = 32,
    PARAM_IDS_MAX = 8,
    PARAM_FIELDS_MAX = 12,
    PARAM_CLASS_BITS = 7,
    PARAM_CLASSES = 1 << PARAM_CLASS_BITS,
};

/* One text of struct recorder_request. */
struct param_field {
    uint16_t len_offset_bytes, text_offset_bytes, cap_bytes;
    uint16_t cut_flag; /* of the request, when the text did not fit */
};

struct param_wanted {
    const struct param_wanted *next; /* of the same class */
    const char *name;                /* not NUL-terminated when configured */
    uint64_t head, tail;             /* the first and the last 8 bytes of a name that has so many */
    uint32_t alone_bytes; /* of a name of two words that is alone in its class; else too many */
    uint8_t name_bytes, field;
    uint8_t strength;          /* above 0; of several names for one field the strongest wins */
    struct param_field target; /* of `field` */
};

/* Made once, shared by all requests; stays where it is, and borrows `ids` for ever.  A hash table
 * by the end of a name, so large that most names are known to be unwanted at a glance. */
struct param_table {
    const struct param_wanted *first[PARAM_CLASSES]; /* NULL: no wanted name is in this class */
    size_t count;
    struct param_wanted wanted[PARAM_WANTED_MAX];
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
    uint8_t strengths[PARAM_FIELDS_MAX]; /* of what is in the field; 0: nothing */
    char name[PARAM_NAME_BYTES];
};

/* Feed the content of PARAMS records. */
void params_feed(struct params *params, const struct param_table *table,
                 struct recorder_request *request, const uint8_t *bytes, size_t len_bytes);

#endif
