/* module_class.c - cut class names, compare them with the ends of paths. */
#include "analyze/module/module_class.h"

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80) != 0;
}

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++)
        if (!is_name_byte(text.ptr[i]))
            return false;
    return text.len_bytes > 0;
}

/* Cut at every `separator`; false (and no segments) when a piece is no name or there are too many.
 */
static bool split(struct module_class *class, struct slice name, char separator)
{
    class->count = 0;
    for (;;) {
        const ptrdiff_t at = slice_index(name, separator);
        const struct slice segment = slice_head(name, at < 0 ? SIZE_MAX : (size_t) at);

        if (!is_name(segment) || class->count == MODULE_CLASS_SEGMENTS) {
            class->count = 0;
            return false;
        }
        class->segments[class->count++] = segment;
        if (at < 0)
            return true;
        name = slice_skip(name, (size_t) at + 1);
    }
}

void module_class_parse(struct module_class *class, struct slice name)
{
    class->underscored = class->namespace_only = false;
    if (!split(class, name, '\\') || class->count > 1)
        return;
    class->underscored = split(class, name, '_') && class->count > 1;
    if (class->count == 0) /* "Foo__Bar", "_x": a name, but not one to cut */
        split(class, name, '\\');
}

void module_class_set(struct module_class *class, const struct php_frame *frame)
{
    const char *last =
        frame->function.len_bytes > 0
            ? (const char *) memrchr(frame->function.ptr, '\\', frame->function.len_bytes)
            : NULL;

    *class = (struct module_class){.count = 0};
    if (frame->class_name.len_bytes > 0) {
        if (!frame->anonymous_class)
            module_class_parse(class, frame->class_name);
        return;
    }
    if (frame->origin.len_bytes > 0)
        module_class_parse(class, frame->origin);
    else if (last)
        module_class_parse(class,
                           slice_head(frame->function, (size_t) (last - frame->function.ptr)));
    class->namespace_only = !frame->origin_is_class;
}

/* Is `file` the file of a class called `name`?  "Sign.php", "Sign.class.php". */
static bool is_file_of(struct slice file, struct slice name)
{
    return slice_starts(file, name) && file.len_bytes > name.len_bytes &&
           file.ptr[name.len_bytes] == '.';
}

size_t module_class_tail(const struct module_class *class, const struct module_path *path)
{
    size_t dirs, first;

    if (class->count < 3 || path->count == 0)
        return MODULE_NO_TAIL;
    dirs = class->count - 2 - (class->namespace_only ? 0 : 1);
    if (path->count < dirs + 1)
        return MODULE_NO_TAIL;
    first = path->count - 1 - dirs;
    for (size_t i = 0; i < dirs; i++)
        if (!slice_equal(path->parts[first + i], class->segments[2 + i]))
            return MODULE_NO_TAIL;
    if (!class->namespace_only &&
        !is_file_of(module_path_file(path), class->segments[class->count - 1]))
        return MODULE_NO_TAIL;
    return first;
}

bool module_class_within(const struct module_class *class, struct slice prefix)
{
    size_t i = 0;

    while (prefix.len_bytes > 0) {
        const ptrdiff_t at = slice_index(prefix, '\\');

        if (!slice_equal(module_class_segment(class, i++),
                         slice_head(prefix, at < 0 ? SIZE_MAX : (size_t) at)))
            return false;
        prefix = slice_skip(prefix, at < 0 ? SIZE_MAX : (size_t) at + 1);
    }
    return true;
}
