/*
 * stack_ledger.h - what each stack is, and how much memory it holds for each route.
 *
 * Three kinds of memory are tallied per (route, stack): what survived its request in the native
 * heap
 * (`smp` minus `fre`, each sample standing for size / p bytes with p = 1 - exp(-size/interval)),
 * what the Zend heap took from the system while the request ran (`gro`), and what was held in it at
 * the peak of armed requests (`hold`; what stacks without a number held is under stack 0).
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_STACK_LEDGER_H
#define FPMSCOPE_ANALYZE_SUMMARY_STACK_LEDGER_H

#include <stdint.h>

#include "base/array.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "model/event.h"

/* One stack as it was announced. */
struct stack_row {
    int64_t id;
    text_id shared_object; /* of the innermost native frame */
    uint16_t php_count, native_count;
    text_id php[EVENT_FRAMES_MAX], native[EVENT_FRAMES_MAX]; /* innermost first */
};

/* What one stack holds for one route. */
struct stack_tally {
    text_id route;
    int64_t stack;
    double surviving_bytes; /* estimate, native; may fall below 0 by sampling error */
    uint64_t survivors;
    int64_t smallest_bytes; /* of its sampled blocks */
    uint64_t grown_bytes;   /* Zend heap and large mappings, sum over requests */
    uint64_t held_bytes;    /* at the peak, sum over armed requests */
    uint64_t held_requests; /* how many these were */
};

struct stack_ledger {
    struct array stacks, tallies, blocks;
    struct idmap by_id, by_pair, by_block;
    struct intern *texts;           /* borrowed */
    int64_t default_interval_bytes; /* of samples that do not say theirs */
};

void stack_ledger_init(struct stack_ledger *ledger, struct intern *texts, size_t limit);
void stack_ledger_release(struct stack_ledger *ledger);

/* Take `hdr`, `stk`, `smp`, `fre`, `gro` or `hold` in; `route` is that of the request, 0 when
 * unknown. */
void stack_ledger_feed(struct stack_ledger *ledger, text_id route, const struct event *event);

/* NULL when it was never announced. */
const struct stack_row *stack_ledger_find(const struct stack_ledger *ledger, int64_t id);

/* The stack of `route` with the most surviving (or, `growth`, grown) bytes; NULL when none has any.
 */
const struct stack_tally *stack_ledger_top(const struct stack_ledger *ledger, text_id route,
                                           bool growth);

/*
 * The same among stacks that can be the cause of `kept_bytes` a request: a stack whose smallest
 * block is larger than that cannot, it is a cache that was filled once.
 */
const struct stack_tally *stack_ledger_cause(const struct stack_ledger *ledger, text_id route,
                                             double kept_bytes);

#endif
