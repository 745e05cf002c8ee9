/* php_frame.c - take a frame's text apart, and write it for people. */
#include "analyze/module/php_frame.h"

#include <stdio.h>

#include "base/text_out.h"

#define CLOSURE    SLICE("{closure}")
#define CLOSURE_84 SLICE("{closure:") /* PHP 8.4: {closure:Ns\C::m():9} */

enum { CLOSURE_NESTING_MAX = 16 };

static bool slice_ends(struct slice text, struct slice suffix)
{
    return text.len_bytes >= suffix.len_bytes &&
           slice_equal(slice_skip(text, text.len_bytes - suffix.len_bytes), suffix);
}

/* Offset of the last `byte`, or -1. */
static ptrdiff_t slice_last(struct slice text, char byte)
{
    const char *at =
        text.len_bytes > 0 ? (const char *) memrchr(text.ptr, byte, text.len_bytes) : NULL;

    return at ? at - text.ptr : -1;
}

static struct slice namespace_of(struct slice name)
{
    const ptrdiff_t at = slice_last(name, '\\');

    return slice_head(name, at < 0 ? 0 : (size_t) at);
}

/* Cut the class's name where PHP puts the place of an anonymous class. */
static void set_class(struct php_frame *frame, struct slice name)
{
    const ptrdiff_t nul = slice_index(name, '\0');
    const ptrdiff_t written = slice_find(name, SLICE("\\0"));

    if (nul >= 0)
        name = slice_head(name, (size_t) nul);
    else if (written >= 0) /* no PHP name has a segment that begins with a digit */
        name = slice_head(name, (size_t) written);
    if (name.len_bytes > 0 && name.ptr[0] == '\\')
        name = slice_skip(name, 1);
    frame->anonymous_class = slice_find(name, SLICE("@anonymous")) >= 0;
    frame->class_name = name;
}

/* What `Ns\C::m()`, `Ns\f()` or `/path/file.php` inside an 8.4 closure's name tells. */
static void set_origin(struct php_frame *frame, struct slice inner)
{
    const ptrdiff_t member = slice_find(inner, SLICE("::"));

    if (member >= 0) {
        frame->origin = slice_head(inner, (size_t) member);
        frame->origin_is_class = true;
    } else if (slice_find(inner, SLICE("()")) >= 0) {
        frame->origin = namespace_of(inner);
    }
}

static void set_closure_84(struct php_frame *frame, struct slice name)
{
    /* A closure in a closure names its outer one: the innermost braces tell the origin. */
    for (int depth = 0; depth < CLOSURE_NESTING_MAX && slice_starts(name, CLOSURE_84); depth++)
        name = slice_skip(name, CLOSURE_84.len_bytes);
    set_origin(frame, name);
}

static void set_function(struct php_frame *frame, struct slice name)
{
    frame->function = name;
    if (slice_starts(name, CLOSURE_84)) {
        set_closure_84(frame, name);
    } else if (slice_ends(name, CLOSURE)) {
        frame->origin = namespace_of(name);
    } else {
        return;
    }
    frame->closure = true;
    frame->function = CLOSURE;
}

/* "file:line"; a file may have colons of its own. */
static void set_place(struct php_frame *frame, struct slice place)
{
    const ptrdiff_t colon = slice_last(place, ':');
    uint64_t line = 0;

    frame->file = place;
    if (colon <= 0 || (size_t) colon + 1 == place.len_bytes)
        return;
    for (size_t i = (size_t) colon + 1; i < place.len_bytes; i++) {
        if (place.ptr[i] < '0' || place.ptr[i] > '9' || line > UINT32_MAX / 10)
            return;
        line = line * 10 + (uint64_t) (place.ptr[i] - '0');
    }
    frame->file = slice_head(place, (size_t) colon);
    frame->line = line <= UINT32_MAX ? (uint32_t) line : 0;
}

