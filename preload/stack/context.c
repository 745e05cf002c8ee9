/* context.c - see context.h. */
#include "stack/context.h"

#include <string.h>

#include "banned.h"

enum { FUNCTION_IS_INTERNAL = 1 };

static uintptr_t word_at(uintptr_t address, size_t offset)
{
    uintptr_t word;

    memcpy(&word, (const char *) address + offset, sizeof word); /* NOLINT */
    return word;
}

static uint64_t mix(uint64_t key, uintptr_t word)
{
    key = (key ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

uint64_t context_key(const struct php_engine *engine, const struct php_layout *layout)
{
    uintptr_t frame = word_at((uintptr_t) engine->executor_globals, layout->current_execute_data);
    uint64_t key = 1;

    for (int depth = 0; frame != 0 && depth < CONTEXT_DEPTH; depth++) {
        const uintptr_t function = word_at(frame, PHP_EX_FUNC);

        if (function != 0) {
            key = mix(key, function);
            /* The opcode of an internal function's frame is what was there before. */
            if (*(const uint8_t *) (function + PHP_FUNC_TYPE) != FUNCTION_IS_INTERNAL)
                key = mix(key, word_at(frame, PHP_EX_OPLINE));
        }
        frame = word_at(frame, layout->prev_execute_data);
    }
    key *= UINT64_C(0xd1b54a32d192ed03);
    return key != 0 ? key : 1;
}
