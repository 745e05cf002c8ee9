/*
 * native_frame.h - one native frame as a line between the child, who names it, and the collector,
 * who believes nothing of it.
 *
 *     kind TAB offset-in-hex TAB library TAB symbol LF
 *
 * kind: '=' the address lies in the symbol, '~' the symbol is the nearest exported one before it,
 * '-' no symbol.  The offset is the address as the ELF file counts (addr2line takes it).
 */
#ifndef FPMSCOPE_INGEST_NATIVE_FRAME_H
#define FPMSCOPE_INGEST_NATIVE_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/slice.h"
#include "base/text_out.h"
#include "ingest/code_map.h"

enum {
    NATIVE_FRAME_LIBRARY_BYTES = 64,
    NATIVE_FRAME_SYMBOL_BYTES = 128,
    NATIVE_FRAME_NEAR_BYTES = 2048, /* beyond this a neighbour's name says nothing */
};

enum native_frame_kind {
    NATIVE_FRAME_IN = '=',
    NATIVE_FRAME_NEAR = '~',
    NATIVE_FRAME_BARE = '-',
};

struct native_frame {
    char kind; /* enum native_frame_kind */
    uint64_t offset;
    struct slice shared_object, symbol; /* of the line */
};

/* Parse a line without its LF; false when it is none. */
bool native_frame_parse(struct slice line, struct native_frame *ret_frame);

/* "memset (libc.so.6)", "near memset (libc.so.6)", "libc.so.6+0x167ad8". */
void native_frame_text(const struct native_frame *frame, struct text_out *out);

/* "libc.so.6+0x167ad8", whatever the symbol. */
void native_frame_place(const struct native_frame *frame, struct text_out *out);

/* Without a child: the place by the map alone.  For most libraries that is the same offset. */
struct native_frame native_frame_guess(const struct code_map *map, uint64_t pc);

#endif
