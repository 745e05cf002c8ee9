/*
 * event_keys.h - the names of events.def at run time: which key or kind a name means, of what type
 * a key is, and where in `struct event` its value lives.
 */
#ifndef FPMSCOPE_MODEL_EVENT_KEYS_H
#define FPMSCOPE_MODEL_EVENT_KEYS_H

#include "model/event.h"

enum event_type {
    EVENT_TYPE_NUMBER,
    EVENT_TYPE_ADDRESS,
    EVENT_TYPE_BOOL,
    EVENT_TYPE_TEXT,
    EVENT_TYPE_LIST,
};

struct event_key_info {
    const char *json; /* name in the stream; crash_ip's is "ip", as in a crash */
    enum event_type type;
    size_t offset_bytes; /* of the field in struct event */
};

/* Indexed by enum event_key. */
extern const struct event_key_info event_key_infos[EVENT_KEY_COUNT];

/* Finds keys and kinds by name in one probe or two; made once, read-only afterwards. */
struct event_names {
    uint8_t key_slots[256]; /* enum event_key + 1, 0 = empty; open addressing */
    uint8_t kind_slots[64]; /* enum event_kind + 1 */
};

void event_names_init(struct event_names *names);

/* The enum event_key called `name`, or -1. */
int event_names_key(const struct event_names *names, struct slice name);

/* The enum event_kind called `name`, or -1. */
int event_names_kind(const struct event_names *names, struct slice name);

/* "req" for EVENT_req; NULL for a value that is no kind. */
const char *event_kind_name(enum event_kind kind);

#endif
