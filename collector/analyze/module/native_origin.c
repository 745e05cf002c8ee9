/* native_origin.c - take native frames apart, and walk from the allocator to the extension. */
#include "analyze/module/native_origin.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .ptr = (literal), .len_bytes = sizeof(literal) - 1                                         \
    }

static const struct {
    struct slice prefix;
    enum native_kind kind;
} known[] = {
#define NATIVE_LIBRARY(prefix, kind) {TEXT(prefix), NATIVE_##kind},
#define NATIVE_HELPER(prefix)
#define NATIVE_COMPILER(prefix)
#include "analyze/module/native_libraries.def"
};

static const struct slice helpers[] = {
#define NATIVE_LIBRARY(prefix, kind)
#define NATIVE_HELPER(prefix) TEXT(prefix),
#define NATIVE_COMPILER(prefix)
#include "analyze/module/native_libraries.def"
};

static const struct slice compilers[] = {
#define NATIVE_LIBRARY(prefix, kind)
#define NATIVE_HELPER(prefix)
#define NATIVE_COMPILER(prefix) TEXT(prefix),
#include "analyze/module/native_libraries.def"
};

static bool starts_with_any(struct slice text, const struct slice *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts(text, prefixes[i]))
            return true;
    return false;
}

#define STARTS_WITH_ANY(text, prefixes)                                                            \
    starts_with_any(text, prefixes, sizeof(prefixes) / sizeof((prefixes)[0]))

static struct slice base_name(struct slice path)
{
    const char *slash =
        path.len_bytes > 0 ? (const char *) memrchr(path.ptr, '/', path.len_bytes) : NULL;

    return slash ? slice_skip(path, (size_t) (slash - path.ptr) + 1) : path;
}

struct native_origin_frame native_origin_frame_of(struct slice text)
{
    struct native_origin_frame frame = {.symbol = text};
    const ptrdiff_t paren = slice_find(text, SLICE(" ("));
    ptrdiff_t plus;

    if (paren >= 0 && text.ptr[text.len_bytes - 1] == ')') {
        frame.symbol = slice_head(text, (size_t) paren);
        frame.shared_object = slice_skip(text, (size_t) paren + 2);
        frame.shared_object.len_bytes--;
    } else if (slice_find(text, SLICE("+0x")) > 0) {
        frame.symbol = SLICE("");
        frame.shared_object = text;
    }
    plus = slice_find(frame.shared_object, SLICE("+0x"));
    if (plus >= 0)
        frame.shared_object = slice_head(frame.shared_object, (size_t) plus);
    frame.shared_object = base_name(frame.shared_object);
    return frame;
}

/* "imagick.so"; "libxml2.so.2" and "libm.so" are libraries. */
static bool is_extension_file(struct slice library)
{
    const struct slice suffix = SLICE(".so");

    return library.len_bytes > suffix.len_bytes && !slice_starts(library, SLICE("lib")) &&
           slice_equal(slice_skip(library, library.len_bytes - suffix.len_bytes), suffix);
}

enum native_kind native_library_kind(struct slice library)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_starts(library, known[i].prefix))
            return known[i].kind;
    if (slice_equal(library, SLICE("php")) || slice_starts(library, SLICE("php8")) ||
        slice_starts(library, SLICE("php7")))
        return NATIVE_HOST;
    return is_extension_file(library) ? NATIVE_EXTENSION : NATIVE_LIBRARY;
}

/* Look at the next frame outward; false when the rest has nothing more to say. */
static bool origin_step(struct native_origin *origin, const struct native_origin_frame *frame)
{
    const enum native_kind kind = native_library_kind(frame->shared_object);

    if (STARTS_WITH_ANY(frame->symbol, compilers))
        origin->compiling = true;
    if (frame->shared_object.len_bytes == 0 || kind == NATIVE_ALLOCATOR)
        return true;
    if (kind == NATIVE_HOST && STARTS_WITH_ANY(frame->symbol, helpers))
        return true;
    if (origin->shared_object.len_bytes == 0)
        origin->shared_object = frame->shared_object;
    if (kind == NATIVE_LIBRARY)
        return true;
    if (kind != NATIVE_HOST && origin->extension.len_bytes == 0) {
        origin->extension = frame->shared_object;
        origin->extension_kind = kind;
    }
    /* PHP compiles in its own code: look on for the function that says so, up to the next call. */
    return kind == NATIVE_HOST && !origin->compiling &&
           !slice_starts(frame->symbol, SLICE("execute_ex")) && frame->symbol.len_bytes > 0;
}

/* The stream's `mod`, when no frame named a library. */
static void origin_of_owner(struct native_origin *origin, struct slice owner)
{
    const enum native_kind kind = native_library_kind(base_name(owner));

    origin->shared_object = base_name(owner);
    if (kind == NATIVE_AGENT || kind == NATIVE_EXTENSION || kind == NATIVE_BUNDLED) {
        origin->extension = origin->shared_object;
        origin->extension_kind = kind;
    }
}

struct native_origin native_origin_of(const struct slice *frames, size_t count, struct slice owner)
{
    struct native_origin origin = {.extension_kind = NATIVE_LIBRARY};
    bool inside_host = false;

    for (size_t i = 0; i < count; i++) {
        const struct native_origin_frame frame = native_origin_frame_of(frames[i]);
        const bool host = native_library_kind(frame.shared_object) == NATIVE_HOST;

        /* Behind PHP's own frames an extension is a hook around the VM, not the caller. */
        if (inside_host && !host && frame.shared_object.len_bytes > 0)
            break;
        if (!origin_step(&origin, &frame))
            break;
        inside_host = inside_host || (host && !STARTS_WITH_ANY(frame.symbol, helpers));
    }
    if (origin.shared_object.len_bytes == 0 && owner.len_bytes > 0)
        origin_of_owner(&origin, owner);
    if (slice_equal(origin.extension, SLICE("opcache.so")))
        origin.compiling = true;
    return origin;
}
