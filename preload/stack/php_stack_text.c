/*
 * php_stack_text.c - raw PHP frames as lines of text.
 *
 * A line is put together in a buffer of its own and copied when it fits as a whole.  No stdio: this
 * also runs in the crash handler.
 */
#include "stack/php_stack.h"

#include <string.h>

#include "banned.h"

enum {
    FUNCTION_MAX_BYTES = 128,
    CLASS_MAX_BYTES = 160,
    PLACE_RESERVE_BYTES = 14, /* ":4294967295", LF, and a spare byte or two */
};

struct line {
    size_t len_bytes;
    char text[LIMIT_FRAME_BYTES];
};

static void line_put(struct line *line, const char *text, size_t len_bytes)
{
    const size_t room = sizeof line->text - line->len_bytes;

    if (len_bytes > room)
        len_bytes = room;
    memcpy(line->text + line->len_bytes, text, len_bytes);
    line->len_bytes += len_bytes;
}

static void line_put_decimal(struct line *line, uint32_t value)
{
    char digits[10];
    size_t at = sizeof digits;

    do
        digits[--at] = (char) ('0' + value % 10);
    while ((value /= 10) != 0);
    line_put(line, digits + at, sizeof digits - at);
}

/* A TAB or a line feed in a name would forge a field or a frame. */
static void line_put_escaped(struct line *line, const char *text, size_t len_bytes)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len_bytes; i++) {
        const unsigned char byte = (unsigned char) text[i];

        if (byte >= 0x20 && byte != 0x7f)
            line_put(line, text + i, 1);
        else
            line_put(line, (char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
    }
}

static bool load(struct memory_reader *reader, uintptr_t address, void *ret, size_t size_bytes)
{
    if (reader)
        return memory_reader_read(reader, address, ret, size_bytes);
    memcpy(ret, (const void *) address, size_bytes);
    return true;
}

enum keep { KEEP_HEAD, KEEP_TAIL };

/* Append at most `max_bytes` of a zend_string, with "..." where it was shortened. */
static void line_put_string(struct line *line, struct memory_reader *reader, uintptr_t string,
                            size_t max_bytes, enum keep keep)
{
    static const char dots[] = "...";
    char bytes[LIMIT_FRAME_BYTES];
    size_t len, skip = 0, take;

    if (string == 0)
        return;
    if (max_bytes > sizeof bytes || !load(reader, string + PHP_STRING_LEN, &len, sizeof len))
        return line_put(line, "?", 1);
    take = len <= max_bytes ? len : max_bytes - (sizeof dots - 1);
    if (keep == KEEP_TAIL)
        skip = len - take;
    if (!load(reader, string + PHP_STRING_VAL + skip, bytes, take))
        return line_put(line, "?", 1);
    const size_t until_nul = strnlen(bytes, take);

    if (take < len && keep == KEEP_TAIL)
        line_put(line, dots, sizeof dots - 1);
    line_put_escaped(line, bytes, until_nul);
    if (take < len && keep == KEEP_HEAD && until_nul == take)
        line_put(line, dots, sizeof dots - 1);
}

static void line_put_frame(struct line *line, const struct php_frame *frame,
                           struct memory_reader *reader)
{
    struct line head = {.len_bytes = 0};

    line_put_string(&head, reader, frame->function, FUNCTION_MAX_BYTES, KEEP_HEAD);
    line_put(&head, "\t", 1);
    line_put_string(&head, reader, frame->class_name, CLASS_MAX_BYTES, KEEP_HEAD);
    line_put(&head, "\t", 1);
    line_put(line, head.text, head.len_bytes);
    if (frame->file == 0)
        return;
    line_put_string(line, reader, frame->file,
                    sizeof line->text - line->len_bytes - PLACE_RESERVE_BYTES, KEEP_TAIL);
    /* Escapes may have filled the line: the number and the LF overwrite the end, not the limit. */
    if (line->len_bytes > sizeof line->text - PLACE_RESERVE_BYTES)
        line->len_bytes = sizeof line->text - PLACE_RESERVE_BYTES;
    line_put(line, ":", 1);
    line_put_decimal(line, frame->line);
}

struct text {
    char *buf;
    size_t cap_bytes, len_bytes;
};

/* False: full; nothing more may follow, or frames would be missing in between. */
static bool text_put_line(struct text *text, struct line *line)
{
    if (line->len_bytes == sizeof line->text)
        line->len_bytes--;
    line_put(line, "\n", 1);
    if (line->len_bytes > text->cap_bytes - text->len_bytes)
        return false;
    memcpy(text->buf + text->len_bytes, line->text, line->len_bytes);
    text->len_bytes += line->len_bytes;
    return true;
}

static bool text_put_skipped(struct text *text, uint32_t frames)
{
    static const char open[] = "{", close[] = " frames cut}\t\t";
    struct line line = {.len_bytes = 0};

    line_put(&line, open, sizeof open - 1);
    line_put_decimal(&line, frames);
    line_put(&line, close, sizeof close - 1);
    return text_put_line(text, &line);
}

size_t php_stack_write(const struct php_stack *stack, struct memory_reader *reader, char *buf,
                       size_t cap_bytes)
{
    static const char cut[] = "{stack cut}\t\t";
    struct text text = {.buf = buf, .cap_bytes = cap_bytes};

    for (uint32_t i = 0; i < stack->count; i++) {
        struct line line = {.len_bytes = 0};

        if (i == PHP_STACK_INNER && stack->skipped > 0 && !text_put_skipped(&text, stack->skipped))
            return text.len_bytes;
        line_put_frame(&line, &stack->frames[i], reader);
        if (!text_put_line(&text, &line))
            return text.len_bytes;
    }
    if (stack->cut) {
        struct line line = {.len_bytes = 0};

        line_put(&line, cut, sizeof cut - 1);
        text_put_line(&text, &line);
    }
    return text.len_bytes;
}
