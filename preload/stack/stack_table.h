/*
 * stack_table.h - a number for every distinct stack, so that its text crosses the socket once.
 *
 * The key is a 64-bit hash over the contents of the names, lines and program counters, not over
 * PHP's pointers: those are reused by other functions in the next request.  (Two of 2,048 stacks
 * share a hash with a chance of 1 in 10^13.)
 *
 * The table is an array of fixed size in the caller's memory, zero-initialised; a full one forgets
 * everything and goes on with new ids, so a text may be sent again, and an id never has two
 * meanings.
 */
#ifndef FPMSCOPE_STACK_STACK_TABLE_H
#define FPMSCOPE_STACK_STACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/php_stack.h"

enum { STACK_TABLE_SLOTS = 4096, STACK_TABLE_MAX = STACK_TABLE_SLOTS / 2 };

struct stack_table {
    uint32_t count;
    uint32_t last_id;
    uint64_t hashes[STACK_TABLE_SLOTS]; /* 0: free */
    uint32_t ids[STACK_TABLE_SLOTS];
};

/* Hash of what php_stack_write() and `pcs` say; never 0.  Normal context: reads the strings. */
uint64_t stack_hash(const struct php_stack *php, const uintptr_t *pcs, size_t pc_count);

/* The id of `hash`, never 0; *ret_new: first seen, its text must be sent before the id is used. */
uint32_t stack_table_intern(struct stack_table *table, uint64_t hash, bool *ret_new);

/* Take back the last intern: its text could not be sent. */
void stack_table_forget(struct stack_table *table, uint64_t hash);

/* Forget all: a new collector has seen no text.  Ids go on. */
void stack_table_reset(struct stack_table *table);

#endif
