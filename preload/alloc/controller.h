/*
 * controller.h - keeps sampling inside its share of the CPU, by moving the interval.
 *
 * Twice as far apart when the share was exceeded, half as far when less than a quarter of it was
 * used: a step changes the cost by two, so it cannot swing.  Where the largest interval still costs
 * too much, the rest is a debt, and nothing is picked until it is paid.  Pure: times are measured
 * elsewhere.
 */
#ifndef FPMSCOPE_ALLOC_CONTROLLER_H
#define FPMSCOPE_ALLOC_CONTROLLER_H

#include <stdint.h>

enum {
    CONTROLLER_MIN_INTERVAL_BYTES = 16 * 1024,
    CONTROLLER_FIRST_INTERVAL_BYTES = 512 * 1024,
    CONTROLLER_MAX_INTERVAL_BYTES = 8 * 1024 * 1024,
    CONTROLLER_DEBT_MAX = 8, /* times what may be spent until the next look */
};

/* The interval after a time in which sampling took `spent_ns` of `cpu_ns`. */
uint64_t controller_adjust(uint64_t interval_bytes, uint64_t spent_ns, uint64_t cpu_ns,
                           uint64_t budget_ppm);

/* The debt after a time that began with `debt_ns`: none unless the interval is the largest.  While
 * there is one, the interval is not adjusted. */
uint64_t controller_owe(uint64_t debt_ns, uint64_t interval_bytes, uint64_t spent_ns,
                        uint64_t cpu_ns, uint64_t budget_ppm);

/* In the middle of a request that allocates so much that its end is too far off: the share of this
 * request's time is twice what is allowed. */
uint64_t controller_brake(uint64_t interval_bytes, uint64_t spent_ns, uint64_t elapsed_ns,
                          uint64_t budget_ppm);

#endif
