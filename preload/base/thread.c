/* thread.c - see thread.h. */
#include "base/thread.h"

#include "banned.h"

__thread struct thread thread_self;
