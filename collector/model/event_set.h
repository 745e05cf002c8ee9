/*
 * event_set.h - fill an event: event_set_pid(&event, 17) stores the value and notes that it is
 * known.  An empty text is "not known" and is not noted.
 */
#ifndef FPMSCOPE_MODEL_EVENT_SET_H
#define FPMSCOPE_MODEL_EVENT_SET_H

#include "model/event.h"

static inline uint64_t event_bit(int key, bool known)
{
    return (uint64_t) known << key;
}

/* clang-format off */
#define EVENT_KNOWN_NUMBER(value)  true
#define EVENT_KNOWN_ADDRESS(value) true
#define EVENT_KNOWN_BOOL(value)    true
#define EVENT_KNOWN_TEXT(value)    ((value).len_bytes > 0)
#define EVENT_KNOWN_LIST(value)    ((value) != NULL)

#define EVENT_KEY(json, field, type, doc)                                               \
    static inline void event_set_##field(struct event *event, event_##type value)       \
    {                                                                                   \
        event->field = value;                                                           \
        event->has |= event_bit(EVENT_HAS_##field, EVENT_KNOWN_##type(value));          \
    }
#include "model/events.def"
/* clang-format on */

static inline void event_set_crash_ip(struct event *event, uint64_t value)
{
    event->crash_ip = value;
    event->has |= event_bit(EVENT_HAS_crash_ip, true);
}

#undef EVENT_KNOWN_NUMBER
#undef EVENT_KNOWN_ADDRESS
#undef EVENT_KNOWN_BOOL
#undef EVENT_KNOWN_TEXT
#undef EVENT_KNOWN_LIST

#endif
