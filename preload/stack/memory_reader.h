/*
 * memory_reader.h - read memory of this process that may not be there, without faulting.
 *
 * process_vm_readv() on the own process: an address that is not mapped is an error, not a signal.
 * A call costs about 3 us, so a reader keeps the last window that it fetched: neighbouring reads
 * (PHP frames lie side by side in their VM stack page) are served from it.  The window is a
 * snapshot; a reader lives for one walk, and gives up after MEMORY_READER_FETCHES calls, so that a
 * corrupt list cannot keep it busy.
 *
 * Signal-safe: no allocation, no lock; errno is kept.
 */
#ifndef FPMSCOPE_STACK_MEMORY_READER_H
#define FPMSCOPE_STACK_MEMORY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/marks.h"

enum { MEMORY_READER_WINDOW_BYTES = 4096, MEMORY_READER_FETCHES = 8192 };

struct memory_reader {
    uintptr_t window_address; /* of the first byte of `window` */
    size_t window_len_bytes;  /* 0: nothing fetched yet */
    uint32_t fetches_left;
    uint8_t window[MEMORY_READER_WINDOW_BYTES];
};

/* Must be called before the first read; a reader that was not initialised reads rubbish. */
SIGNAL_SAFE void memory_reader_init(struct memory_reader *reader);

/* Copy `size_bytes` (at most the window) from `address`; false, `ret` untouched, if they cannot be
 * read. */
SIGNAL_SAFE bool memory_reader_read(struct memory_reader *reader, uintptr_t address, void *ret,
                                    size_t size_bytes);

/*
 * Copy up to `cap_bytes` from `address` without a window, page by page, until the first page that
 * cannot be read.  Returns how many bytes were copied.
 */
SIGNAL_SAFE size_t memory_copy_readable(uintptr_t address, void *ret, size_t cap_bytes);

#endif
