/* php_trace_line.c - one test per form, tried in the order of the table at the end. */
#include "analyze/module/php_trace_line.h"

#include <stddef.h>
#include <stdint.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(struct slice text)
{
    size_t n = 0;

    while (n < text.len_bytes && is_digit(text.ptr[n]))
        n++;
    return n;
}

/* The text before the first ` needle`, or all of it. */
static struct slice before(struct slice text, struct slice needle)
{
    const ptrdiff_t at = slice_find(text, needle);

    return at < 0 ? text : slice_head(text, (size_t) at);
}

/* "path(12)" and "path:12" without what is behind the path; text without it is no place. */
static bool cut_line(struct slice text, char mark, struct slice *ret_path)
{
    size_t n = text.len_bytes;

    n -= n > 0 && mark == '(' && text.ptr[n - 1] == ')';
    const size_t end = n;
    while (n > 0 && is_digit(text.ptr[n - 1]))
        n--;
    if (n < 2 || n == end || text.ptr[n - 1] != mark)
        return false;
    *ret_path = slice_head(text, n - 1);
    return true;
}

static struct php_frame in_file(struct slice path)
{
    return php_frame_of(path, SLICE(""), SLICE(""));
}

/* #3 /path(12): called()   #4 [internal function]: called() */
static bool of_trace(struct slice line, struct php_frame *ret_frame)
{
    const size_t number = digits_at(slice_skip(line, 1));
    const struct slice rest = slice_skip(line, number + 2);
    const ptrdiff_t end = slice_find(rest, SLICE("): "));
    struct slice path;

    if (!slice_starts(line, SLICE("#")) || number == 0)
        return false;
    if (slice_starts(rest, SLICE("[internal function]"))) {
        *ret_frame = in_file(SLICE(""));
        return true;
    }
    if (end < 0 || !cut_line(slice_head(rest, (size_t) end + 1), '(', &path))
        return false;
    *ret_frame = in_file(path);
    return true;
}

/* [0x00007f1a2c012345] fetchAll() /path:228 */
static bool of_slow_log(struct slice line, struct php_frame *ret_frame)
{
    const ptrdiff_t call = slice_find(line, SLICE("() "));
    struct slice path;

    if (!slice_starts(line, SLICE("[0x")) || call < 0 ||
        !cut_line(slice_skip(line, (size_t) call + 3), ':', &path))
        return false;
    *ret_frame = in_file(path);
    return true;
}

/* ... in /path on line 41 */
static bool of_message(struct slice line, struct php_frame *ret_frame)
{
    struct slice rest = before(line, SLICE(" on line "));
    ptrdiff_t at = rest.len_bytes < line.len_bytes ? slice_find(rest, SLICE(" in /")) : -1;

    if (at < 0)
        return false;
    while (at >= 0) { /* the last one: the message may have one, too */
        rest = slice_skip(rest, (size_t) at + 4);
        at = slice_find(rest, SLICE(" in /"));
    }
    *ret_frame = in_file(rest);
    return true;
}

/* Class::function (File.php:41) */
static bool of_report(struct slice line, struct php_frame *ret_frame)
{
    const struct slice call = before(line, SLICE(" ("));

    if (slice_find(call, SLICE("::")) <= 0 || slice_find(call, SLICE("/")) >= 0 ||
        slice_find(call, SLICE(" ")) >= 0)
        return false;
    *ret_frame = php_frame_parse(call);
    return true;
}

bool php_trace_line_parse(struct slice line, struct php_frame *ret_frame)
{
    static bool (*const forms[])(struct slice line, struct php_frame * ret_frame) = {
        of_trace,
        of_slow_log,
        of_message,
        of_report,
    };

    while (line.len_bytes > 0 && line.ptr[0] == ' ')
        line = slice_skip(line, 1);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i](line, ret_frame))
            return true;
    return false;
}
