/*
 * stack_message.h - stacks in messages: an id, and the text goes into the batch when it is new.
 */
#ifndef FPMSCOPE_ALLOC_STACK_MESSAGE_H
#define FPMSCOPE_ALLOC_STACK_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "emit/batch.h"
#include "stack/worker_stacks.h"

/* The id of the stack at hand; `what` and `caller` as in worker_stacks_take().  0: no frames, or
 * the text could not be taken. */
uint32_t stack_message_take(struct worker_stacks *stacks, struct batch *batch, const void *caller,
                            unsigned what);

/* The id of a stack whose text is `message` (but for its id), under the hash that
 * worker_stacks_look() gave it.  0: the text could not be taken. */
uint32_t stack_message_say(struct worker_stacks *stacks, struct batch *batch, uint64_t hash,
                           const struct wire_stack *message);

/* SEEN: these stacks were met in the request. */
void stack_message_seen(struct batch *batch, uint64_t seq, const uint32_t *ids, size_t count);

#endif
