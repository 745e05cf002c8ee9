/*
 * mapped.h - bytes that the process holds through mmap(), mremap() and munmap().
 *
 * glibc's malloc maps behind these functions' backs, so nothing is counted twice; what remains is
 * the Zend heap's chunks and huge blocks, and other allocators of their own.
 */
#ifndef FPMSCOPE_ALLOC_MAPPED_H
#define FPMSCOPE_ALLOC_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/* Any thread. */
void mapped_add(size_t len_bytes);
void mapped_remove(size_t len_bytes);

/* Never negative: what was mapped before the shim was there may be unmapped by it. */
uint64_t mapped_bytes(void);

#endif
