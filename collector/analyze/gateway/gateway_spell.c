/* gateway_spell.c - signals, times and sizes as people write them. */
#include <stdio.h>
#include <time.h>

#include "analyze/gateway/gateway_words.h"

struct slice spell_signal(struct gateway *gateway, int signo)
{
    static const char *const names[] = {
        [1] = "SIGHUP",   [2] = "SIGINT",   [3] = "SIGQUIT",  [4] = "SIGILL",   [5] = "SIGTRAP",
        [6] = "SIGABRT",  [7] = "SIGBUS",   [8] = "SIGFPE",   [9] = "SIGKILL",  [10] = "SIGUSR1",
        [11] = "SIGSEGV", [12] = "SIGUSR2", [13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM",
        [24] = "SIGXCPU", [25] = "SIGXFSZ", [31] = "SIGSYS",
    };
    char text[32];

    if (signo <= 0)
        return SLICE("");
    if (signo < (int) (sizeof names / sizeof names[0]) && names[signo])
        return slice_of(names[signo]);
    snprintf(text, sizeof text, "signal %d", signo);
    return gateway_text(gateway, intern_put(&gateway->texts, slice_of(text)));
}

void spell_time(char *text, size_t size_bytes, int64_t time_us)
{
    time_t seconds = (time_t) (time_us / SECOND_US);
    struct tm tm;

    text[0] = '\0';
    if (gmtime_r(&seconds, &tm))
        strftime(text, size_bytes, "%H:%M:%S UTC", &tm);
}

void spell_duration(char *text, size_t size_bytes, int64_t duration_us)
{
    double seconds = (double) duration_us / SECOND_US;

    if (duration_us < 0)
        snprintf(text, size_bytes, "some time");
    else if (seconds < 1)
        snprintf(text, size_bytes, "%.3f s", seconds);
    else if (seconds < 120)
        snprintf(text, size_bytes, "%.1f s", seconds);
    else
        snprintf(text, size_bytes, "%.0f min", seconds / 60);
}

void spell_kib(char *text, size_t size_bytes, int64_t kib)
{
    if (kib >= 1024 * 1024)
        snprintf(text, size_bytes, "%.1f GiB", (double) kib / (1024 * 1024));
    else if (kib >= 1024)
        snprintf(text, size_bytes, "%lld MiB", (long long) (kib / 1024));
    else
        snprintf(text, size_bytes, "%lld KiB", (long long) kib);
}
