/* collector_escalation.c - see collector_escalation.h. */
#include "cli/collect/collector_escalation.h"

#include <errno.h>

#include "analyze/leak/escalation.h"
#include "cli/collect/collector_internal.h"

enum { CHOOSE_EVERY_MS = 2000 };

static void on_choose_time(void *ctx)
{
    struct collector *collector = ctx;
    const struct escalation_wish wish = escalation_choose(collector->escalation);

    ingest_wish(collector->ingest,
                &(struct ingest_wish){.path = wish.path,
                                      .whole_path = wish.whole_path,
                                      .interval_bytes = ESCALATION_INTERVAL_BYTES});
}

int collector_escalation_start(struct collector *collector)
{
    collector->escalation = escalation_new();
    if (!collector->escalation)
        return -ENOMEM;
    return loop_watch_time(collector->loop, CHOOSE_EVERY_MS, CHOOSE_EVERY_MS, on_choose_time,
                           collector, &collector->escalation_timer);
}

void collector_escalation_stop(struct collector *collector)
{
    loop_watch_free(collector->escalation_timer);
    escalation_free(collector->escalation);
    collector->escalation = NULL;
}

void collector_escalation_feed(void *ctx, const struct event *event)
{
    const struct collector *collector = ctx;

    if (collector->escalation)
        escalation_feed(collector->escalation, event);
}
