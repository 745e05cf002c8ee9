/*
 * stack_fold.h - a recursion printed once: `a b c a b c a b c d` becomes `a b c`, "again 2 times",
 * `d`.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_STACK_FOLD_H
#define FPMSCOPE_ANALYZE_SUMMARY_STACK_FOLD_H

#include <stddef.h>
#include <stdint.h>

enum { STACK_FOLD_PERIOD_MAX = 8 };

/*
 * How the frames from `at` on repeat: the shortest period (1 .. STACK_FOLD_PERIOD_MAX) whose frames
 * stand there at least twice.  Returns it, and in *ret_times how often they stand there; 0: no
 * repetition begins here.  Equal numbers are equal frames.
 */
size_t stack_fold_period(const uint32_t *frames, size_t count, size_t at, size_t *ret_times);

#endif
