/* collector_say.c - what goes wrong, a line each on stderr; and the clock of all its parts. */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/collect/collector_internal.h"

int64_t collector_now_us(void)
{
    return clock_now_us();
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
