/*
 * held_message.h - the picture of an armed request as HELD messages, the largest stacks first, each
 * with its text before it; what is left is one row without a stack.
 */
#ifndef FPMSCOPE_ZEND_HELD_MESSAGE_H
#define FPMSCOPE_ZEND_HELD_MESSAGE_H

#include <stdint.h>

#include "emit/batch.h"
#include "stack/worker_stacks.h"
#include "zend/picture.h"

struct held_request {
    struct worker_stacks *stacks;
    struct batch *batch;
    uint64_t seq, interval_bytes;
    uint32_t flags; /* enum wire_held_flag bits */
    int most;       /* rows with a stack */
};

enum { HELD_SEEN_MAX = 8 };

/* Before the REQUEST: SEEN, with a few of the picture's stacks, evenly among all; some of them lie
 * below the controller. */
void held_message_seen(const struct picture *picture, const struct held_request *request);

/* Uses the picture up: a stack that is told holds nothing any more. */
void held_message_tell(struct picture *picture, const struct held_request *request);

#endif
