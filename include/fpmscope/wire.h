/*
 * wire.h - what the shim says to the collector: message structs and their field tables.
 *
 * One SOCK_SEQPACKET packet holds one or more whole messages (wire_codec.h).  Everything in a
 * packet is a claim of its sender: only the kernel's credentials and the recorder page's owner say
 * who that is.
 */
#ifndef FPMSCOPE_WIRE_H
#define FPMSCOPE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_VERSION = 3, WIRE_HEADER_BYTES = 4, WIRE_PACKET_MAX_BYTES = 16384 };

enum wire_role { WIRE_ROLE_WORKER = 1, WIRE_ROLE_MASTER = 2 };

/* What a process can do here; a missing bit is said in coverage. */
enum wire_ability {
    WIRE_CAN_PHP_STACK = 1 << 0,
    WIRE_CAN_NATIVE_STACK = 1 << 1,
    WIRE_CAN_ZEND_PEAK = 1 << 2,
    WIRE_CAN_RECORD = 1 << 3,
};

enum wire_request_flag {
    WIRE_REQUEST_KEPT = 1 << 0,     /* the connection is kept for another request */
    WIRE_REQUEST_URI_CUT = 1 << 1,  /* longer than LIMIT_URI_BYTES */
    WIRE_REQUEST_ABORTED = 1 << 2,  /* closed without a complete response */
    WIRE_REQUEST_BUILTIN = 1 << 3,  /* php-fpm's own status or ping page */
    WIRE_REQUEST_MALFORMED = 1 << 4 /* FastCGI bytes that could not be parsed to the end */
};

enum wire_note_code {
    WIRE_NOTE_OFF = 1,        /* the shim switched itself off in this process */
    WIRE_NOTE_LAYOUT = 2,     /* PHP version without a proven layout: no PHP stacks */
    WIRE_NOTE_UNWINDER = 3,   /* no unwind tables: no native stacks */
    WIRE_NOTE_RECORDER = 4,   /* no recorder page */
    WIRE_NOTE_SELF_CHECK = 5, /* the PHP stack disagreed with the engine: walker off */
    WIRE_NOTE_ALLOCATOR = 6,  /* another allocator or an unknown chunk layout */
    WIRE_NOTE_ARMING = 7,     /* the Zend heap cannot be sampled here */
    WIRE_NOTE_EXACT = 8,      /* native blocks are sampled, although the exact mode was wanted */
    WIRE_NOTE_LIBRARY = 9,    /* no libunwind: native stacks end at hand-written code */
};

enum wire_held_flag {
    WIRE_HELD_CUT = 1 << 0, /* memory_limit or a fatal error ended the sampling */
};

typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef uint64_t wire_u64;
typedef int64_t wire_i64;
typedef struct {
    const char *ptr; /* borrowed: the caller's bytes when sent, the packet's when received */
    uint16_t len_bytes;
} wire_str;

enum wire_kind { WIRE_u8, WIRE_u16, WIRE_u32, WIRE_u64, WIRE_i64, WIRE_str };

struct wire_field {
    const char *name, *doc;
    enum wire_kind kind;
    size_t offset_bytes; /* inside the message struct */
};

struct wire_message {
    const char *name, *doc;
    uint16_t id;
    size_t struct_bytes, field_count;
    const struct wire_field *fields;
    /* Of a message whose numbers all come before its strings, without padding: the struct begins
     * with these bytes as the wire has them, for so many fields.  0 otherwise. */
    size_t flat_bytes, flat_fields;
};

/* clang-format off */
#define WIRE_MSG(NAME, name, id, doc)  enum { WIRE_##NAME = (id) }; struct wire_##name {
#define WIRE_FIELD(msg, kind, field, doc)  wire_##kind field;
#define WIRE_END(NAME, name)           };
#include "fpmscope/wire.def"

/* The numbers as they lie on the wire, to compare with the struct. */
typedef wire_u8 wire_flat_u8;
typedef wire_u16 wire_flat_u16;
typedef wire_u32 wire_flat_u32;
typedef wire_u64 wire_flat_u64;
typedef wire_i64 wire_flat_i64;
typedef struct {} wire_flat_str;

#define WIRE_MSG(NAME, name, id, doc)  struct wire_##name##_flat {
#define WIRE_FIELD(msg, kind, field, doc)  wire_flat_##kind field;
#define WIRE_END(NAME, name)           } __attribute__((packed));
#include "fpmscope/wire.def"

#define WIRE_MSG(NAME, name, id, doc)  enum { wire_##name##_is_flat = 1
#define WIRE_FIELD(msg, kind, field, doc) \
    && offsetof(struct wire_##msg##_flat, field) == (WIRE_##kind == WIRE_str \
       ? sizeof(struct wire_##msg##_flat) : offsetof(struct wire_##msg, field))
#define WIRE_END(NAME, name)           };
#include "fpmscope/wire.def"

#define WIRE_MSG(NAME, name, id, doc)  enum { wire_##name##_numbers = 0
#define WIRE_FIELD(msg, kind, field, doc)  + (WIRE_##kind != WIRE_str)
#define WIRE_END(NAME, name)           };
#include "fpmscope/wire.def"

#define WIRE_MSG(NAME, name, id, doc)  static const struct wire_field wire_##name##_fields[] = {
#define WIRE_FIELD(msg, kind, field, doc)  {#field, doc, WIRE_##kind, offsetof(struct wire_##msg, field)},
#define WIRE_END(NAME, name)           };
#include "fpmscope/wire.def"

static const struct wire_message wire_messages[] = {
#define WIRE_MSG(NAME, name, id, doc) \
    {#NAME, doc, id, sizeof(struct wire_##name), \
     sizeof wire_##name##_fields / sizeof *wire_##name##_fields, wire_##name##_fields, \
     wire_##name##_is_flat ? sizeof(struct wire_##name##_flat) : 0, \
     wire_##name##_is_flat ? wire_##name##_numbers : 0},
#define WIRE_FIELD(msg, kind, field, doc)
#define WIRE_END(NAME, name)
#include "fpmscope/wire.def"
};
enum { WIRE_MESSAGE_COUNT = sizeof wire_messages / sizeof *wire_messages };

/* WIRE_INDEX_<NAME>: index into wire_messages[]. */
enum {
#define WIRE_MSG(NAME, name, id, doc) WIRE_INDEX_##NAME,
#define WIRE_FIELD(msg, kind, field, doc)
#define WIRE_END(NAME, name)
#include "fpmscope/wire.def"
};

/* Room for any message struct: `union wire_any any; wire_decode(desc, ..., &any)`. */
union wire_any {
#define WIRE_MSG(NAME, name, id, doc) struct wire_##name name;
#define WIRE_FIELD(msg, kind, field, doc)
#define WIRE_END(NAME, name)
#include "fpmscope/wire.def"
};
/* clang-format on */

static inline const struct wire_message *wire_message_by_id(uint16_t id)
{
    for (size_t i = 0; i < WIRE_MESSAGE_COUNT; i++)
        if (wire_messages[i].id == id)
            return &wire_messages[i];
    return NULL;
}

#endif /* FPMSCOPE_WIRE_H */
