/* php_stack_check.c - is the walker right?  Ask the engine, by pointer and line. */
#include "stack/php_stack.h"

#include "banned.h"

static const struct php_frame *running_user_code(const struct php_stack *stack)
{
    for (uint32_t i = 0; i < stack->count; i++)
        if (stack->frames[i].file != 0)
            return &stack->frames[i];
    return NULL;
}

enum php_stack_check php_stack_check(const struct php_engine *engine, const struct php_stack *stack)
{
    const struct php_frame *user = running_user_code(stack);

    if (!engine->executed_filename || !engine->executed_line)
        return PHP_STACK_WRONG;
    /* A frame under construction, or an exception in flight: the engine looks elsewhere. */
    if (!user || user->line == 0)
        return PHP_STACK_UNCHECKED;
    if ((uintptr_t) engine->executed_filename() != user->file + PHP_STRING_VAL ||
        engine->executed_line() != user->line)
        return PHP_STACK_WRONG;
    return PHP_STACK_RIGHT;
}
