/*
 * growth_owners.h - who was taking memory in each request, told to the gateway: for requests that
 * the OOM killer or memory_limit ended.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_GROWTH_OWNERS_H
#define FPMSCOPE_CLI_GATEWAY_GROWTH_OWNERS_H

#include "analyze/gateway/gateway.h"
#include "analyze/module/module.h"
#include "store/store.h"

/*
 * Of each request that grew in the period of `query` (its kinds are not looked at) the stack that
 * took most, and the module to blame for it.  0 or a negative errno.
 */
int growth_owners_note(struct store *store, const struct store_query *query,
                       const struct module_rules *rules, struct gateway *gateway);

#endif
