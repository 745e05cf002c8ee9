/*
 * collector_escalation.h - the daemon asks for finer samples of a route that leaks without a stack.
 *
 * The analysis (analyze/escalation.h) sees every event that goes into the store; every two seconds
 * it is asked, and its wish is written into the pages of some workers (ingest_wish).
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_ESCALATION_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_ESCALATION_H

struct collector;
struct event;

/* 0, or -ENOMEM. */
int collector_escalation_start(struct collector *collector);
void collector_escalation_stop(struct collector *collector);

/* For ingest_policy.on_event; `ctx` is the collector. */
void collector_escalation_feed(void *ctx, const struct event *event);

#endif
