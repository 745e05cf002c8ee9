/*
 * wire_codec.h - turn a message struct into bytes and back, driven by wire_messages[].
 *
 * A message is  u16 id | u16 total length | fields in table order, little-endian, no padding.
 * A str is  u16 length | bytes, not NUL-terminated.  A packet is one message after the other.
 *
 * Signal-safe: no allocation, no locks, memcpy is the only libc call.
 */
#ifndef FPMSCOPE_WIRE_CODEC_H
#define FPMSCOPE_WIRE_CODEC_H

#include <stdbool.h>
#include <string.h>

#include "fpmscope/short_copy.h"
#include "fpmscope/wire.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "add byte swaps to wire_put and wire_get before porting to a big-endian machine"
#endif

/* A real function, so that gcc does not specialise the walk for one constant message. */
#define WIRE_OUT_OF_LINE __attribute__((noinline, unused)) static

static inline size_t wire_kind_bytes(enum wire_kind kind)
{
    static const uint8_t bytes[] = {
        [WIRE_u8] = 1, [WIRE_u16] = 2, [WIRE_u32] = 4, [WIRE_u64] = 8, [WIRE_i64] = 8};

    return kind == WIRE_str ? sizeof(uint16_t) : bytes[kind];
}

static inline bool wire_get(const uint8_t *buf, size_t len, size_t *pos, void *dst, size_t n)
{
    if (n > len - *pos)
        return false;
    memcpy(dst, buf + *pos, n);
    *pos += n;
    return true;
}

/* Append one field at `at`; the end of it, or NULL when it does not fit before `end`. */
static inline uint8_t *wire_put_field(uint8_t *at, const uint8_t *end, enum wire_kind kind,
                                      const void *value)
{
    const wire_str *str = value;
    size_t bytes = wire_kind_bytes(kind), left = (size_t) (end - at);

    if (kind != WIRE_str) {
        if (bytes > left)
            return NULL;
        memcpy(at, value, bytes);
        return at + bytes;
    }
    if (bytes + str->len_bytes > left)
        return NULL;
    memcpy(at, &str->len_bytes, sizeof str->len_bytes);
    short_copy((char *) at + bytes, str->ptr, str->len_bytes);
    return at + bytes + str->len_bytes;
}

/* Returns the message's length in bytes, or 0 if it does not fit in `cap`. */
WIRE_OUT_OF_LINE size_t wire_encode(const struct wire_message *desc, const void *msg, uint8_t *buf,
                                    size_t cap)
{
    const struct wire_field *last = desc->fields + desc->field_count;
    uint8_t *at = buf + WIRE_HEADER_BYTES;
    uint16_t total;

    if (WIRE_HEADER_BYTES + desc->flat_bytes > cap)
        return 0;
    memcpy(at, msg, desc->flat_bytes);
    at += desc->flat_bytes;
    for (const struct wire_field *f = desc->fields + desc->flat_fields; f < last; f++) {
        at = wire_put_field(at, buf + cap, f->kind, (const char *) msg + f->offset_bytes);
        if (!at)
            return 0;
    }
    if (at - buf > UINT16_MAX)
        return 0;
    total = (uint16_t) (at - buf);
    memcpy(buf, &desc->id, sizeof desc->id);
    memcpy(buf + sizeof desc->id, &total, sizeof total);
    return total;
}

/*
 * Find the next message of a packet at *pos.  True: *ret_desc is its description (NULL for an id
 * that this version does not know: skip it), *ret_msg and *ret_len its bytes, *pos moves behind it.
 * False: the end of the packet, or (when *pos < len) bytes that are no message.
 */
static inline bool wire_next(const uint8_t *packet, size_t len, size_t *pos,
                             const struct wire_message **ret_desc, const uint8_t **ret_msg,
                             size_t *ret_len)
{
    uint16_t id, total;
    size_t at = *pos;

    if (at >= len || !wire_get(packet, len, &at, &id, sizeof id) ||
        !wire_get(packet, len, &at, &total, sizeof total))
        return false;
    if (total < WIRE_HEADER_BYTES || total > len - *pos)
        return false;
    *ret_desc = wire_message_by_id(id);
    *ret_msg = packet + *pos;
    *ret_len = total;
    *pos += total;
    return true;
}

/*
 * Decode one message of exactly `len` bytes.  *ret is unspecified on failure.  Strings point into
 * `buf`.  Bytes after the last known field are ignored, so an old collector reads what a newer
 * shim sends.
 */
WIRE_OUT_OF_LINE bool wire_decode(const struct wire_message *desc, const uint8_t *buf, size_t len,
                                  void *ret)
{
    size_t pos = 0;
    uint16_t id, total;

    if (!wire_get(buf, len, &pos, &id, sizeof id) || id != desc->id)
        return false;
    if (!wire_get(buf, len, &pos, &total, sizeof total) || total != len)
        return false;
    memset(ret, 0, desc->struct_bytes);
    for (const struct wire_field *f = desc->fields; f < desc->fields + desc->field_count; f++) {
        void *value = (char *) ret + f->offset_bytes;

        if (f->kind == WIRE_str) {
            wire_str *str = value;

            if (!wire_get(buf, len, &pos, &str->len_bytes, sizeof str->len_bytes) ||
                str->len_bytes > len - pos)
                return false;
            str->ptr = (const char *) buf + pos;
            pos += str->len_bytes;
        } else if (!wire_get(buf, len, &pos, value, wire_kind_bytes(f->kind))) {
            return false;
        }
    }
    return true;
}

#endif /* FPMSCOPE_WIRE_CODEC_H */
