/*
 * unwind_bytes.h - read DWARF's numbers from bytes that may lie.
 *
 * A reader never leaves [at, end): what is not there reads as 0 and leaves the reader `bad`, so
 * that a caller asks once, at the end.
 */
#ifndef FPMSCOPE_STACK_UNWIND_BYTES_H
#define FPMSCOPE_STACK_UNWIND_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct unwind_bytes {
    const uint8_t *at, *end;
    bool bad;
};

/* DW_EH_PE_...: the low half says how wide, the high one what it is relative to. */
enum {
    UNWIND_POINTER_OMITTED = 0xff,
    UNWIND_POINTER_FORMAT = 0x0f,
    UNWIND_POINTER_SDATA4 = 0x0b,
    UNWIND_POINTER_UDATA4 = 0x03,
    UNWIND_POINTER_BASE = 0x70,
    UNWIND_POINTER_PCREL = 0x10,
};

static inline uint64_t unwind_take_fixed(struct unwind_bytes *bytes, size_t size_bytes)
{
    uint64_t value = 0;

    if ((size_t) (bytes->end - bytes->at) < size_bytes) {
        bytes->at = bytes->end;
        bytes->bad = true;
        return 0;
    }
    memcpy(&value, bytes->at, size_bytes); /* little-endian, as are the machines that we know */
    bytes->at += size_bytes;
    return value;
}

/* The 7 bits a byte of LEB128; `ret_bits` is how many there were, `ret_last` the last byte. */
static inline uint64_t unwind_take_septets(struct unwind_bytes *bytes, unsigned *ret_bits,
                                           uint8_t *ret_last)
{
    uint64_t value = 0;

    *ret_bits = 0;
    do {
        *ret_last = (uint8_t) unwind_take_fixed(bytes, 1);
        if (*ret_bits < 64)
            value |= (uint64_t) (*ret_last & 0x7f) << *ret_bits;
        *ret_bits += 7;
    } while (*ret_last & 0x80);
    return value;
}

static inline uint64_t unwind_take_unsigned(struct unwind_bytes *bytes)
{
    unsigned bits;
    uint8_t last;

    return unwind_take_septets(bytes, &bits, &last);
}

static inline int64_t unwind_take_signed(struct unwind_bytes *bytes)
{
    unsigned bits;
    uint8_t last;
    uint64_t value = unwind_take_septets(bytes, &bits, &last);

    if (bits < 64 && last & 0x40)
        value |= ~UINT64_C(0) << bits;
    return (int64_t) value;
}

/* The next `len_bytes` as a reader of their own. */
static inline struct unwind_bytes unwind_take_block(struct unwind_bytes *bytes, uint64_t len_bytes)
{
    struct unwind_bytes block = {.at = bytes->at, .end = bytes->at};

    if ((uint64_t) (bytes->end - bytes->at) < len_bytes) {
        bytes->at = bytes->end;
        bytes->bad = block.bad = true;
        return block;
    }
    block.end += len_bytes;
    bytes->at += len_bytes;
    return block;
}

/* A number as wide as DW_EH_PE_`format` says. */
static inline uint64_t unwind_take_format(struct unwind_bytes *bytes, unsigned format)
{
    switch (format & UNWIND_POINTER_FORMAT) {
    case 0x00: /* an address */
    case 0x04:
    case 0x0c:
        return unwind_take_fixed(bytes, 8);
    case 0x01:
        return unwind_take_unsigned(bytes);
    case 0x09:
        return (uint64_t) unwind_take_signed(bytes);
    case 0x02:
        return unwind_take_fixed(bytes, 2);
    case 0x0a:
        return (uint64_t) (int16_t) unwind_take_fixed(bytes, 2);
    case UNWIND_POINTER_UDATA4:
        return unwind_take_fixed(bytes, 4);
    case UNWIND_POINTER_SDATA4:
        return (uint64_t) (int32_t) unwind_take_fixed(bytes, 4);
    default:
        bytes->bad = true;
        return 0;
    }
}

/* An address, absolute or relative to its own place: all that compilers write for code. */
static inline uintptr_t unwind_take_pointer(struct unwind_bytes *bytes, unsigned encoding)
{
    const uintptr_t here = (uintptr_t) bytes->at;
    const uint64_t value = unwind_take_format(bytes, encoding);

    if ((encoding & ~(unsigned) UNWIND_POINTER_FORMAT) == UNWIND_POINTER_PCREL)
        return here + value;
    if (encoding & ~(unsigned) UNWIND_POINTER_FORMAT)
        bytes->bad = true;
    return value;
}

#endif
