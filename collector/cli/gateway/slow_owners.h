/*
 * slow_owners.h - blocks of php-fpm's slow log, told to the gateway as the module that each worker
 * was stuck in.  The slow log names files and no classes; the files are enough.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_SLOW_OWNERS_H
#define FPMSCOPE_CLI_GATEWAY_SLOW_OWNERS_H

#include "analyze/gateway/gateway.h"
#include "analyze/module/module.h"
#include "model/log_event.h"

/* Any event may be given; those that are no slow block, or name no module, say nothing. */
void slow_owners_note(struct gateway *gateway, const struct module_rules *rules,
                      const struct log_event *event);

#endif
