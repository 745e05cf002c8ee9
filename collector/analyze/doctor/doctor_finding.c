/* doctor_finding.c - say, raise, fix. */
#include "analyze/doctor/doctor_finding.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* `text` whole, or nothing of it. */
static bool append(struct doctor_finding *finding, const char *before, const char *text,
                   const char *behind)
{
    const size_t used = strlen(finding->fix);
    const size_t more = strlen(before) + strlen(text) + strlen(behind);

    if (used + more >= sizeof finding->fix)
        return false;
    snprintf(finding->fix + used, sizeof finding->fix - used, "%s%s%s", before, text, behind);
    return true;
}

void doctor_fix_in(struct doctor_finding *finding, const char *place, const char *format, ...)
{
    const bool first = finding->fix[0] == '\0';
    const size_t used = strlen(finding->fix);
    char text[DOCTOR_FIX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!first && strncmp(finding->fix + finding->fix_latest, text, strlen(text)) == 0)
        append(finding, ", ", place, "");
    else if (append(finding, first ? "" : "; ", text, place))
        finding->fix_latest = first ? 0 : used + strlen("; ");
}

void doctor_fix_also(struct doctor_finding *finding, const char *format, ...)
{
    char text[DOCTOR_FIX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!strstr(finding->fix, text))
        append(finding, finding->fix[0] ? "; " : "", text, "");
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
