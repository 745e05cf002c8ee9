/*
 * unwind_table.h - find a function's unwind program: .eh_frame_hdr, its FDE, its CIE.
 *
 * Every program and library of a distribution has these tables mapped, for C++ exceptions.  The
 * header is sorted by function; an FDE describes one function, and refers to a CIE, which many
 * share.  All of them are somebody else's bytes: nothing outside of `tables` is read.
 */
#ifndef FPMSCOPE_STACK_UNWIND_TABLE_H
#define FPMSCOPE_STACK_UNWIND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/unwind_program.h"

struct unwind_span {
    uintptr_t start, end;
};

/* One loaded program or library. */
struct unwind_image {
    struct unwind_span text;   /* the segment that a program counter lies in */
    struct unwind_span tables; /* the segment that the header lies in */
    uintptr_t header;          /* .eh_frame_hdr; 0: none */
};

/* Is `pc` in a function that the tables describe? */
bool unwind_table_covers(const struct unwind_image *image, uintptr_t pc);

/* The row that holds at `pc`; false when there is none that is understood. */
bool unwind_table_row(const struct unwind_image *image, uintptr_t pc, struct unwind_row *ret_row);

#endif
