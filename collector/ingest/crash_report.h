/*
 * crash_report.h - from a dead worker's recorder page to what can be told of its crash.
 *
 *     r = crash_report_begin(page, page_bytes, map, &report);       page: a private copy (pread)
 *     ... poll crash_report_fd(report) for reading, until crash_report_read(report) returns 0
 *     crash_report_free(report);
 *
 * Everything but the native stack is there after begin.  The native stack is unwound from the
 * copied registers and stack by a short-lived unprivileged child (reader_child.h), so that no ELF
 * file is parsed by the collector itself; when the child fails, `native` holds the faulting place
 * alone.  The page is hostile: every length in it is checked, nothing of it is kept but copies.
 *
 * No event loop in here: the descriptor can be polled by any.
 */
#ifndef FPMSCOPE_INGEST_CRASH_REPORT_H
#define FPMSCOPE_INGEST_CRASH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "fpmscope/recorder.h"
#include "ingest/code_map.h"

/* A PHP stack has two lines more than frames: where frames were cut. */
enum { CRASH_REPORT_PHP_MAX = LIMIT_PHP_FRAMES + 2, CRASH_REPORT_NATIVE_MAX = LIMIT_NATIVE_FRAMES };

struct crash_report {
    uint32_t signo;
    int64_t code;
    uint64_t address, ip, sp;
    int64_t time_us;
    uint64_t seq;
    uint32_t sender;
    bool in_request, response_sent;
    bool complete;       /* the worker finished its report; else stacks may be missing */
    bool stack_overflow; /* endless recursion: see crash_report.c for the rule */
    size_t php_count, native_count;
    struct slice php[CRASH_REPORT_PHP_MAX];       /* lines as in wire STACK, innermost first */
    struct slice native[CRASH_REPORT_NATIVE_MAX]; /* "memset (libc.so.6)", "ffi.so+0x77a1", ... */
    struct slice faulting;                        /* "libc.so.6+0x167ad8"; empty when not known */
    struct slice shared_object; /* the library to name to people: the innermost one that is no
                             carrier (native_carriers.def); empty when there is none */
};

/*
 * `map`: the worker's code map from when it lived, used when the page has none (chroot); may be
 * NULL; borrowed during the call only.  0; -ENODATA: the page tells of no crash; -EBADMSG: it is no
 * page of ours, or broken; -ENOMEM.
 */
int crash_report_begin(const struct recorder_page *page, size_t page_bytes,
                       const struct code_map *map, struct crash_report **ret_report);

/* Readable while the child works; -1 when there is nothing to wait for. */
int crash_report_fd(const struct crash_report *report);

/* Read what is there without blocking.  1: more to come; 0: the report is final. */
int crash_report_read(struct crash_report *report);

/* begin and wait, at most READER_CHILD_DEADLINE_S seconds. */
int crash_report_make(const struct recorder_page *page, size_t page_bytes,
                      const struct code_map *map, struct crash_report **ret_report);

/* Ends a child that still works; NULL is allowed. */
void crash_report_free(struct crash_report *report);

#endif
