/*
 * unwind_image.h - which program or library a program counter lies in, as the loader says.
 *
 * Takes the loader's lock of its list for a moment: normal context only, and never while this
 * thread is inside dlopen() or dlclose().
 */
#ifndef FPMSCOPE_STACK_UNWIND_IMAGE_H
#define FPMSCOPE_STACK_UNWIND_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/unwind_table.h"

/* False: in none (code that was made at run time). */
bool unwind_image_find(uintptr_t pc, struct unwind_image *ret_image);

/* Changes whenever a library was loaded or closed, by whomever. */
uint64_t unwind_image_generation(void);

#endif
