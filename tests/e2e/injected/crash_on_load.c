/* crash_on_load.c - a library whose constructor crashes: whoever loads it dies inside dlopen(). */
#include <stddef.h>

/* Not a constant: gcc 12 drops a constructor that can only crash. */
static volatile int *volatile nowhere = NULL;

__attribute__((constructor)) static void crash(void)
{
    *nowhere = 1;
}
