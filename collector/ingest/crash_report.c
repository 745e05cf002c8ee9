/*
 * crash_report.c - put the report together: what the page says at once, what the child finds later.
 */
#include "ingest/crash_report.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text_out.h"
#include "ingest/crash_page.h"
#include "ingest/native_carriers.h"
#include "ingest/native_frame.h"
#include "ingest/native_namer.h"
#include "ingest/native_names.h"
#include "ingest/reader_child.h"

enum { REPORT_MAX_BYTES = 256 * 1024 };

struct report {
    struct crash_report public; /* first: the caller's pointer is ours */
    struct arena arena;
    struct reader_child child;
};

static struct report *report_of(const struct crash_report *report)
{
    return (struct report *) (uintptr_t) report;
}

/* A copy in which a line is a line: no control characters but the TABs between fields. */
static struct slice keep_line(struct arena *arena, struct slice line)
{
    struct slice kept = arena_copy(arena, slice_head(line, LIMIT_FRAME_BYTES));
    char *text = (char *) (uintptr_t) kept.ptr;

    for (size_t i = 0; i < kept.len_bytes; i++)
        if (((unsigned char) text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            text[i] = '?';
    return kept;
}

static bool take_line(struct slice *text, struct slice *ret_line)
{
    const ptrdiff_t end = slice_index(*text, '\n');

    if (end < 0) /* the rest has no end: whoever wrote it did not finish */
        return false;
    *ret_line = slice_head(*text, (size_t) end);
    *text = slice_skip(*text, (size_t) end + 1);
    return true;
}

static void keep_php(struct report *report, struct slice text)
{
    struct crash_report *public = &report->public;
    struct slice line;

    while (public->php_count < CRASH_REPORT_PHP_MAX && take_line(&text, &line))
        if (line.len_bytes > 0)
    public->php[public->php_count++] = keep_line(&report->arena, line);
}

static void keep_frame(struct report *report, const struct native_frame *frame)
{
    struct crash_report *public = &report->public;
    char buffer[NATIVE_NAME_BYTES * 4];
    struct text_out out = text_out_into(buffer, sizeof buffer);

    native_frame_text(frame, &out);
    public->native[public->native_count++] = arena_copy(&report->arena, text_out_slice(&out));
    if (public->native_count == 1) {
        out = text_out_into(buffer, sizeof buffer);
        native_frame_place(frame, &out);
        public->faulting = arena_copy(&report->arena, text_out_slice(&out));
    }
    if (public->shared_object.len_bytes == 0 && !native_is_carrier(frame->shared_object)) {
        out = text_out_into(buffer, sizeof buffer);
        text_out_printable(&out, frame->shared_object);
        public->shared_object = arena_copy(&report->arena, text_out_slice(&out));
    }
}

static void keep_answer(struct report *report, struct slice text)
{
    struct native_frame frame;
    struct slice line;

    while (report->public.native_count < CRASH_REPORT_NATIVE_MAX && take_line(&text, &line)) {
        if (!native_frame_parse(line, &frame))
            break;
        if (report->public.native_count == 0) {
            report->public.shared_object = (struct slice){0}; /* better than the guess */
        }
        keep_frame(report, &frame);
    }
}

/* Before the child has answered, and when it never does: the faulting place by the map alone. */
static void keep_guess(struct report *report, const struct code_map *map)
{
    const struct native_frame guess = native_frame_guess(map, report->public.ip);

    keep_frame(report, &guess);
}

static void copy_signal(struct crash_report *public, const struct crash_page *page)
{
    const struct recorder_crash *crash = page->crash;

    public->signo = crash->signo;
    public->code = crash->code;
    public->address = crash->address;
    public->ip = crash->ip;
    public->sp = crash->sp;
    public->time_us = crash->time_us;
    public->seq = crash->seq;
    public->sender = crash->sender;
    public->in_request = crash->in_request != 0;
    public->response_sent = crash->response_sent != 0;
    public->complete = page->complete;
    public->stack_overflow = crash_page_is_stack_overflow(page);
}

/* The child sees our memory as of the fork: nothing has to be sent to it. */
static int start_child(struct report *report, const struct crash_page *page,
                       const struct code_map *map)
{
    struct native_namer_crash crash = {
        .map = map,
        .register_count = page->register_count,
        .ip = page->crash->ip,
        .sp = page->crash->sp,
        .stack_address = page->crash->stack_address,
        .stack = page->stack,
        .stack_len_bytes = page->stack_len_bytes,
    };

    memcpy(crash.registers, page->crash->registers, sizeof crash.registers);
    return reader_child_start(&report->child, native_namer_unwind, &crash);
}

int crash_report_begin(const struct recorder_page *page, size_t page_bytes,
                       const struct code_map *map, struct crash_report **ret_report)
{
    struct code_map *own_map = NULL;
    struct crash_page crash;
    struct report *report;
    int r = crash_page_check(page, page_bytes, &crash);

    if (r < 0)
        return r;
    report = calloc(1, sizeof *report);
    if (!report)
        return -ENOMEM;
    report->child.fd = -1;
    arena_init(&report->arena, REPORT_MAX_BYTES);
    copy_signal(&report->public, &crash);
    keep_php(report, crash.php);
    if (crash.maps.len_bytes > 0 && code_map_parse(crash.maps, &own_map) == 0 && own_map->count > 0)
        map = own_map;
    keep_guess(report, map);
    if (map)
        start_child(report, &crash, map);
    code_map_free(own_map);
    *ret_report = &report->public;
    return 0;
}

int crash_report_fd(const struct crash_report *report)
{
    return report_of(report)->child.fd;
}

int crash_report_read(struct crash_report *public)
{
    struct report *report = report_of(public);
    const struct slice guessed_library = public->shared_object;

    if (reader_child_read(&report->child) == 1)
        return 1;
    if (report->child.answer_len_bytes > 0) {
        public->native_count = 0;
        public->shared_object = (struct slice){0};
        keep_answer(report, reader_child_answer(&report->child));
        if (public->native_count == 0) { /* not a line of it made sense */
            public->native_count = 1;
            public->shared_object = guessed_library;
        }
    }
    return 0;
}

int crash_report_make(const struct recorder_page *page, size_t page_bytes,
                      const struct code_map *map, struct crash_report **ret_report)
{
    const int r = crash_report_begin(page, page_bytes, map, ret_report);

    if (r < 0)
        return r;
    do {
        struct pollfd wait = {.fd = crash_report_fd(*ret_report), .events = POLLIN};

        if (wait.fd >= 0)
            poll(&wait, 1, READER_CHILD_DEADLINE_S * 2000);
    } while (crash_report_read(*ret_report) == 1);
    return 0;
}

void crash_report_free(struct crash_report *public)
{
    struct report *report;

    if (!public)
        return;
    report = report_of(public);
    reader_child_release(&report->child);
    arena_release(&report->arena);
    free(report);
}
