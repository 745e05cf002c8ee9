/* no_deepbind.c - preloaded before an allocator that cannot live with RTLD_DEEPBIND. */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(const char *file, int flags)
{
    static void *(*next)(const char *file, int flags);

    if (!next)
        *(void **) &next = dlsym(RTLD_NEXT, "dlopen");
    return next(file, flags & ~RTLD_DEEPBIND); /* the loader looks at who called */
}
