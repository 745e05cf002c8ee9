/*
 * unwind_library.c - libunwind, opened by hand.
 *
 * libunwind.h is not included: its functions are reached by their mangled names (the header's
 * macros make _ULx86_64_... of unw_...; L is the local-only variant), and its one constant is
 * written down here, so that the shim builds and loads without the library.
 */
#include "stack/unwind_library.h"

#include <dlfcn.h>

#include "banned.h"

#if defined(__x86_64__)
#define UNWIND_TARGET "x86_64_"
#elif defined(__aarch64__)
#define UNWIND_TARGET "aarch64_"
#else
#error "name libunwind's prefix on this machine"
#endif

enum { CACHE_PER_THREAD = 2 }; /* UNW_CACHE_PER_THREAD */

/* libunwind 1.3 to 1.8 disagree on which functions have a local-only variant. */
static void *find_symbol(const struct unwind_loader *loader, void *handle, const char *local,
                         const char *generic)
{
    void *found = loader->symbol(handle, local);

    return found ? found : loader->symbol(handle, generic);
}

/* libunwind.so.1 is LLVM's library, another one; it is not tried. */
bool unwind_library_load(struct unwind_library *library, const struct unwind_loader *loader)
{
    struct unwind_library found = {.started = false};
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
    *library = found;
    return true;
}

bool unwind_library_may_help(struct unwind_library *library, uintptr_t pc)
{
    library->missed |= !library->backtrace;
    if (library->missed || library->asks == UNWIND_LIBRARY_ASKS_MAX ||
        library->vain_count == UNWIND_LIBRARY_VAIN_MAX)
        return false;
    for (size_t i = 0; i < library->vain_count; i++)
        if (library->vain[i] == pc)
            return false;
    return true;
}

size_t unwind_library_ask(struct unwind_library *library, uintptr_t *ret_pcs, size_t max)
{
    int got;

    library->asks++;
    if (!library->started) {
        library->set_caching(library->space, CACHE_PER_THREAD);
        library->started = true;
    }
    got = library->backtrace((void **) ret_pcs, (int) max);
    return got > 0 ? (size_t) got : 0;
}

void unwind_library_asked_in_vain(struct unwind_library *library, uintptr_t pc)
{
    if (library->vain_count < UNWIND_LIBRARY_VAIN_MAX)
        library->vain[library->vain_count++] = pc;
}

void unwind_library_forget(struct unwind_library *library)
{
    library->vain_count = 0;
    if (library->started)
        library->flush(library->space, 0, 0);
}
