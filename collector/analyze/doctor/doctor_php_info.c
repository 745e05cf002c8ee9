/* doctor_php_info.c - version, build and modules of a PHP. */
#include "analyze/doctor/doctor_php_info.h"

#include "analyze/doctor/doctor_proc.h"

static int is_enabled(struct slice value)
{
    return slice_starts(value, SLICE("enabled")) || slice_starts(value, SLICE("yes"));
}

/* JIT works when it has a buffer and its mode is not off. */
static void take_value(struct doctor_php_info *info, struct slice name, struct slice value,
                       bool *jit_buffer, bool *jit_mode)
{
    const bool none = slice_starts(value, SLICE("0")) || slice_starts(value, SLICE("off")) ||
                      slice_starts(value, SLICE("disable")) ||
                      slice_starts(value, SLICE("no value"));

    if (slice_equal(name, SLICE("PHP Version")) && info->version.len_bytes == 0)
        info->version = value;
    else if (slice_equal(name, SLICE("Thread Safety")))
        info->zts = is_enabled(value);
    else if (slice_equal(name, SLICE("Debug Build")))
        info->debug = is_enabled(value);
    else if (slice_equal(name, SLICE("opcache.jit_buffer_size")))
        *jit_buffer = !none;
    else if (slice_equal(name, SLICE("opcache.jit")))
        *jit_mode = !none;
}

struct doctor_php_info doctor_php_info(struct slice text)
{
    static const struct slice arrow = SLICE(" => ");
    struct doctor_php_info info = {.zts = -1, .debug = -1, .jit = -1};
    bool jit_buffer = false, jit_mode = false;
    struct slice line;

    while (doctor_next_line(&text, &line)) {
        const ptrdiff_t at = slice_find(line, arrow);

        if (at <= 0)
            continue;
        const struct slice rest = slice_skip(line, (size_t) at + arrow.len_bytes);
        const ptrdiff_t end = slice_find(rest, arrow);

        take_value(&info, slice_head(line, (size_t) at),
                   end < 0 ? rest : slice_head(rest, (size_t) end), &jit_buffer, &jit_mode);
    }
    if (info.version.len_bytes > 0)
        info.jit = jit_buffer && jit_mode;
    return info;
}

bool doctor_next_module(struct slice *rest, struct slice *ret_name)
{
    struct slice line;

    while (doctor_next_line(rest, &line)) {
        while (line.len_bytes > 0 &&
               (line.ptr[line.len_bytes - 1] == '\r' || line.ptr[line.len_bytes - 1] == ' '))
            line.len_bytes--;
        /* Warnings of a broken extension may stand between the names; a name is short. */
        if (line.len_bytes == 0 || line.len_bytes > 64 || line.ptr[0] == '[' ||
            slice_index(line, ':') >= 0)
            continue;
        *ret_name = line;
        return true;
    }
    return false;
}

static size_t digits(struct slice text)
{
    size_t n = 0;

    while (n < text.len_bytes && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

struct slice doctor_php_branch(struct slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++) {
        const struct slice here = slice_skip(text, i);
        const size_t major = digits(here);

        if (major == 0)
            continue;
        const struct slice behind = slice_skip(here, major);
        if (slice_starts(behind, SLICE(".")) && digits(slice_skip(behind, 1)) > 0)
            return slice_head(here, major + 1 + digits(slice_skip(behind, 1)));
        i += major;
    }
    return (struct slice){0};
}
