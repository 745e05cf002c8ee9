/*
 * heap_process.h - heap_walk() over a living process: its /proc files pagemap and mem.
 *
 * Needs what a debugger needs (root with CAP_SYS_PTRACE, or the same user); 8 bytes of each chunk
 * are looked at, nothing is kept.  Pages that are not resident are never touched, which would
 * change what is measured.  About 15 ms for 64 MiB of small blocks.
 */
#ifndef FPMSCOPE_INGEST_HEAP_PROCESS_H
#define FPMSCOPE_INGEST_HEAP_PROCESS_H

#include "ingest/heap_walk.h"

enum { HEAP_PROCESS_MAX_BYTES = 256 << 20 }; /* beyond this the numbers are lower bounds */

/* 0; -ENOENT when it has no heap, -ESRCH when it is gone, -EACCES when it may not be read. */
int heap_process_measure(pid_t pid, struct heap_found *ret_found);

/* The range of the heap in the text of a /proc/PID/maps, rows that touch put together; false: there
 * is none. */
bool heap_process_find(const char *maps, uint64_t *ret_begin, uint64_t *ret_end);

#endif
