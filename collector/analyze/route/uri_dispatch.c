/* uri_dispatch.c - see uri_dispatch.h. */
#include "analyze/route/uri_dispatch.h"

#include <stddef.h>
#include <stdint.h>

#include "analyze/route/segment.h"

enum {
    VALUE_MAX_BYTES = 48,
    DIGITS_MAX = 3, /* get_orders_v2, not a nonce */
};

enum { VALUE_WORD, VALUE_PATH };

static const struct {
    struct slice where, name;
    int value;
} dispatchers[] = {
#define URI_DISPATCH(where, name, value)                                                           \
    {{.ptr = (where), .len_bytes = sizeof(where) - 1},                                             \
     {.ptr = (name), .len_bytes = sizeof(name) - 1},                                               \
     VALUE_##value},
#include "analyze/route/uri_dispatch.def"
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A name that a programmer chose: heartbeat, get_refreshed_fragments, wc-settings. */
static bool is_program_name(struct slice value)
{
    size_t digits = 0;

    if (value.len_bytes == 0 || value.len_bytes > VALUE_MAX_BYTES || !is_letter(value.ptr[0]))
        return false;
    for (size_t i = 0; i < value.len_bytes; i++) {
        const char c = value.ptr[i];

        digits += c >= '0' && c <= '9';
        if (!is_letter(c) && !(c >= '0' && c <= '9') && !memchr("_-.", c, 3))
            return false;
    }
    return digits <= DIGITS_MAX && segment_classify(value) == SEGMENT_WORD;
}

/* /database/structure: such names between slashes, with one in front or not. */
static bool is_program_path(struct slice value)
{
    struct slice rest = slice_starts(value, SLICE("/")) ? slice_skip(value, 1) : value;

    if (value.len_bytes > VALUE_MAX_BYTES)
        return false;
    for (;;) {
        const ptrdiff_t slash = slice_index(rest, '/');

        if (!is_program_name(slice_head(rest, slash < 0 ? SIZE_MAX : (size_t) slash)))
            return false;
        if (slash < 0)
            return true;
        rest = slice_skip(rest, (size_t) slash + 1);
    }
}

bool uri_dispatch_names_page(struct slice path, struct slice parameter)
{
    const ptrdiff_t equals = slice_index(parameter, '=');
    const struct slice name = slice_head(parameter, equals < 0 ? 0 : (size_t) equals);

    if (equals <= 0)
        return false;
    const struct slice value = slice_skip(parameter, (size_t) equals + 1);
    for (size_t i = 0; i < sizeof dispatchers / sizeof dispatchers[0]; i++)
        if (slice_equal(name, dispatchers[i].name) && slice_find(path, dispatchers[i].where) >= 0)
            return dispatchers[i].value == VALUE_PATH ? is_program_path(value)
                                                      : is_program_name(value);
    return false;
}

struct slice uri_dispatch_find(struct slice path, struct slice query)
{
    while (query.len_bytes > 0) {
        const ptrdiff_t amp = slice_index(query, '&');
        const struct slice parameter = slice_head(query, amp < 0 ? SIZE_MAX : (size_t) amp);

        if (uri_dispatch_names_page(path, parameter))
            return parameter;
        query = slice_skip(query, parameter.len_bytes + 1);
    }
    return SLICE("");
}
