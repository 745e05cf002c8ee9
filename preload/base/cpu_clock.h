/*
 * cpu_clock.h - the CPU time of this process, by which budgets are earned, without a system call of
 * the shim's own.
 *
 * php-fpm asks for it itself at both ends of a request (times(), for its status page), and the shim
 * listens to the answer.  It counts in ticks, 10 ms on Linux, so it is told in steps of at least
 * CPU_CLOCK_STEP_NS: each may be wrong by a tick, their sum is not.  Of a php-fpm that does not
 * ask, the kernel is asked in one turn of CPU_CLOCK_TURNS.
 *
 * Main thread only.
 */
#ifndef FPMSCOPE_BASE_CPU_CLOCK_H
#define FPMSCOPE_BASE_CPU_CLOCK_H

#include <stdint.h>
#include <sys/times.h>

enum { CPU_CLOCK_STEP_NS = 50 * 1000 * 1000, CPU_CLOCK_TURNS = 32 };

/* What times() answered somebody. */
void cpu_clock_heard(const struct tms *answer);

/* CPU time of this process since it began, or 0 when there is nothing new to tell; at the end of
 * request `turn`. */
uint64_t cpu_clock_look_ns(uint64_t turn);

#endif
