/* doctor_finding.c - say, raise, fix. */
#include "analyze/doctor/doctor_finding.h"

#include <stdarg.h>
#include <stdio.h>

const char *doctor_state_name(enum doctor_state state)
{
    static const char *const names[DOCTOR_STATE_COUNT] = {"ok", "skipped", "warn", "fail"};

    return names[state];
}

__attribute__((format(printf, 2, 0))) static void add_line(struct doctor_finding *finding,
                                                           const char *format, va_list args)
{
    if (finding->evidence_count == DOCTOR_EVIDENCE_MAX) {
        finding->evidence_left_out++;
        return;
    }
    vsnprintf(finding->evidence[finding->evidence_count++], DOCTOR_LINE_BYTES, format, args);
}

void doctor_say(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_line(finding, format, args);
    va_end(args);
}

void doctor_raise(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
{
    va_list args;

    if (finding->state < state)
        finding->state = state;
    va_start(args, format);
    add_line(finding, format, args);
    va_end(args);
}

void doctor_skip(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;

    if (finding->state == DOCTOR_OK)
        finding->state = DOCTOR_SKIPPED;
    va_start(args, format);
    add_line(finding, format, args);
    va_end(args);
}

void doctor_fix(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;

    if (finding->fix[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(finding->fix, sizeof finding->fix, format, args);
    va_end(args);
}

const char *doctor_amount(int64_t bytes, char *buf, size_t cap)
{
    const double mib = (double) bytes / (1 << 20);

    if (mib >= 1024)
        snprintf(buf, cap, "%.1f GB", mib / 1024);
    else if (mib >= 10)
        snprintf(buf, cap, "%.0f MB", mib);
    else
        snprintf(buf, cap, "%.1f MB", mib);
    return buf;
}
