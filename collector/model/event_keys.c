/* event_keys.c - events.def as tables, and a small hash from a name to its row. */
#include "model/event_keys.h"

#include <string.h>

const struct event_key_info event_key_infos[EVENT_KEY_COUNT] = {
#define EVENT_KEY(json, field, type, doc) {json, EVENT_TYPE_##type, offsetof(struct event, field)},
#include "model/events.def"
    {"ip", EVENT_TYPE_ADDRESS, offsetof(struct event, crash_ip)},
};

static const char *const kind_names[EVENT_KIND_COUNT] = {
#define EVENT_KIND(name, doc) #name,
#include "model/events.def"
};

_Static_assert(EVENT_KEY_COUNT * 2 <= 256, "struct event_names.key_slots stays half empty");
_Static_assert(EVENT_KIND_COUNT * 2 <= 64, "struct event_names.kind_slots stays half empty");

/* FNV-1a; names are a few bytes long. */
static uint32_t hash_name(struct slice name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len_bytes; i++)
        hash = (hash ^ (uint8_t) name.ptr[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static void insert(uint8_t *slots, size_t slot_count, struct slice name, size_t row)
{
    size_t at = hash_name(name) & (slot_count - 1);

    while (slots[at] != 0)
        at = (at + 1) & (slot_count - 1);
    slots[at] = (uint8_t) (row + 1);
}

void event_names_init(struct event_names *names)
{
    *names = (struct event_names){0};
    /* Without crash_ip: its name is taken, the reader moves a crash's "ip" there. */
    for (size_t i = 0; i < EVENT_HAS_crash_ip; i++)
        insert(names->key_slots, sizeof names->key_slots, slice_of(event_key_infos[i].json), i);
    for (size_t i = 0; i < EVENT_KIND_COUNT; i++)
        insert(names->kind_slots, sizeof names->kind_slots, slice_of(kind_names[i]), i);
}

static bool is_called(const char *candidate, struct slice name)
{
    return strncmp(candidate, name.ptr, name.len_bytes) == 0 && candidate[name.len_bytes] == '\0';
}

int event_names_key(const struct event_names *names, struct slice name)
{
    const size_t mask = sizeof names->key_slots - 1;

    if (name.len_bytes == 0)
        return -1;
    for (size_t at = hash_name(name) & mask; names->key_slots[at] != 0; at = (at + 1) & mask)
        if (is_called(event_key_infos[names->key_slots[at] - 1].json, name))
            return names->key_slots[at] - 1;
    return -1;
}

int event_names_kind(const struct event_names *names, struct slice name)
{
    const size_t mask = sizeof names->kind_slots - 1;

    if (name.len_bytes == 0)
        return -1;
    for (size_t at = hash_name(name) & mask; names->kind_slots[at] != 0; at = (at + 1) & mask)
        if (is_called(kind_names[names->kind_slots[at] - 1], name))
            return names->kind_slots[at] - 1;
    return -1;
}

const char *event_kind_name(enum event_kind kind)
{
    return (unsigned) kind < EVENT_KIND_COUNT ? kind_names[kind] : NULL;
}
