/*
 * wrap_dlopen.c - see wrap_dlopen.h.
 *
 * The loader looks at the return address of dlopen() to learn whose RUNPATH, $ORIGIN and namespace
 * count.  So this must be a jump, not a call: `make check-shim` looks at the machine code.
 */
#include "alloc/wrap_dlopen.h"

#include <dlfcn.h>

#include "base/marks.h"
#include "base/real.h"
#include "banned.h"

static int dlopen_kept_flags = ~0;

void wrap_dlopen_without_deepbind(void)
{
    dlopen_kept_flags = ~RTLD_DEEPBIND;
}

/* -O2 in every variant: the others do not make tail calls. */
SHIM_EXPORT __attribute__((optimize("O2"))) void *dlopen(const char *file, int flags)
{
    return real.dlopen(file, flags & dlopen_kept_flags);
}
