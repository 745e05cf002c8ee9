/* native_batch.c - lay files out in a space of the batch's own. */
#include "ingest/native_batch.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_SPACE_SHIFT = 34 };

static const uint64_t file_headroom = (uint64_t) 1 << 30; /* for segments below the code */
static const uint64_t file_offset_max = (uint64_t) 1 << 32;

static uint64_t address_of(size_t file, uint64_t file_offset)
{
    return ((uint64_t) (file + 1) << FILE_SPACE_SHIFT) + file_headroom + file_offset;
}

static bool is_same_file(const struct code_row *a, const struct code_row *b)
{
    return a->inode == b->inode && a->device_major == b->device_major &&
           a->device_minor == b->device_minor && strcmp(a->path, b->path) == 0;
}

static size_t find_file(const struct native_batch *batch, const struct code_row *row)
{
    for (size_t i = 0; i < batch->file_count; i++)
        if (is_same_file(&batch->files[i], row))
            return i;
    return batch->file_count;
}

/* The row of the batch covers all rows of the file that were asked about. */
static void widen(struct code_row *file, size_t index, const struct code_row *row)
{
    const uint64_t start = address_of(index, row->file_offset);
    const uint64_t end = start + (row->end - row->start);

    if (start < file->start) {
        file->start = start;
        file->file_offset = row->file_offset;
    }
    if (end > file->end)
        file->end = end;
}

static bool add_file(struct native_batch *batch, const struct code_row *row)
{
    struct code_row *file = &batch->files[batch->file_count];
    char *path;

    if (batch->file_count == NATIVE_BATCH_FILES_MAX)
        return false;
    path = strdup(row->path);
    if (!path)
        return false;
    *file = *row;
    file->path = path;
    file->start = address_of(batch->file_count, row->file_offset);
    file->end = file->start + (row->end - row->start);
    batch->file_count++;
    return true;
}

bool native_batch_add(struct native_batch *batch, uint64_t key, const struct code_row *row,
                      uint64_t file_offset)
{
    const size_t index = find_file(batch, row);

    if (batch->count == NATIVE_BATCH_MAX || file_offset >= file_offset_max ||
        row->file_offset >= file_offset_max || row->end - row->start >= file_offset_max)
        return false;
    if (index == batch->file_count && !add_file(batch, row))
        return false;
    widen(&batch->files[index], index, row);
    batch->keys[batch->count] = key;
    batch->pcs[batch->count] = address_of(index, file_offset);
    batch->count++;
    return true;
}

struct code_map native_batch_map(struct native_batch *batch)
{
    return (struct code_map){.count = batch->file_count, .rows = batch->files};
}

struct native_batch *native_batch_new(void)
{
    return calloc(1, sizeof(struct native_batch));
}

void native_batch_free(struct native_batch *batch)
{
    if (batch)
        native_batch_clear(batch);
    free(batch);
}

void native_batch_clear(struct native_batch *batch)
{
    for (size_t i = 0; i < batch->file_count; i++)
        free((char *) (uintptr_t) batch->files[i].path);
    batch->count = batch->file_count = 0;
}
