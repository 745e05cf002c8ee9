/*
 * code_map.h - which file's code lies where in a process: the executable rows of /proc/PID/maps.
 *
 * Read by the collector from /proc for a living worker, or found in the recorder page of a dead
 * one; the second is the dead worker's own claim, so every row is checked on the way in.
 */
#ifndef FPMSCOPE_INGEST_CODE_MAP_H
#define FPMSCOPE_INGEST_CODE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

enum { CODE_MAP_ROWS_MAX = 4096, CODE_MAP_TEXT_MAX_BYTES = 4 << 20 };

struct code_row {
    uint64_t start, end; /* addresses, end exclusive */
    uint64_t file_offset;
    uint64_t inode;
    uint32_t device_major, device_minor;
    bool deleted;     /* the file has been unlinked or replaced since */
    const char *path; /* NUL-terminated; "" for anonymous memory; "[vdso]" and the like */
};

struct code_map {
    size_t count;   /* rows, in the order of their addresses, not overlapping */
    size_t skipped; /* rows that made no sense or were too many */
    struct code_row *rows;
    char *paths; /* owned: what the rows point into */
};

/* Parse rows as /proc prints them; rows that are not executable are left out in silence.
 * 0 or -ENOMEM. */
int code_map_parse(struct slice text, struct code_map **ret_map);

/* Read /proc/PID/maps.  0, or a negative errno when the process is gone or not ours to read. */
int code_map_read(pid_t pid, struct code_map **ret_map);

/* The process has another root than we: it cannot read its own map, for there is no /proc in there.
 * False also when it is gone. */
bool code_map_is_out_of_its_reach(pid_t pid);

void code_map_free(struct code_map *map);

/* The row that `address` lies in, or NULL. */
const struct code_row *code_map_find(const struct code_map *map, uint64_t address);

/* The last part of the row's path: "libxml2.so.2"; "[anon]" for memory without a file (a JIT). */
struct slice code_row_library(const struct code_row *row);

#endif
