/*
 * native_stack.c - libunwind, opened by hand.
 *
 * libunwind.h is not included: its functions are reached by their mangled names (the header's
 * macros make _ULx86_64_... of unw_...; L is the local-only variant), and its one constant is
 * written down here, so that the shim builds and loads without the library.
 */
#include "stack/native_stack.h"

#include <dlfcn.h>

#include "banned.h"

#if defined(__x86_64__)
#define UNWIND_TARGET "x86_64_"
#elif defined(__aarch64__)
#define UNWIND_TARGET "aarch64_"
#else
#error "name libunwind's prefix on this machine"
#endif

enum {
    CACHE_PER_THREAD = 2, /* UNW_CACHE_PER_THREAD */
    OWN_FRAMES_MAX = 16,  /* ours that may lie between here and the wrapped function's caller */
    CAPTURE_MAX = 64,
};

/* libunwind 1.3 to 1.8 disagree on which functions have a local-only variant. */
static void *find_symbol(const struct native_loader *loader, void *handle, const char *local,
                         const char *generic)
{
    void *found = loader->symbol(handle, local);

    return found ? found : loader->symbol(handle, generic);
}

bool native_stack_load(struct native_stack *native, const struct native_loader *loader)
{
    struct native_stack found = {.started = false};
    void *const handle = loader->open("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    void *const *space;

    if (!handle)
        return false;
    *(void **) &found.backtrace = loader->symbol(handle, "unw_backtrace");
    *(void **) &found.set_caching =
        find_symbol(loader, handle, "_UL" UNWIND_TARGET "set_caching_policy",
                    "_U" UNWIND_TARGET "set_caching_policy");
    *(void **) &found.flush = find_symbol(loader, handle, "_UL" UNWIND_TARGET "flush_cache",
                                          "_U" UNWIND_TARGET "flush_cache");
    space = find_symbol(loader, handle, "_UL" UNWIND_TARGET "local_addr_space",
                        "_U" UNWIND_TARGET "local_addr_space");
    if (!found.backtrace || !found.set_caching || !found.flush || !space)
        return false;
    found.space = *space;
    *native = found;
    return true;
}

void native_stack_start(struct native_stack *native)
{
    void *pcs[4];

    if (!native->backtrace || native->started)
        return;
    native->set_caching(native->space, CACHE_PER_THREAD);
    native->backtrace(pcs, 4); /* its tables and descriptors, at a moment that we choose */
    native->started = true;
}

size_t native_stack_capture(struct native_stack *native, const void *caller, uintptr_t *ret_pcs,
                            size_t max)
{
    void *pcs[CAPTURE_MAX];
    int got, first = 0;
    size_t count;

    if (!native->started)
        return 0;
    got = native->backtrace(
        pcs, (int) (max < CAPTURE_MAX - OWN_FRAMES_MAX ? max + OWN_FRAMES_MAX : CAPTURE_MAX));
    if (got <= 0)
        return 0;
    while (first < got && pcs[first] != caller)
        first++;
    if (first == got)
        first = 0;
    count = (size_t) (got - first) < max ? (size_t) (got - first) : max;
    for (size_t i = 0; i < count; i++)
        ret_pcs[i] = (uintptr_t) pcs[(size_t) first + i];
    return count;
}

void native_stack_flush(struct native_stack *native)
{
    if (native->started)
        native->flush(native->space, 0, 0);
}
