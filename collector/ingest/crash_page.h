/*
 * crash_page.h - the crash area of a recorder page, checked.
 *
 * The page was written by a worker that was dying, or by an attacker who was not.  Every length
 * and every enumeration is compared with its array before anything is looked at.
 */
#ifndef FPMSCOPE_INGEST_CRASH_PAGE_H
#define FPMSCOPE_INGEST_CRASH_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "fpmscope/recorder.h"

/* Slices point into the page. */
struct crash_page {
    const struct recorder_crash *crash;
    bool complete;
    uint32_t register_count;
    struct slice php, maps;
    const uint8_t *stack;
    size_t stack_len_bytes;
};

/* 0; -ENODATA: a sound page without a crash; -EBADMSG: not a page, or lengths that lie. */
int crash_page_check(const struct recorder_page *page, size_t page_bytes,
                     struct crash_page *ret_crash);

/*
 * Did the stack run out?  The fault address lies within 64 KB of the stack pointer, where memory
 * is mapped unless the stack may grow no more, and there is a full 64 KB of stack above: a wild
 * stack pointer has no such stack.  (The instruction may be in php-fpm or in any library that the
 * recursion passes through.)
 */
bool crash_page_is_stack_overflow(const struct crash_page *crash);

#endif
