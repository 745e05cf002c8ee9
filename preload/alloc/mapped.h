/*
 * mapped.h - bytes that the process holds through mmap(), mremap() and munmap().
 *
 * glibc's malloc maps behind these functions' backs, so nothing is counted twice; what remains is
 * the Zend heap's chunks and huge blocks, and other allocators of their own.
 *
 * Shared mappings are not counted, so their end must not be either: opcache maps 128 MB, unmaps
 * them and tries again for a better address.  The large ones are remembered until they go.
 */
#ifndef FPMSCOPE_ALLOC_MAPPED_H
#define FPMSCOPE_ALLOC_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAPPED_SHARED_MAX = 16, MAPPED_SHARED_MIN_BYTES = 256 * 1024 };

/* A shared mapping was made; smaller ones, and those beyond the ceiling, are forgotten at once. */
void mapped_note_shared(const void *address, size_t len_bytes);

/* True: what is being unmapped is exactly a remembered one, which was never counted. */
bool mapped_forget_shared(const void *address, size_t len_bytes);

/* Any thread. */
void mapped_add(size_t len_bytes);
void mapped_remove(size_t len_bytes);

/* Never negative: what was mapped before the shim was there may be unmapped by it. */
uint64_t mapped_bytes(void);

#endif
