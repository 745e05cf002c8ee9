/* row_queue.c - pack rows into a block of memory and walk them. */
#include "store/row_queue.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY_BYTES = 64 << 10 };

struct row_head {
    uint32_t total_bytes; /* with this head */
    uint32_t table;
    int64_t time_us;
    uint64_t mask;
};

void row_queue_init(struct row_queue *queue, size_t limit_bytes)
{
    *queue = (struct row_queue){.limit_bytes = limit_bytes};
}

void row_queue_release(struct row_queue *queue)
{
    free(queue->bytes);
    *queue = (struct row_queue){0};
}

void row_queue_clear(struct row_queue *queue)
{
    queue->head = queue->tail = queue->rows = 0;
}

static bool is_text(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_LIST;
}

static size_t list_bytes(const struct event_list *list)
{
    size_t bytes = 0;

    for (size_t i = 0; list && i < list->count; i++)
        bytes += list->items[i].len_bytes + 1;
    return bytes;
}

static size_t value_bytes(const struct column *column, const void *source)
{
    const void *field = (const char *) source + column->offset_bytes;

    if (column->type == COLUMN_TEXT)
        return sizeof(uint32_t) + ((const struct slice *) field)->len_bytes;
    if (column->type == COLUMN_LIST)
        return sizeof(uint32_t) + list_bytes(*(const event_LIST *) field);
    return sizeof(int64_t);
}

static int64_t number_of(const struct column *column, const void *field)
{
    switch (column->type) {
    case COLUMN_BOOL:
        return *(const bool *) field;
    case COLUMN_INT:
        return *(const int *) field;
    case COLUMN_ADDRESS:
        return (int64_t) * (const uint64_t *) field;
    default:
        return *(const int64_t *) field;
    }
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(at, bytes, n);
    return at + n;
}

/* A frame holds no line break of its own: it would read back as two frames. */
static uint8_t *put_line(uint8_t *at, struct slice item)
{
    uint8_t *end = put(at, item.ptr, item.len_bytes);

    for (uint8_t *p = at; p < end; p++)
        if (*p == '\n')
            *p = ' ';
    *end = '\n';
    return end + 1;
}

static uint8_t *put_value(uint8_t *at, const struct column *column, const void *source)
{
    const void *field = (const char *) source + column->offset_bytes;

    if (is_text(column->type)) {
        uint32_t length = (uint32_t) (value_bytes(column, source) - sizeof length);

        at = put(at, &length, sizeof length);
        if (column->type == COLUMN_TEXT)
            return put(at, ((const struct slice *) field)->ptr, length);
        const struct event_list *list = *(const event_LIST *) field;
        for (size_t i = 0; list && i < list->count; i++)
            at = put_line(at, list->items[i]);
        return at;
    }
    int64_t number = number_of(column, field);
    return put(at, &number, sizeof number);
}

static size_t row_bytes(unsigned table, uint64_t mask, const void *source)
{
    size_t total = sizeof(struct row_head);

    for (uint64_t left = mask; left; left &= left - 1)
        total += value_bytes(&store_tables[table].columns[__builtin_ctzll(left)], source);
    return total;
}

static void drop_oldest(struct row_queue *queue)
{
    struct row_head head;

    memcpy(&head, queue->bytes + queue->head, sizeof head);
    queue->head += head.total_bytes;
    queue->rows--;
    queue->dropped_rows++;
}

static int grow(struct row_queue *queue, size_t need_bytes)
{
    size_t capacity = queue->capacity_bytes ? queue->capacity_bytes : FIRST_CAPACITY_BYTES;

    while (capacity < need_bytes)
        capacity *= 2;
    if (capacity > queue->limit_bytes)
        capacity = queue->limit_bytes;
    if (capacity == queue->capacity_bytes)
        return 0;
    uint8_t *bytes = realloc(queue->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    queue->bytes = bytes;
    queue->capacity_bytes = capacity;
    return 0;
}

/* Room for `need` bytes at the tail; 1 when rows had to go for it. */
static int make_room(struct row_queue *queue, size_t need)
{
    size_t used = queue->tail - queue->head;
    int r = 0;

    if (need > queue->limit_bytes)
        return -EMSGSIZE;
    if (used + need > queue->limit_bytes) {
        /* An eighth at a time, so that an overflowing queue does not move on every push. */
        while (queue->rows > 0 && used + need > queue->limit_bytes - queue->limit_bytes / 8) {
            drop_oldest(queue);
            used = queue->tail - queue->head;
        }
        r = 1;
    }
    if (queue->head > 0 && queue->tail + need > queue->capacity_bytes) {
        memmove(queue->bytes, queue->bytes + queue->head, used);
        queue->head = 0;
        queue->tail = used;
    }
    if (queue->tail + need > queue->capacity_bytes) {
        int grown = grow(queue, queue->tail + need);

        if (grown < 0)
            return grown;
    }
    return r;
}

int row_queue_push(struct row_queue *queue, unsigned table, int64_t time_us, uint64_t mask,
                   const void *source)
{
    size_t total = row_bytes(table, mask, source);
    int r = make_room(queue, total);

    if (r < 0)
        return r;
    const struct row_head head = {
        .total_bytes = (uint32_t) total, .table = table, .time_us = time_us, .mask = mask};
    uint8_t *at = put(queue->bytes + queue->tail, &head, sizeof head);
    for (uint64_t left = mask; left; left &= left - 1)
        at = put_value(at, &store_tables[table].columns[__builtin_ctzll(left)], source);
    queue->tail += total;
    queue->rows++;
    return r > 0 ? -ENOBUFS : 0;
}

bool row_queue_next(const struct row_queue *queue, size_t *pos, struct queued_row *ret_row)
{
    size_t at = queue->head + *pos;
    struct row_head head;

    if (at >= queue->tail)
        return false;
    memcpy(&head, queue->bytes + at, sizeof head);
    *ret_row = (struct queued_row){
        .table = head.table,
        .time_us = head.time_us,
        .mask = head.mask,
        .values = queue->bytes + at + sizeof head,
        .end = queue->bytes + at + head.total_bytes,
    };
    *pos += head.total_bytes;
    return true;
}

int64_t queued_number(struct queued_row *row)
{
    int64_t number;

    memcpy(&number, row->values, sizeof number);
    row->values += sizeof number;
    return number;
}

struct slice queued_text(struct queued_row *row)
{
    uint32_t length;

    memcpy(&length, row->values, sizeof length);
    row->values += sizeof length;
    const struct slice text = {.ptr = (const char *) row->values, .len_bytes = length};
    row->values += length;
    return text;
}
