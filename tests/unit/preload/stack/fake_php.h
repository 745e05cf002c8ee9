/*
 * fake_php.h - PHP's structures built by hand, by the offsets of one row of layouts.def.
 *
 * A heap of words in which a test lays out executor_globals, frames, functions and strings; what
 * it returns are addresses, as the walker sees them.  Everything dies with the struct.
 */
#ifndef FPMSCOPE_TESTS_FAKE_PHP_H
#define FPMSCOPE_TESTS_FAKE_PHP_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "stack/php_stack.h"

enum { FAKE_PHP_HEAP_BYTES = 4 << 20, FAKE_GLOBALS_BYTES = 1800 };

struct fake_php {
    const struct php_layout *layout;
    struct php_engine engine;
    size_t used_bytes;
    _Alignas(16) uint8_t heap[FAKE_PHP_HEAP_BYTES];
};

static inline uintptr_t fake_alloc(struct fake_php *php, size_t size_bytes)
{
    const uintptr_t at = (uintptr_t) php->heap + php->used_bytes;

    php->used_bytes += (size_bytes + 15) & ~(size_t) 15;
    assert(php->used_bytes <= sizeof php->heap);
    return at;
}

static inline void fake_poke(uintptr_t address, uintptr_t value)
{
    memcpy((void *) address, &value, sizeof value);
}

static inline void fake_php_init(struct fake_php *php, const char *branch)
{
    memset(php, 0, sizeof *php);
    for (uint32_t i = 0; (php->layout = php_layout_at(i)); i++)
        if (strcmp(php->layout->branch, branch) == 0)
            break;
    assert(php->layout);
    php->engine.executor_globals = (void *) fake_alloc(php, FAKE_GLOBALS_BYTES);
}

static inline uintptr_t fake_string_n(struct fake_php *php, const char *text, size_t len_bytes)
{
    const uintptr_t at = fake_alloc(php, PHP_STRING_VAL + len_bytes + 1);

    fake_poke(at + PHP_STRING_LEN, len_bytes);
    memcpy((void *) (at + PHP_STRING_VAL), text, len_bytes);
    return at;
}

static inline uintptr_t fake_string(struct fake_php *php, const char *text)
{
    return text ? fake_string_n(php, text, strlen(text)) : 0;
}

/* A function of `type` 1 internal, 2 user, 4 eval; any text may be NULL. */
static inline uintptr_t fake_function(struct fake_php *php, uint8_t type, const char *name,
                                      const char *class_name, const char *file)
{
    const uintptr_t at = fake_alloc(php, 256);

    *(uint8_t *) at = type;
    fake_poke(at + PHP_FUNC_NAME, fake_string(php, name));
    if (class_name) {
        const uintptr_t class_entry = fake_alloc(php, 64);

        fake_poke(class_entry + PHP_CLASS_NAME, fake_string(php, class_name));
        fake_poke(at + PHP_FUNC_SCOPE, class_entry);
    }
    if (file)
        fake_poke(at + php->layout->filename, fake_string(php, file));
    return at;
}

static inline uintptr_t fake_running(const struct fake_php *php)
{
    uintptr_t at;

    memcpy(&at, (const char *) php->engine.executor_globals + php->layout->current_execute_data,
           sizeof at);
    return at;
}

/* Call `function` (0: a placeholder frame) at `line`; returns the frame. */
static inline uintptr_t fake_call(struct fake_php *php, uintptr_t function, uint32_t line)
{
    const uintptr_t frame = fake_alloc(php, 80);
    const uintptr_t opline = fake_alloc(php, 32);

    memcpy((void *) (opline + PHP_OP_LINE), &line, sizeof line);
    fake_poke(frame + PHP_EX_OPLINE, opline);
    fake_poke(frame + PHP_EX_FUNC, function);
    fake_poke(frame + php->layout->prev_execute_data, fake_running(php));
    fake_poke((uintptr_t) php->engine.executor_globals + php->layout->current_execute_data, frame);
    return frame;
}

#endif
