/*
 * fuzz_php_stack.c - PHP's memory full of any bytes, walked by the guarded reader as in a crash.
 *
 * The input fills a buffer; its words are read as offsets into the same buffer, so that links,
 * functions and strings point at each other instead of nowhere.
 */
#include <stdint.h>
#include <string.h>

#include "stack/php_stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(16) uint8_t memory[4096];

static void fill(const uint8_t *data, size_t size)
{
    memset(memory, 0, sizeof memory);
    memcpy(memory, data, size < sizeof memory ? size : sizeof memory);
    for (size_t i = 0; i + 8 <= sizeof memory; i += 8) {
        uintptr_t word;

        memcpy(&word, memory + i, sizeof word);
        if (word % 3 != 0 || word == 0) /* the others stay as they are: lengths, lies */
            continue;
        word = (uintptr_t) memory + word % (sizeof memory - 512) / 8 * 8;
        memcpy(memory + i, &word, sizeof word);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct php_engine engine = {.executor_globals = memory};
    static char text[16384];
    struct memory_reader reader;
    struct php_stack stack;

    fill(data, size);
    for (uint32_t i = 0; php_layout_at(i); i += 4) {
        size_t len;

        memory_reader_init(&reader);
        php_stack_walk(&engine, php_layout_at(i), &reader, &stack);
        len = php_stack_write(&stack, &reader, text, sizeof text);
        if (len > sizeof text || stack.count > LIMIT_PHP_FRAMES ||
            (len > 0 && text[len - 1] != '\n'))
            __builtin_trap();
    }
    return 0;
}
