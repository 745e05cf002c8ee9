/*
 * loader.h - is the dynamic loader in the middle of something?
 *
 * dlopen() must stay a tail call, so it cannot say when it returns.  But the loader tells debuggers
 * whether its list of libraries is whole, and that is what an unwinder needs to know, too.
 */
#ifndef FPMSCOPE_BASE_LOADER_H
#define FPMSCOPE_BASE_LOADER_H

#include <link.h>
#include <stdbool.h>

#include "base/marks.h"

extern struct r_debug _r_debug SHIM_WEAK;

static inline bool loader_is_busy(void)
{
    return !&_r_debug || _r_debug.r_state != RT_CONSISTENT;
}

#endif
