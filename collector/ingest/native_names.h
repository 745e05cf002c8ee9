/*
 * native_names.h - names for the program counters of sampled stacks, cached, resolved in batches.
 *
 *     if (!native_names_text(names, map, pc, buf, sizeof buf))
 *         ... buf holds "libxml2.so.2+0x3e1f0" for now; the place has been queued
 *     native_names_start(names);               forks one child for all that is queued
 *     ... poll native_names_fd(names) for reading, until native_names_read(names) returns 0
 *     native_names_text(...) again             now from the cache
 *
 * The child opens ELF files of root only, without privileges and for two seconds at most; what it
 * could not name stays library + offset, and is not asked again.  The cache's key is (device,
 * inode, file offset): what a build-id says, without opening the file.
 *
 * No event loop in here.  Not thread-safe.
 */
#ifndef FPMSCOPE_INGEST_NATIVE_NAMES_H
#define FPMSCOPE_INGEST_NATIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/code_map.h"

enum { NATIVE_NAME_BYTES = 256, NATIVE_NAMES_CACHED_MAX = 1 << 16 };

struct native_names;

int native_names_new(struct native_names **ret_names);
void native_names_free(struct native_names *names);

/*
 * The text of `pc` in a process with `map`: "symbol (library)" or "library+0xoffset" or "0xpc".
 * `pc` is a return address, as all of a STACK message are: the call before it is named.  True:
 * final; false: the best that is known now.  `size_bytes` at least NATIVE_NAME_BYTES.
 */
bool native_names_text(struct native_names *names, const struct code_map *map, uint64_t pc,
                       char *ret_text, size_t size_bytes);

/* Fork the child for the queue.  1: one is at work, poll native_names_fd(); 0: nothing to do;
 * negative errno: could not be started, the queue stays. */
int native_names_start(struct native_names *names);
int native_names_fd(const struct native_names *names);

/* Read what is there.  1: more to come; 0: the batch is done, the descriptor need not be watched
 * any more. */
int native_names_read(struct native_names *names);

#endif
