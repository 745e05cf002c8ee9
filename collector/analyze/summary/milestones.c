/* milestones.c - the moments after which things may be different. */
#include "analyze/summary/milestones.h"

void milestones_init(struct milestones *milestones, struct intern *texts)
{
    array_init(&milestones->list, sizeof(struct milestone), MILESTONES_MAX);
    milestones->texts = texts;
}

void milestones_release(struct milestones *milestones)
{
    array_release(&milestones->list);
}

void milestones_feed(struct milestones *milestones, const struct event *event, uint64_t requests)
{
    if (event->kind != EVENT_mark && event->kind != EVENT_master)
        return;
    struct milestone *milestone = array_add(&milestones->list);

    if (!milestone)
        return;
    milestone->kind = event->kind == EVENT_mark ? MILESTONE_MARK : MILESTONE_RESTART;
    milestone->time_us = event->ts_us;
    milestone->requests_before = requests;
    if (event->kind == EVENT_mark)
        milestone->name =
            intern_text(milestones->texts, intern_put(milestones->texts, event->name));
}

const struct milestone *milestone_before(const struct milestone *list, size_t count,
                                         enum milestone_kind kind, int64_t time_us)
{
    for (size_t i = count; i-- > 0;)
        if (list[i].kind == kind && list[i].time_us <= time_us && list[i].requests_before > 0)
            return &list[i];
    return NULL;
}

const struct milestone *milestone_lately(const struct milestone *list, size_t count,
                                         int64_t time_us)
{
    const int64_t day_us = INT64_C(86400) * 1000000;
    const struct milestone *latest = NULL;

    for (int kind = 0; kind < MILESTONE_KINDS; kind++) {
        const struct milestone *milestone =
            milestone_before(list, count, (enum milestone_kind) kind, time_us);

        if (milestone && time_us - milestone->time_us <= day_us &&
            (!latest || milestone->time_us > latest->time_us))
            latest = milestone;
    }
    return latest;
}
