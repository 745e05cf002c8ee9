/*
 * native_namer.h - the work of a reader_child: unwind a copied stack, or name a list of program
 * counters, with libdw.  Prints native_frame lines.  Never called in the collector itself.
 */
#ifndef FPMSCOPE_INGEST_NATIVE_NAMER_H
#define FPMSCOPE_INGEST_NATIVE_NAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fpmscope/recorder.h"
#include "ingest/code_map.h"

/* One line for each of `count` addresses, taken as they are, in their order. */
struct native_namer_list {
    const struct code_map *map;
    const uint64_t *pcs;
    size_t count;
};
void native_namer_name(const void *list, FILE *out);

/* The frames of a crash, innermost first, at most LIMIT_NATIVE_FRAMES. */
struct native_namer_crash {
    const struct code_map *map;
    uint64_t registers[RECORDER_REGISTERS]; /* by DWARF number */
    unsigned register_count;
    uint64_t ip, sp;
    uint64_t stack_address;
    const uint8_t *stack;
    size_t stack_len_bytes;
};
void native_namer_unwind(const void *crash, FILE *out);

#endif
