/* heap.c - see heap.h. */
#include "zend/heap.h"

#include <errno.h>
#include <stdint.h>

#include "banned.h"

typedef void *(*allocate_fn)(size_t bytes);
typedef void (*release_fn)(void *ptr);
typedef void *(*resize_fn)(void *ptr, size_t bytes);
typedef size_t (*collect_fn)(void);
typedef void (*shutdown_fn)(bool full, bool silent);

extern void *zend_mm_get_heap(void) SHIM_WEAK;
extern size_t zend_mm_gc(void *heap) SHIM_WEAK;
extern void zend_mm_shutdown(void *heap, bool full, bool silent) SHIM_WEAK;
extern void zend_mm_set_custom_handlers(void *heap, allocate_fn, release_fn, resize_fn) SHIM_WEAK;
extern void zend_mm_get_custom_handlers(void *heap, allocate_fn *, release_fn *,
                                        resize_fn *) SHIM_WEAK;
/* Since 8.4; with it gc_mem_caches() goes on working. */
extern void zend_mm_set_custom_handlers_ex(void *heap, allocate_fn, release_fn, resize_fn,
                                           collect_fn, shutdown_fn) SHIM_WEAK;
/* Its type is zend_long; the name's length does not count the NUL. */
extern int64_t zend_ini_long(const char *name, size_t name_len, int original) SHIM_WEAK;

enum { FLAG_OWN = 0, FLAG_CUSTOM = 1 };

/* For the two callbacks of 8.4, which are given no heap. */
static void *collected_heap;

static int flag_of(const void *heap)
{
    return *(const volatile int *) heap;
}

int zend_heap_probe(void)
{
    void *heap;

    if (!_zend_mm_alloc || !_zend_mm_free || !_zend_mm_realloc || !_zend_mm_block_size ||
        !zend_mm_get_heap || !zend_mm_gc || !zend_mm_shutdown || !zend_mm_set_custom_handlers ||
        !zend_mm_get_custom_handlers)
        return -ENOSYS;
    heap = zend_mm_get_heap();
    return heap && flag_of(heap) == FLAG_OWN ? 0 : -EBUSY;
}

bool zend_heap_may_have_jit(void)
{
    static const char name[] = "opcache.jit_buffer_size";

    return !zend_ini_long || zend_ini_long(name, sizeof name - 1, 0) != 0;
}

static size_t on_collect(void)
{
    const struct zend_heap heap = {.heap = collected_heap};
    size_t bytes;

    zend_heap_open(&heap);
    bytes = zend_mm_gc(heap.heap);
    zend_heap_close(&heap);
    return bytes;
}

/* Handlers are gone before PHP shuts its heap down; should they not be, it is done as without. */
static void on_shutdown(bool full, bool silent)
{
    zend_mm_set_custom_handlers(collected_heap, NULL, NULL, NULL);
    zend_mm_shutdown(collected_heap, full, silent);
}

static void set_handlers(void *heap, const struct zend_handlers *handlers)
{
    collected_heap = heap;
    if (zend_mm_set_custom_handlers_ex)
        zend_mm_set_custom_handlers_ex(heap, handlers->allocate, handlers->release,
                                       handlers->resize, on_collect, on_shutdown);
    else
        zend_mm_set_custom_handlers(heap, handlers->allocate, handlers->release, handlers->resize);
}

static void clear_handlers(void *heap)
{
    if (zend_mm_set_custom_handlers_ex)
        zend_mm_set_custom_handlers_ex(heap, NULL, NULL, NULL, NULL, NULL);
    else
        zend_mm_set_custom_handlers(heap, NULL, NULL, NULL);
}

static bool are_installed(void *heap, const struct zend_handlers *handlers)
{
    struct zend_handlers found = {0};

    zend_mm_get_custom_handlers(heap, &found.allocate, &found.release, &found.resize);
    return found.allocate == handlers->allocate && found.release == handlers->release &&
           found.resize == handlers->resize;
}

int zend_heap_install(struct zend_heap *heap, const struct zend_handlers *handlers)
{
    heap->heap = zend_mm_get_heap();
    heap->handlers = *handlers;
    if (!heap->heap || flag_of(heap->heap) != FLAG_OWN)
        return -EBUSY;
    set_handlers(heap->heap, handlers);
    if (flag_of(heap->heap) == FLAG_CUSTOM && are_installed(heap->heap, handlers))
        return 0;
    clear_handlers(heap->heap);
    return -EPROTO;
}

enum zend_heap_end zend_heap_remove(struct zend_heap *heap)
{
    if (flag_of(heap->heap) == FLAG_OWN) {
        clear_handlers(heap->heap);
        return ZEND_HEAP_CUT;
    }
    if (!are_installed(heap->heap, &heap->handlers))
        return ZEND_HEAP_FOREIGN;
    clear_handlers(heap->heap);
    return ZEND_HEAP_REMOVED;
}
