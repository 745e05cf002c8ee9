/* held_message.c - see held_message.h. */
#include "zend/held_message.h"

#include "alloc/stack_message.h"
#include "fpmscope/wire.h"
#include "banned.h"

static struct wire_held held_describe(const struct held_request *request,
                                      const struct picture_stack *stack, uint32_t id)
{
    return (struct wire_held){
        .seq = request->seq,
        .stack = id,
        .bytes = stack->peak_bytes,
        .samples = stack->peak_blocks,
        .interval_bytes = request->interval_bytes,
        .flags = request->flags,
    };
}

/* The id of its text, which is told first; 0 when that is not possible. */
static uint32_t held_intern(const struct held_request *request, const struct picture *picture,
                            const struct picture_stack *stack)
{
    const struct wire_stack message = {
        .php = {picture->texts + stack->text_at, (uint16_t) stack->text_len_bytes},
    };

    if (stack->text_len_bytes == 0)
        return 0;
    return stack_message_say(request->stacks, request->batch, stack->hash, &message);
}

static struct picture_stack *held_largest(struct picture *picture, uint64_t at_least_bytes)
{
    struct picture_stack *largest = NULL;

    for (uint32_t i = PICTURE_OTHERS + 1; i < picture->stack_count; i++) {
        struct picture_stack *stack = &picture->stacks[i];

        if (stack->peak_bytes >= at_least_bytes &&
            (!largest || stack->peak_bytes > largest->peak_bytes))
            largest = stack;
    }
    return largest;
}

static void held_move(struct picture_stack *from, struct picture_stack *to)
{
    to->peak_bytes += from->peak_bytes;
    to->peak_blocks += from->peak_blocks;
    from->peak_bytes = from->peak_blocks = 0;
}

void held_message_tell(struct picture *picture, const struct held_request *request)
{
    const uint64_t at_least_bytes = picture->peak_bytes / 2048 + 1;
    struct picture_stack others = picture->stacks[PICTURE_OTHERS], told, *stack;
    struct wire_held message;

    for (int i = 0; i < request->most && (stack = held_largest(picture, at_least_bytes)); i++) {
        const uint32_t id = held_intern(request, picture, stack);

        told = (struct picture_stack){0};
        held_move(stack, id != 0 ? &told : &others);
        message = held_describe(request, &told, id);
        if (id != 0)
            batch_add(request->batch, WIRE_INDEX_HELD, &message);
    }
    for (uint32_t i = PICTURE_OTHERS + 1; i < picture->stack_count; i++)
        held_move(&picture->stacks[i], &others);
    message = held_describe(request, &others, 0);
    batch_add(request->batch, WIRE_INDEX_HELD, &message);
}

void held_message_seen(const struct picture *picture, const struct held_request *request)
{
    const uint32_t first = PICTURE_OTHERS + 1;
    const uint32_t count = picture->stack_count > first ? picture->stack_count - first : 0;
    const uint32_t wanted = count < HELD_SEEN_MAX ? count : HELD_SEEN_MAX;
    uint32_t ids[HELD_SEEN_MAX], seen = 0;

    for (uint32_t i = 0; i < wanted; i++) {
        const uint32_t id =
            held_intern(request, picture, &picture->stacks[first + i * count / wanted]);

        if (id != 0)
            ids[seen++] = id;
    }
    stack_message_seen(request->batch, request->seq, ids, seen);
}
