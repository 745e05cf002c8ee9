/* blame_boundary.c - a frame's class and function against the table's patterns. */
#include "analyze/module/blame_boundary.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .ptr = (literal), .len_bytes = sizeof(literal) - 1                                         \
    }

static const struct {
    struct slice class_name, function;
    enum blame_unit unit;
} boundaries[] = {
#define BLAME_BOUNDARY(class, function, unit) {TEXT(class), TEXT(function), BLAME_UNIT_##unit},
#define BLAME_PASSES(function)
#define BLAME_AUTOLOADER(class, function)
#include "analyze/module/blame_boundaries.def"
};

static const struct slice passes[] = {
#define BLAME_BOUNDARY(class, function, unit)
#define BLAME_PASSES(function) TEXT(function),
#define BLAME_AUTOLOADER(class, function)
#include "analyze/module/blame_boundaries.def"
};

static const struct {
    struct slice class_name, function;
} autoloaders[] = {
#define BLAME_BOUNDARY(class, function, unit)
#define BLAME_PASSES(function)
#define BLAME_AUTOLOADER(class, function) {TEXT(class), TEXT(function)},
#include "analyze/module/blame_boundaries.def"
};

static bool matches(struct slice pattern, struct slice text)
{
    const size_t n = pattern.len_bytes;

    if (n > 0 && pattern.ptr[n - 1] == '*')
        return slice_starts(text, slice_head(pattern, n - 1));
    if (n > 0 && pattern.ptr[0] == '*')
        return text.len_bytes >= n - 1 &&
               slice_equal(slice_skip(text, text.len_bytes - (n - 1)), slice_skip(pattern, 1));
    return slice_equal(pattern, text);
}

bool blame_boundary_of(const struct php_frame *frame, enum blame_unit *ret_unit)
{
    for (size_t i = 0; i < sizeof boundaries / sizeof boundaries[0]; i++)
        if (matches(boundaries[i].function, frame->function) &&
            matches(boundaries[i].class_name, frame->class_name)) {
            *ret_unit = boundaries[i].unit;
            return true;
        }
    return false;
}

bool blame_passes_through(const struct php_frame *frame)
{
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
        if (matches(passes[i], frame->function))
            return true;
    return false;
}

bool blame_is_autoloader(const struct php_frame *frame)
{
    /* A closure without a class carries its namespace in its origin. */
    const struct slice class_name =
        frame->closure && frame->class_name.len_bytes == 0 ? frame->origin : frame->class_name;

    if (frame->closure && slice_starts(class_name, SLICE("Composer\\Autoload")))
        return true;
    for (size_t i = 0; i < sizeof autoloaders / sizeof autoloaders[0]; i++)
        if (matches(autoloaders[i].function, frame->function) &&
            matches(autoloaders[i].class_name, class_name))
            return true;
    return false;
}
