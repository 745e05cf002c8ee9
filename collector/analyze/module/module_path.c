/* module_path.c - strip what was put around a path, then resolve it component by component. */
#include "analyze/module/module_path.h"

#include <stdint.h>

/* What PHP appends to the file of code that was made at run time, after "(LINE) : ". */
static const struct slice made_suffixes[] = {
    {.ptr = "eval()'d code", .len_bytes = 13},
    {.ptr = "runtime-created function", .len_bytes = 24},
    {.ptr = "assert code", .len_bytes = 11},
    {.ptr = "regexp code", .len_bytes = 11},
};

/* Wrappers that only say how to read the path behind them. */
static const struct slice plain_wrappers[] = {
    {.ptr = "file://", .len_bytes = 7},
    {.ptr = "compress.zlib://", .len_bytes = 16},
    {.ptr = "compress.bzip2://", .len_bytes = 17},
};

static const struct slice phar_wrapper = {.ptr = "phar://", .len_bytes = 7};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Is there "(123)" just before offset `end`?  Returns where it begins, or `end`. */
static size_t line_number_before(struct slice text, size_t end)
{
    size_t at = end;

    if (at < 3 || text.ptr[at - 1] != ')')
        return end;
    at--;
    while (at > 0 && is_digit(text.ptr[at - 1]))
        at--;
    return at > 0 && at < end - 1 && text.ptr[at - 1] == '(' ? at - 1 : end;
}

/* Everything before the first "(12) : eval()'d code". */
static struct slice without_made_suffix(struct slice file)
{
    size_t from = 0;

    for (;;) {
        const struct slice rest = slice_skip(file, from);
        const ptrdiff_t colon = slice_find(rest, SLICE(" : "));

        if (colon < 0)
            return file;
        const size_t at = from + (size_t) colon;
        const size_t paren = line_number_before(file, at);

        for (size_t i = 0; i < sizeof made_suffixes / sizeof made_suffixes[0]; i++)
            if (paren < at && slice_starts(slice_skip(file, at + 3), made_suffixes[i]))
                return slice_head(file, paren);
        from = at + 1;
    }
}

/* Case does not matter in wrappers' names. */
static bool starts_with_wrapper(struct slice text, struct slice wrapper)
{
    return text.len_bytes >= wrapper.len_bytes &&
           strncasecmp(text.ptr, wrapper.ptr, wrapper.len_bytes) == 0;
}

static struct slice without_wrappers(struct slice file, struct module_path *path)
{
    bool again = true;

    while (again) {
        again = starts_with_wrapper(file, phar_wrapper);
        if (again) {
            path->archive = true;
            file = slice_skip(file, phar_wrapper.len_bytes);
        }
        for (size_t i = 0; i < sizeof plain_wrappers / sizeof plain_wrappers[0]; i++)
            if (starts_with_wrapper(file, plain_wrappers[i])) {
                again = true;
                file = slice_skip(file, plain_wrappers[i].len_bytes);
            }
    }
    return file;
}

/* "data:text/plain", "https://host/x", "php://filter/...": a scheme of two letters or more. */
static bool is_stream(struct slice file)
{
    size_t n = 0;

    while (n < file.len_bytes &&
           ((file.ptr[n] >= 'a' && file.ptr[n] <= 'z') || (n > 0 && memchr("+.-", file.ptr[n], 3))))
        n++;
    if (n < 2)
        return false;
    return slice_starts(slice_skip(file, n), SLICE("://")) || slice_starts(file, SLICE("data:"));
}

static struct slice without_drive(struct slice file)
{
    const bool drive = file.len_bytes >= 3 && file.ptr[1] == ':' &&
                       (file.ptr[2] == '\\' || file.ptr[2] == '/') &&
                       ((file.ptr[0] | 0x20) >= 'a' && (file.ptr[0] | 0x20) <= 'z');

    return drive ? slice_skip(file, 2) : file;
}

static void path_push(struct module_path *path, struct slice part)
{
    if (path->count == MODULE_PATH_PARTS ||
        path->len_bytes + part.len_bytes + 2 > sizeof path->text) {
        path->cut = true;
        return;
    }
    path->text[path->len_bytes++] = '/';
    memcpy(path->text + path->len_bytes, part.ptr, part.len_bytes);
    path->parts[path->count++] =
        (struct slice){.ptr = path->text + path->len_bytes, .len_bytes = part.len_bytes};
    path->len_bytes += part.len_bytes;
}

static void path_pop(struct module_path *path)
{
    if (path->count > 0)
        path->len_bytes -= path->parts[--path->count].len_bytes + 1;
}

/* Offset of the next `/` or `\`, or the length. */
static size_t part_length(struct slice file)
{
    size_t n = 0;

    while (n < file.len_bytes && file.ptr[n] != '/' && file.ptr[n] != '\\')
        n++;
    return n;
}

static void path_push_all(struct module_path *path, struct slice file)
{
    while (file.len_bytes > 0 && !path->cut) {
        const struct slice part = slice_head(file, part_length(file));

        if (slice_equal(part, SLICE("..")))
            path_pop(path);
        else if (part.len_bytes > 0 && !slice_equal(part, SLICE(".")))
            path_push(path, part);
        file = slice_skip(file, part.len_bytes + 1);
    }
}

/*
 * The component that is the archive: the first with ".phar" in its name; else (an archive may be
 * called /usr/local/bin/composer) the one in a `bin` directory; else the first.
 */
static size_t archive_part(const struct module_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        if (slice_find(path->parts[i], SLICE(".phar")) >= 0)
            return i;
    for (size_t i = 0; i + 1 < path->count; i++)
        if (slice_equal(path->parts[i], SLICE("bin")))
            return i + 1;
    return 0;
}

void module_path_set(struct module_path *path, struct slice file)
{
    path->len_bytes = path->count = 0;
    path->archive = path->stream = path->cut = false;
    file = without_wrappers(without_made_suffix(file), path);
    path->stream = is_stream(file);
    if (!path->stream)
        path_push_all(path, without_drive(file));
    if (path->archive && path->count > 0) {
        path->count = archive_part(path) + 1;
        path->len_bytes = (size_t) (path->parts[path->count - 1].ptr - path->text) +
                          path->parts[path->count - 1].len_bytes;
    }
    path->text[path->len_bytes] = '\0';
}

struct slice module_path_file(const struct module_path *path)
{
    return path->count > 0 ? path->parts[path->count - 1] : SLICE("");
}

size_t module_path_view(const struct module_path *path, size_t from)
{
    static const struct slice areas[] = {
        {.ptr = "frontend", .len_bytes = 8},
        {.ptr = "adminhtml", .len_bytes = 9},
        {.ptr = "base", .len_bytes = 4},
    };

    for (size_t i = from; i + 2 < path->count; i++)
        for (size_t j = 0; j < sizeof areas / sizeof areas[0]; j++)
            if (slice_equal(path->parts[i], SLICE("view")) &&
                slice_equal(path->parts[i + 1], areas[j]))
                return i;
    return 0;
}
