/* stack_message.c - see stack_message.h. */
#include "alloc/stack_message.h"

#include "fpmscope/wire.h"
#include "banned.h"

static uint32_t stack_message_announce(struct worker_stacks *stacks, struct batch *batch,
                                       const struct stack_text *text, struct wire_stack message,
                                       uint32_t id)
{
    message.id = id;
    if (batch_add(batch, WIRE_INDEX_STACK, &message))
        return id;
    worker_stacks_unsent(stacks, text);
    return 0;
}

uint32_t stack_message_take(struct worker_stacks *stacks, struct batch *batch, const void *caller,
                            unsigned what)
{
    struct stack_text text;
    uint32_t id = worker_stacks_take(stacks, caller, what, &text);

    if (id == 0 || !text.is_new)
        return id;
    return stack_message_announce(
        stacks, batch, &text,
        (struct wire_stack){
            .php = {text.php, text.php_len_bytes},
            .native = {(const char *) text.pcs, (uint16_t) (text.pc_count * sizeof *text.pcs)},
        },
        id);
}

uint32_t stack_message_say(struct worker_stacks *stacks, struct batch *batch, uint64_t hash,
                           const struct wire_stack *message)
{
    struct stack_text text = {.hash = hash};
    const uint32_t id = worker_stacks_intern(stacks, &text);

    return text.is_new ? stack_message_announce(stacks, batch, &text, *message, id) : id;
}

void stack_message_seen(struct batch *batch, uint64_t seq, const uint32_t *ids, size_t count)
{
    const struct wire_seen message = {
        .seq = seq,
        .stacks = {(const char *) ids, (uint16_t) (count * sizeof *ids)},
    };

    if (count > 0)
        batch_add(batch, WIRE_INDEX_SEEN, &message);
}
