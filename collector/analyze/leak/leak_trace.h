/*
 * leak_trace.h - the leaks of one event stream, under the names that the summary gives its routes.
 *
 * In a stream of a host (its header says `clock` `unix`) the uri of a request is what the client
 * asked for, with ids and names in it: it is named by route_naming.h.  Streams without a clock are
 * simulated, and their uris are routes already.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_TRACE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_TRACE_H

#include "analyze/leak/leak.h"

struct leak_trace;

/* NULL without memory. */
struct leak_trace *leak_trace_new(void);
void leak_trace_free(struct leak_trace *trace);

/* In the order of the stream. */
void leak_trace_feed(struct leak_trace *trace, const struct event *event);

/*
 * As leak_verdicts(), to be freed with leak_report_free().  Pages that were named before their
 * template was folded are left out, as in the summary: they go by another name now.
 */
struct leak_report *leak_trace_verdicts(struct leak_trace *trace);

#endif
