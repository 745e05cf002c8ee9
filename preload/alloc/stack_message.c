/* stack_message.c - see stack_message.h. */
#include "alloc/stack_message.h"

#include "banned.h"

uint32_t stack_message_take(struct worker_stacks *stacks, struct batch *batch, const void *caller,
                            unsigned what)
{
    struct stack_text text;
    uint32_t id = worker_stacks_take(stacks, caller, what, &text);
    struct wire_stack message;

    if (id == 0 || !text.is_new)
        return id;
    message = (struct wire_stack){
        .id = id,
        .php = {text.php, text.php_len_bytes},
        .native = {(const char *) text.pcs, (uint16_t) (text.pc_count * sizeof *text.pcs)},
    };
    if (batch_add(batch, WIRE_INDEX_STACK, &message))
        return id;
    worker_stacks_unsent(stacks, &text);
    return 0;
}
