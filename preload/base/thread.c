/* thread.c - see thread.h. */
#include "base/thread.h"

#include "banned.h"

__thread struct thread thread_self = {.free_filter = free_filter_closed};
