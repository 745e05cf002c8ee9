/* stack_table.c - hash a stack's contents, give it a number; linear probing, never more than half
 * full. */
#include "stack/stack_table.h"

#include <string.h>

#include "banned.h"

enum { NAME_HASHED_BYTES = 1024 };

static uint64_t mix(uint64_t hash, uint64_t word)
{
    const unsigned __int128 product =
        (unsigned __int128) (hash ^ 0x9e3779b97f4a7c15u) * (word ^ 0xd1b54a32d192ed03u);

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static uint64_t mix_bytes(uint64_t hash, const char *bytes, size_t len_bytes)
{
    uint64_t word;

    hash = mix(hash, len_bytes);
    for (; len_bytes >= sizeof word; bytes += sizeof word, len_bytes -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, bytes, len_bytes);
    return mix(hash, word);
}

static uint64_t mix_string(uint64_t hash, uintptr_t string)
{
    size_t len;

    if (string == 0)
        return mix(hash, 0);
    memcpy(&len, (const void *) (string + PHP_STRING_LEN), sizeof len);
    return mix_bytes(hash, (const char *) string + PHP_STRING_VAL,
                     len < NAME_HASHED_BYTES ? len : NAME_HASHED_BYTES);
}

uint64_t stack_hash(const struct php_stack *php, const uintptr_t *pcs, size_t pc_count)
{
    uint64_t hash = mix(php->count, pc_count);

    /* Not how many frames were left out: a recursion is one stack, however deep. */
    for (uint32_t i = 0; i < php->count; i++) {
        const struct php_frame *frame = &php->frames[i];

        hash = mix_string(hash, frame->function);
        hash = mix_string(hash, frame->class_name);
        hash = mix_string(hash, frame->file);
        hash = mix(hash, frame->line);
    }
    for (size_t i = 0; i < pc_count; i++)
        hash = mix(hash, pcs[i]);
    return hash != 0 ? hash : 1;
}

/* The slot of `hash`, or the free one where it belongs. */
static uint32_t find_slot(const struct stack_table *table, uint64_t hash)
{
    uint32_t slot = (uint32_t) hash % STACK_TABLE_SLOTS;

    while (table->hashes[slot] != 0 && table->hashes[slot] != hash)
        slot = (slot + 1) % STACK_TABLE_SLOTS;
    return slot;
}

uint32_t stack_table_intern(struct stack_table *table, uint64_t hash, bool *ret_new)
{
    uint32_t slot = find_slot(table, hash);

    *ret_new = false;
    if (table->hashes[slot] == hash && table->ids[slot] != 0)
        return table->ids[slot];
    if (table->hashes[slot] == 0 && table->count == STACK_TABLE_MAX) {
        stack_table_reset(table);
        slot = find_slot(table, hash);
    }
    if (table->hashes[slot] == 0)
        table->count++;
    if (++table->last_id == 0)
        table->last_id = 1;
    table->hashes[slot] = hash;
    table->ids[slot] = table->last_id;
    *ret_new = true;
    return table->last_id;
}

void stack_table_forget(struct stack_table *table, uint64_t hash)
{
    /* The hash stays, so that the chain of probes behind it is not broken. */
    table->ids[find_slot(table, hash)] = 0;
}

void stack_table_reset(struct stack_table *table)
{
    const uint32_t last_id = table->last_id;

    memset(table, 0, sizeof *table);
    table->last_id = last_id;
}
