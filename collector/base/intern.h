/*
 * intern.h - every text once: a table that gives equal texts the same small number.
 *
 * Rows of a log repeat their hosts, agents and URIs; kept as 4-byte numbers they compare in one
 * instruction.  Number 0 is the empty text.  Not thread-safe.
 */
#ifndef FPMSCOPE_BASE_INTERN_H
#define FPMSCOPE_BASE_INTERN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/idmap.h"

typedef uint32_t text_id; /* 0: empty, or there was no room to keep it */

struct intern {
    struct arena arena;
    struct idmap index; /* hash -> number */
    struct slice *texts;
    uint32_t count, capacity;
    uint64_t refused; /* texts that found no room */
};

/* An empty table that keeps at most `limit_bytes` of text. */
void intern_init(struct intern *intern, size_t limit_bytes);
void intern_release(struct intern *intern);

/* The number of `text`, kept from now on; 0 when it is empty or there is no room. */
text_id intern_put(struct intern *intern, struct slice text);

/* The text of a number, NUL-terminated, valid as long as the table. */
static inline struct slice intern_text(const struct intern *intern, text_id id)
{
    return id < intern->count ? intern->texts[id] : SLICE("");
}

/* The hash that the table uses, for callers with keys of their own. */
uint64_t intern_hash(struct slice text);

#endif
