/* summary_crashes.c - deaths as people want them: with route, module, stacks. */
#include "analyze/route/route_controller.h"
#include "analyze/summary/summary_parts.h"

static struct slice killer_name(enum death_killer killer)
{
    static const char *const names[] = {
        [DEATH_UNKNOWN] = "",      [DEATH_SELF] = "self",     [DEATH_OUTSIDE] = "outside",
        [DEATH_KERNEL] = "kernel", [DEATH_MASTER] = "master",
    };

    return slice_of(names[killer]);
}

static void add_stacks(struct summary *summary, const struct stack_row *stack,
                       struct summary_crash *crash)
{
    struct stack_opinion opinion = summary_opinion(summary, stack, BLAME_CRASH);
    const struct intern *texts = &summary->texts;

    crash->module = opinion.module;
    crash->tier = opinion.tier;
    crash->blamed_frame = opinion.blamed_frame;
    crash->culprit_library = opinion.allocated_in;
    for (uint16_t i = 0;
         i < stack->native_count && crash->native_stack.count < SUMMARY_STACK_FRAMES; i++)
        crash->native_stack.items[crash->native_stack.count++] =
            intern_text(texts, stack->native[i]);
    for (size_t i = 0; i < opinion.frames.count; i++)
        if (i >= opinion.native_count)
            crash->php_stack.items[crash->php_stack.count++] = opinion.frames.items[i];
    if (crash->faulting.len_bytes == 0 && stack->native_count > 0)
        crash->faulting = intern_text(texts, stack->native[0]);
}

/* Where it crashed, the controller is on the stack. */
static struct slice route_of_death(struct summary *summary, struct slice uri,
                                   const struct stack_row *stack)
{
    struct slice frames[EVENT_FRAMES_MAX], controller = SLICE("");
    struct route_controller found;

    for (uint16_t i = 0; stack && i < stack->php_count; i++)
        frames[i] = intern_text(&summary->texts, stack->php[i]);
    if (stack && route_controller_of_stack(frames, stack->php_count, &found))
        controller = slice_of(found.name);
    return intern_text(&summary->texts, route_naming_name(&summary->naming, uri, controller));
}

/* Only of the request that it died in: an earlier one's growth is nobody's business here. */
static void add_growers(struct summary *summary, const struct death *death,
                        struct summary_crash *crash)
{
    const struct growth_page *page =
        growth_book_find(&summary->growths, death->pid, death->start_ticks);

    if (page && (page->died || (page->seq != 0 && page->seq == death->request.seq)))
        crash->grown = summary_growers_of(summary, page);
}

static void conclude(struct summary *summary, const struct death *death,
                     struct summary_crash *ret_crash)
{
    const struct intern *texts = &summary->texts;
    const struct stack_row *stack = stack_ledger_find(&summary->stacks, death->stack);

    *ret_crash = (struct summary_crash){
        .time_us = death->time_us,
        .pid = death->pid,
        .start_ticks = death->start_ticks,
        .seq = death->request.seq,
        .pool = intern_text(texts, death->pool),
        .method = intern_text(texts, death->request.method),
        .uri = intern_text(texts, death->request.uri),
        .request_id = intern_text(texts, death->request.request_id),
        .host = intern_text(texts, death->request.host),
        .signo = death->signo,
        .code = death->code,
        .killer = killer_name(death->killer),
        .stack_overflow = death->stack_overflow,
        .in_request = death->in_request,
        .response_sent = death->response_sent,
        .has_report = death->has_report,
        .faulting = intern_text(texts, death->faulting),
        .rss_kib = death->rss_kib,
        .zend_peak_bytes = death->zend_peak_kib * 1024,
        .live_bytes = death->live_bytes,
        .age_us = death->age_us,
        .client_status = death->client_status,
    };
    ret_crash->route = route_of_death(summary, ret_crash->uri, stack);
    if (stack)
        add_stacks(summary, stack, ret_crash);
    add_growers(summary, death, ret_crash);
}

void summary_conclude_crashes(struct summary *summary)
{
    size_t count = summary->deaths.deaths.count;
    struct summary_crash *crashes = arena_alloc(&summary->arena, (count + 1) * sizeof *crashes);

    if (!crashes)
        count = 0;
    for (size_t i = 0; i < count; i++)
        conclude(summary, array_at(&summary->deaths.deaths, i), &crashes[i]);
    summary->result.crashes = crashes;
    summary->result.crash_count = count;
}
