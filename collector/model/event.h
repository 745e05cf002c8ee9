/*
 * event.h - one event of a worker's life: the currency of the whole collector.
 *
 * Sessions turn wire messages into events, the store keeps them, `export` writes them, `import`,
 * `analyze` and `502` read them, the analyzers eat them.  The list of kinds and keys is events.def.
 *
 * An event borrows its text: slices point into the line or packet that it was read from and are
 * valid until the next one is read.  Copy what must live longer.
 */
#ifndef FPMSCOPE_MODEL_EVENT_H
#define FPMSCOPE_MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum event_kind {
#define EVENT_KIND(name, doc) EVENT_##name,
#include "model/events.def"
    EVENT_KIND_COUNT
};

/* EVENT_HAS_<field>: bit numbers of `struct event.has`. */
enum event_key {
#define EVENT_KEY(json, field, type, doc) EVENT_HAS_##field,
#include "model/events.def"
    EVENT_HAS_crash_ip, /* "ip" of a crash: an address, not a client */
    EVENT_KEY_COUNT
};
_Static_assert(EVENT_KEY_COUNT <= 64, "struct event.has is one word");

enum { EVENT_FRAMES_MAX = 64 };

/* At most EVENT_FRAMES_MAX frames; what was cut is not kept. */
struct event_list {
    uint16_t count;
    struct slice items[EVENT_FRAMES_MAX];
};

typedef int64_t event_NUMBER;
typedef uint64_t event_ADDRESS;
typedef bool event_BOOL;
typedef struct slice event_TEXT;
typedef const struct event_list *event_LIST;

struct event {
    enum event_kind kind;
    uint64_t has; /* bit EVENT_HAS_x is set when key x was present; absent means "not known" */
#define EVENT_KEY(json, field, type, doc) event_##type field;
#include "model/events.def"
    uint64_t crash_ip; /* program counter of a crash, JSON key "ip" there */
};

static inline bool event_has(const struct event *event, enum event_key key)
{
    return (event->has >> key & 1) != 0;
}

#endif
