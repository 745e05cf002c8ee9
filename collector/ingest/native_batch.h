/*
 * native_batch.h - return addresses of many processes, gathered until a child names them all.
 *
 * Processes have the same files at different addresses.  A batch lays every file out once, in an
 * address space of its own: file number i at (i + 1) << 34, its bytes in the order of the file.
 */
#ifndef FPMSCOPE_INGEST_NATIVE_BATCH_H
#define FPMSCOPE_INGEST_NATIVE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/code_map.h"

enum { NATIVE_BATCH_MAX = 1024, NATIVE_BATCH_FILES_MAX = 512 };

struct native_batch {
    size_t count, file_count;
    uint64_t keys[NATIVE_BATCH_MAX];               /* the caller's name for each place */
    uint64_t pcs[NATIVE_BATCH_MAX];                /* in the batch's address space */
    struct code_row files[NATIVE_BATCH_FILES_MAX]; /* as rows of that space; paths are owned */
};

/* The place `file_offset` of the row's file.  False: no room, or out of any file's range. */
bool native_batch_add(struct native_batch *batch, uint64_t key, const struct code_row *row,
                      uint64_t file_offset);

/* A map of the batch's space that borrows `files`. */
struct code_map native_batch_map(struct native_batch *batch);

/* Empty; NULL when there is no memory. */
struct native_batch *native_batch_new(void);
void native_batch_free(struct native_batch *batch); /* NULL is fine */

void native_batch_clear(struct native_batch *batch);

#endif
