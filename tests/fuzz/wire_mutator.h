/*
 * wire_mutator.h - packets made for a fuzzer from wire.def: whole messages whose fields have the
 * right kinds and unlikely values.
 *
 * Blind mutation hardly ever gets past a message's length; this one begins behind it.  A new
 * message or field in wire.def is fuzzed without a change here.
 */
#ifndef FPMSCOPE_TESTS_FUZZ_WIRE_MUTATOR_H
#define FPMSCOPE_TESTS_FUZZ_WIRE_MUTATOR_H

#include <stdint.h>
#include <stdlib.h>

#include "fpmscope/wire_codec.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size_bytes, size_t max_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size_bytes, size_t max_bytes, unsigned seed);

static inline unsigned wire_random(unsigned *seed, unsigned below)
{
    return (unsigned) rand_r(seed) % below;
}

/* Mostly small, so that sequence numbers, ids and stacks of several messages meet. */
static inline uint64_t wire_random_number(unsigned *seed)
{
    static const uint64_t edges[] = {
        0,         UINT8_MAX, UINT16_MAX,     UINT32_MAX,       UINT64_MAX,
        INT64_MAX, 1u << 31,  (1ull << 53),   (1ull << 63),     1795335264000000,
        4096,      1u << 20,  18446744073710, 1795335264405824,
    };

    switch (wire_random(seed, 4)) {
    case 0:
        return edges[wire_random(seed, sizeof edges / sizeof *edges)];
    case 1:
        return (uint64_t) rand_r(seed) << 33 ^ (uint64_t) rand_r(seed);
    default:
        return wire_random(seed, 12);
    }
}

static inline wire_str wire_random_text(unsigned *seed)
{
    static char noise[600];
    static const char *const texts[] = {
        "",
        "GET",
        "/catalog/?q=blue&p=2",
        "/a;jsessionid=9/b",
        "http://u:p@host/",
        "/\x1b]0;x\x07\xc2\x9b\xe2\x80\xae",
        "save\tDOMDocument\t\nrun\tA\\B\t/a.php:7",
        "f\t\t\n\t\t/index.php:1\n{12 frames cut}",
        "8.2.36",
        "\xff\xfe\t\n\t",
    };
    const unsigned which = wire_random(seed, sizeof texts / sizeof *texts + 1);

    if (which < sizeof texts / sizeof *texts)
        return (wire_str){.ptr = texts[which], .len_bytes = (uint16_t) strlen(texts[which])};
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char) rand_r(seed);
    return (wire_str){.ptr = noise, .len_bytes = (uint16_t) wire_random(seed, sizeof noise)};
}

/* One message of a random kind at `at`; its length, 0 when it does not fit. */
static inline size_t wire_random_message(uint8_t *at, size_t max_bytes, unsigned *seed)
{
    const struct wire_message *desc = &wire_messages[wire_random(seed, WIRE_MESSAGE_COUNT)];
    union wire_any message;

    memset(&message, 0, sizeof message);
    for (const struct wire_field *f = desc->fields; f < desc->fields + desc->field_count; f++) {
        char *value = (char *) &message + f->offset_bytes;

        if (f->kind == WIRE_str) {
            const wire_str text = wire_random_text(seed);
            memcpy(value, &text, sizeof text);
        } else {
            const uint64_t number = wire_random_number(seed);
            memcpy(value, &number, wire_kind_bytes(f->kind));
        }
    }
    return wire_encode(desc, &message, at, max_bytes);
}

/* A packet of up to five messages at `at`; its length. */
static inline size_t wire_random_packet(uint8_t *at, size_t max_bytes, unsigned *seed)
{
    size_t used = 0;

    for (unsigned left = 1 + wire_random(seed, 5); left > 0; left--)
        used += wire_random_message(at + used, max_bytes - used, seed);
    return used;
}

#endif
