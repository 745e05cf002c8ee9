/* gateway_owners.c - the summary's opinion about each crash, told to the gateway. */
#include "cli/gateway/gateway_owners.h"

#include <errno.h>

#include "analyze/summary/summary.h"
#include "cli/gateway/growth_owners.h"
#include "cli/input/module_config.h"

static int on_event(void *ctx, const struct event *event)
{
    summary_add_event(ctx, event);
    return 0;
}

static void tell(const struct summary_result *result, struct gateway *gateway)
{
    for (size_t i = 0; i < result->crash_count; i++) {
        const struct summary_crash *crash = &result->crashes[i];

        if (crash->module.len_bytes > 0)
            gateway_note_owner(gateway, &(struct gateway_owner){GATEWAY_OWNER_CRASH, crash->pid,
                                                                crash->time_us, crash->module,
                                                                crash->blamed_frame});
    }
}

int gateway_owners_of_store(struct store *store, const struct period *period,
                            struct gateway *gateway)
{
    const struct store_query query = {.from_us = period->from_us,
                                      .to_us = period->to_us,
                                      .kinds = STORE_KIND(crash) | STORE_KIND(stk)};
    struct module_config modules;

    module_config_init(&modules, true);
    module_config_read_default(&modules);
    struct summary *summary = summary_new(&(struct summary_options){.rules = &modules.rules});
    int r = summary ? store_each_event(store, &query, on_event, summary) : -ENOMEM;

    if (r == 0)
        tell(summary_finish(summary), gateway);
    if (r == 0)
        r = growth_owners_note(store, &query, &modules.rules, gateway);
    summary_free(summary);
    module_config_release(&modules);
    return r;
}
