/* collector_say.c - what goes wrong, a line each on stderr; and the clock of all its parts. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "cli/collect/collector_internal.h"

int64_t collector_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void collector_say(const char *format, ...)
{
    va_list args;

    fputs("fpmscope: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
