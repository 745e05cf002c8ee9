/*
 * stack_message.h - the id of the stack at hand; its text goes into the batch when it is new.
 */
#ifndef FPMSCOPE_ALLOC_STACK_MESSAGE_H
#define FPMSCOPE_ALLOC_STACK_MESSAGE_H

#include <stdint.h>

#include "emit/batch.h"
#include "stack/worker_stacks.h"

/* `what` and `caller` as in worker_stacks_take().  0: no frames, or the text could not be taken. */
uint32_t stack_message_take(struct worker_stacks *stacks, struct batch *batch, const void *caller,
                            unsigned what);

#endif
