/*
 * native_origin.h - native frames as text, and what the innermost of them say about who allocated.
 *
 *   xmlAllocOutputBuffer (libxml2.so.2)      symbol and library
 *   libxml2.so.2+0x4a31c                     only the library
 *   realpath_cache_add                       only the symbol (simulated traces)
 *
 * Reading a stack from the inside out: allocators (libc, the shim), then the library that wanted
 * the bytes, then the PHP extension that called it, then PHP's own virtual machine.  What lies
 * further out only says that PHP was running; extensions that hook the virtual machine are
 * everywhere there, and are not looked at.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_NATIVE_ORIGIN_H
#define FPMSCOPE_ANALYZE_MODULE_NATIVE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct native_origin_frame {
    struct slice symbol, shared_object; /* either may be empty */
};

struct native_origin_frame native_origin_frame_of(struct slice text);

/* Whose a library is, by native_libraries.def and the way files are named. */
enum native_kind {
    NATIVE_LIBRARY,   /* libxml2.so.2 */
    NATIVE_ALLOCATOR, /* libc, jemalloc, libffi, the shim: carriers, never the answer */
    NATIVE_HOST,      /* php-fpm itself */
    NATIVE_BUNDLED,   /* an extension that comes with PHP: dom.so */
    NATIVE_AGENT,     /* one that watches every request on its own behalf: newrelic.so */
    NATIVE_EXTENSION, /* any other extension: imagick.so */
};

enum native_kind native_library_kind(struct slice library);

struct native_origin {
    struct slice
        shared_object;      /* that wanted the bytes; php-fpm itself when PHP did; may be empty */
    struct slice extension; /* through which PHP came to it; empty when there is none */
    enum native_kind extension_kind;
    bool compiling; /* the bytes were taken while a file was read and compiled */
};

/*
 * What `frames` (innermost first) say; `owner` is the stream's `mod`, used when they name no
 * library.  The slices point into the frames.  Pure.
 */
struct native_origin native_origin_of(const struct slice *frames, size_t count, struct slice owner);

#endif
