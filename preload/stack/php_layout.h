/*
 * php_layout.h - where the fields of PHP's structures lie, one row per version (layouts.def).
 *
 * An unknown version, a thread-safe or a debug build has no row: no PHP stacks, never a guess.
 */
#ifndef FPMSCOPE_STACK_PHP_LAYOUT_H
#define FPMSCOPE_STACK_PHP_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/php_engine.h"

struct php_layout {
    const char *branch; /* "8.2" */
    uint32_t api;       /* ZEND_MODULE_API_NO of the branch */
    bool proven;        /* a suite has compared its stacks with the engine's own answers */
#define PHP_FIELD(name, doc) uint16_t name;
#include "stack/fields.def"
};

/* Offsets that no version has changed since 7.0 (and 32-byte opcodes, 64-bit pointers). */
enum {
    PHP_EX_OPLINE = 0,
    PHP_EX_FUNC = 24,
    PHP_FUNC_TYPE = 0,
    PHP_FUNC_NAME = 8,
    PHP_FUNC_SCOPE = 16,
    PHP_CLASS_NAME = 8,
    PHP_STRING_LEN = 16,
    PHP_STRING_VAL = 24,
    PHP_OP_LINE = 24,
};

/* The row for `build`, or NULL. */
const struct php_layout *php_layout_find(const struct php_build *build);

/* Row `index`, NULL behind the last one. */
const struct php_layout *php_layout_at(uint32_t index);

#endif
