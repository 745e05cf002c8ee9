/*
 * fuzz_crash_page.c - any bytes as the crash area of a recorder page: checked, or refused; and any
 * bytes as the child's answer.
 *
 * The input is laid over the lengths and numbers of the area, then over its texts.  The unwinding
 * child is not started: what it parses is another process's risk.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/code_map.h"
#include "ingest/crash_page.h"
#include "ingest/native_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slices(const struct recorder_page *page, const struct crash_page *crash)
{
    const char *end = (const char *) (page + 1);

    if (crash->php.ptr + crash->php.len_bytes > end ||
        crash->maps.ptr + crash->maps.len_bytes > end ||
        (const char *) crash->stack + crash->stack_len_bytes > end)
        __builtin_trap();
}

static void parse_answer(struct slice text)
{
    char buffer[512];

    while (text.len_bytes > 0) {
        const ptrdiff_t end = slice_index(text, '\n');
        const struct slice line = slice_head(text, end < 0 ? text.len_bytes : (size_t) end);
        struct text_out out = text_out_into(buffer, sizeof buffer);
        struct native_frame frame;

        if (native_frame_parse(line, &frame))
            native_frame_text(&frame, &out);
        text = slice_skip(text, line.len_bytes + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recorder_page page;
    const size_t head = offsetof(struct recorder_crash, php);
    const size_t head_taken = size < head ? size : head;
    struct crash_page crash;
    struct code_map *map;

    memset(&page, 0, sizeof page);
    page.magic = RECORDER_MAGIC;
    page.version = RECORDER_VERSION;
    page.page_bytes = sizeof page;
    memcpy(&page.crash, data, head_taken);
    size -= head_taken;
    if (size > sizeof page.crash - head)
        size = sizeof page.crash - head;
    if (size > 0) {
        memcpy(page.crash.php, data + head_taken, size < 16384 ? size : 16384);
        memcpy(page.crash.maps, data + head_taken, size < 65536 ? size : 65536);
        parse_answer((struct slice){(const char *) data + head_taken, size});
    }
    if (crash_page_check(&page, sizeof page, &crash) != 0)
        return 0;
    check_slices(&page, &crash);
    crash_page_is_stack_overflow(&crash);
    if (code_map_parse(crash.maps, &map) == 0) {
        native_frame_guess(map, page.crash.ip);
        code_map_free(map);
    }
    return 0;
}
