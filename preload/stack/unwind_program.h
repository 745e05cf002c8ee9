/*
 * unwind_program.h - one row of a function's unwind table: from a frame to its caller's.
 *
 * The table is not stored, it is the output of a small program (DWARF's call frame instructions)
 * that is run up to a program counter.  Three columns of it are enough to follow return addresses:
 *
 *     the canonical frame address (CFA)   sp or fp plus a number, or read from there
 *     the caller's frame pointer          still in its register, or saved at a place
 *     the return address                  saved at a place; lost in the outermost frame
 *
 * What compilers do not write for code that calls functions (expressions, other registers) makes a
 * row unknown.
 */
#ifndef FPMSCOPE_STACK_UNWIND_PROGRAM_H
#define FPMSCOPE_STACK_UNWIND_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/unwind_bytes.h"

/* DWARF's numbers of the registers. */
#if defined(__x86_64__)
enum { UNWIND_REGISTER_FP = 6, UNWIND_REGISTER_SP = 7 };
#elif defined(__aarch64__)
enum { UNWIND_REGISTER_FP = 29, UNWIND_REGISTER_SP = 31 };
#else
#error "name this machine's registers"
#endif

enum unwind_base {
    UNWIND_BASE_NONE,    /* in no file: code that was made at run time */
    UNWIND_BASE_ABSENT,  /* its file's tables leave it out */
    UNWIND_BASE_UNKNOWN, /* there is one, not of the kinds below */
    UNWIND_BASE_SP,
    UNWIND_BASE_FP,
    UNWIND_BASE_AT_FP, /* stored there: a function that aligned its stack */
};

enum unwind_where {
    UNWIND_SAME,
    UNWIND_AT_CFA,
    UNWIND_AT_FP,
    UNWIND_OTHERWISE, /* somewhere that three columns cannot express */
    UNWIND_LOST,
};

struct unwind_place {
    int32_t offset_bytes;
    uint8_t where; /* enum unwind_where */
};

struct unwind_row {
    int32_t cfa_offset_bytes;
    uint8_t cfa; /* enum unwind_base */
    struct unwind_place fp, ra;
};

struct unwind_program {
    struct unwind_bytes common, own; /* instructions of the CIE, then of the FDE */
    uintptr_t begin;                 /* of the function */
    uint64_t code_step, ra_register;
    int64_t data_step;
    uint8_t pointer_encoding;
};

/* The row that holds at `pc`; false when it is not known. */
bool unwind_program_run(const struct unwind_program *program, uintptr_t pc,
                        struct unwind_row *ret_row);

#endif
