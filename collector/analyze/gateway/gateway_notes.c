/* gateway_notes.c - sentences about the report as a whole: what it could not know. */
#include <stdarg.h>
#include <stdio.h>

#include "analyze/gateway/gateway_parts.h"

void gateway_note(struct gateway *gateway, const char *format, ...)
{
    struct slice *note = array_add(&gateway->notes);
    char text[512];
    va_list args;

    if (!note)
        return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *note = gateway_text(
        gateway, intern_put(&gateway->texts, slice_head((struct slice){text, sizeof text - 1},
                                                        n > 0 ? (size_t) n : 0)));
}

void notes_on_limits(struct gateway *gateway)
{
    const struct array *const arrays[] = {
        &gateway->hops,  &gateway->faults,   &gateway->deaths,    &gateway->served,
        &gateway->spans, &gateway->fetches,  &gateway->php_ends,  &gateway->ooms,
        &gateway->rows,  &gateway->requests, &gateway->fpm_notes, &gateway->kernel_crashes,
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        gateway->report.dropped += arrays[i]->refused;
    gateway->report.dropped += gateway->texts.refused;
    if (gateway->report.dropped > 0)
        gateway_note(gateway,
                     "too many failures to keep: %llu pieces of evidence were left out; "
                     "ask for a shorter period",
                     (unsigned long long) gateway->report.dropped);
    if (gateway->relative_events)
        gateway_note(gateway, "the event stream has a relative clock: it cannot be compared with "
                              "logs");
}

void notes_on_access(struct gateway *gateway)
{
    size_t unanswered = 0;

    if (gateway->sources & SOURCE_ACCESS)
        return;
    for (size_t i = 0; i < gateway->death_rows.count; i++) {
        const struct gateway_row *row = array_at(&gateway->death_rows, i);

        unanswered += row->method.len_bytes > 0;
    }
    if (unanswered > 0)
        gateway_note(gateway,
                     "no line of an access log was read: what clients got for the %zu request%s in "
                     "which workers died is not known (`fpmscope doctor` names the logs)",
                     unanswered, unanswered == 1 ? "" : "s");
}
