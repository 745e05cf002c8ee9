/*
 * row_queue.h - rows that wait to be written: copies in one block of memory with a ceiling.
 *
 * A row is what tables.h says about a struct, packed.  When the ceiling is reached the oldest rows
 * give way: what is new explains the outage that filled the queue.
 */
#ifndef FPMSCOPE_STORE_ROW_QUEUE_H
#define FPMSCOPE_STORE_ROW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/tables.h"

struct row_queue {
    uint8_t *bytes;
    size_t capacity_bytes, limit_bytes;
    size_t head, tail; /* rows are in [head, tail) */
    size_t rows;
    uint64_t dropped_rows;
};

/* One row while it is read back; values follow in the order of the mask's bits. */
struct queued_row {
    unsigned table;
    int64_t time_us;
    uint64_t mask;
    const uint8_t *values, *end;
};

void row_queue_init(struct row_queue *queue, size_t limit_bytes);
void row_queue_release(struct row_queue *queue);

/*
 * Copy the columns of `mask` out of `source` into a row.  0; -ENOBUFS when older rows had to go;
 * -EMSGSIZE when the row alone is above the ceiling; -ENOMEM.
 */
int row_queue_push(struct row_queue *queue, unsigned table, int64_t time_us, uint64_t mask,
                   const void *source);

/* Walk: start with *pos = 0; false at the end. */
bool row_queue_next(const struct row_queue *queue, size_t *pos, struct queued_row *ret_row);

/* The next value of a row, numbers as they were, lists as lines. */
int64_t queued_number(struct queued_row *row);
struct slice queued_text(struct queued_row *row);

void row_queue_clear(struct row_queue *queue);

#endif
