/*
 * heap.h - Zend's custom handlers: put in the place of the Zend heap's own functions, and out
 * again.
 *
 * A handler forwards to the same heap.  While it does, the heap must not look custom: else a
 * request that reaches memory_limit would not collect its cached chunks first, and fail where it
 * does not fail without us.  So the flag (the first word of the heap) is taken down around every
 * call, by the handler, with zend_heap_open() and zend_heap_close().
 *
 * memory_limit jumps out of that call; the flag stays down, and the handlers are dead for the rest
 * of the request.  zend_heap_remove() tells.
 *
 * The flag's place is proven at every installation: 0 before, 1 after; anything else is -EPROTO,
 * and then nothing was left behind.
 */
#ifndef FPMSCOPE_ZEND_HEAP_H
#define FPMSCOPE_ZEND_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/marks.h"

struct zend_handlers {
    void *(*allocate)(size_t bytes);
    void (*release)(void *ptr);
    void *(*resize)(void *ptr, size_t bytes);
};

struct zend_heap {
    void *heap; /* PHP's zend_mm_heap; its first word says whether handlers are installed */
    struct zend_handlers handlers;
};

/* The heap's own functions: what a handler forwards to. */
extern void *_zend_mm_alloc(void *heap, size_t bytes) SHIM_WEAK;
extern void _zend_mm_free(void *heap, void *ptr) SHIM_WEAK;
extern void *_zend_mm_realloc(void *heap, void *ptr, size_t bytes) SHIM_WEAK;
extern size_t _zend_mm_block_size(void *heap, void *ptr) SHIM_WEAK;

/* Does the program export all that is needed, and is its heap its own?  0, -ENOSYS, or -EBUSY when
 * another tool (or USE_ZEND_ALLOC=0) has handlers of its own. */
int zend_heap_probe(void);

/* 0, -EBUSY or -EPROTO; on success `heap` is what the handlers are for. */
int zend_heap_install(struct zend_heap *heap, const struct zend_handlers *handlers);

enum zend_heap_end {
    ZEND_HEAP_REMOVED, /* as they should be */
    ZEND_HEAP_CUT,     /* a bailout had jumped out of one of them; removed now */
    ZEND_HEAP_FOREIGN, /* somebody else's are there: left alone */
};
enum zend_heap_end zend_heap_remove(struct zend_heap *heap);

/* True when opcache's JIT may be on, or when nobody can tell. */
bool zend_heap_may_have_jit(void);

/* Around the forwarded call. */
static inline void zend_heap_open(const struct zend_heap *heap)
{
    *(volatile int *) heap->heap = 0;
}

static inline void zend_heap_close(const struct zend_heap *heap)
{
    *(volatile int *) heap->heap = 1;
}

#endif