/* "{12 frames cut}", "{stack cut}": no function of PHP is called so. */
static bool is_gap(struct slice function)
{
    return slice_starts(function, SLICE("{")) && slice_ends(function, SLICE(" cut}"));
}

/* `Class::function`; the `::` inside the braces of a closure's name does not count. */
static struct php_frame parse_bare(struct slice text)
{
    struct php_frame frame = {.kind = PHP_FRAME_UNPLACED};
    const ptrdiff_t brace = slice_index(text, '{');
    const struct slice outside = slice_head(text, brace < 0 ? SIZE_MAX : (size_t) brace);
    const ptrdiff_t member = slice_find(outside, SLICE("::"));

    if (member > 0) {
        set_class(&frame, slice_head(text, (size_t) member));
        text = slice_skip(text, (size_t) member + 2);
    }
    set_function(&frame, text);
    return frame;
}

/* Cut off the field before the next TAB. */
static struct slice take_field(struct slice *text)
{
    const ptrdiff_t tab = slice_index(*text, '\t');
    const struct slice field = slice_head(*text, tab < 0 ? SIZE_MAX : (size_t) tab);

    *text = slice_skip(*text, tab < 0 ? SIZE_MAX : (size_t) tab + 1);
    return field;
}

struct php_frame php_frame_parse(struct slice text)
{
    struct php_frame frame = {.kind = PHP_FRAME_INTERNAL};
    const bool bare = slice_index(text, '\t') < 0;
    struct slice function;

    if (bare && !is_gap(text))
        return parse_bare(text);
    function = take_field(&text);
    if (is_gap(function))
        return (struct php_frame){.kind = PHP_FRAME_GAP, .function = function};
    set_function(&frame, function);
    set_class(&frame, take_field(&text));
    set_place(&frame, take_field(&text));
    if (frame.file.len_bytes > 0)
        frame.kind = PHP_FRAME_USER;
    return frame;
}

struct php_frame php_frame_of(struct slice file, struct slice class_name, struct slice function)
{
    struct php_frame frame = {.kind = file.len_bytes > 0 ? PHP_FRAME_USER : PHP_FRAME_INTERNAL,
                              .file = file};

    set_function(&frame, function);
    set_class(&frame, class_name);
    return frame;
}

static void add_name(struct text_out *out, const struct php_frame *frame)
{
    const struct slice ns = frame->origin_is_class ? namespace_of(frame->origin) : frame->origin;

    if (frame->class_name.len_bytes > 0 && frame->function.len_bytes > 0) {
        text_out_printable(out, frame->class_name);
        text_out_add(out, SLICE("::"));
    } else if (frame->closure && ns.len_bytes > 0) {
        text_out_printable(out, ns);
        text_out_byte(out, '\\');
    }
    if (frame->function.len_bytes > 0)
        text_out_printable(out, frame->function);
    else
        text_out_add(out, SLICE("include"));
}

static void add_place(struct text_out *out, const struct php_frame *frame)
{
    const ptrdiff_t slash = slice_last(frame->file, '/');
    char line[16];

    if (frame->file.len_bytes == 0)
        return;
    text_out_add(out, SLICE(" ("));
    text_out_printable(out, slice_skip(frame->file, (size_t) (slash + 1)));
    if (frame->line > 0) {
        snprintf(line, sizeof line, ":%u", frame->line);
        text_out_add(out, slice_of(line));
    }
    text_out_byte(out, ')');
}

size_t php_frame_human(const struct php_frame *frame, char *buffer, size_t size_bytes)
{
    struct text_out out = text_out_into(buffer, size_bytes);

    add_name(&out, frame);
    add_place(&out, frame);
    return out.len_bytes;
}

size_t php_frame_text(struct slice text, char *buffer, size_t size_bytes)
{
    const struct php_frame frame = php_frame_parse(text);

    return php_frame_human(&frame, buffer, size_bytes);
}
