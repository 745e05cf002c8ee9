/* gateway_owners.h - tell the gateway which modules the workers of a store were in: when
 * they crashed, and who took memory in their requests. */
#ifndef FPMSCOPE_CLI_GATEWAY_GATEWAY_OWNERS_H
#define FPMSCOPE_CLI_GATEWAY_GATEWAY_OWNERS_H

#include "analyze/gateway/gateway.h"
#include "cli/input/period.h"
#include "store/store.h"

/* Reads crashes, growths and their stacks only.  0 or a negative errno. */
int gateway_owners_of_store(struct store *store, const struct period *period,
                            struct gateway *gateway);

#endif
