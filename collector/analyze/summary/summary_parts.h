/* summary_parts.h - what the files of the summary share; private to them. */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_PARTS_H
#define FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_PARTS_H

#include "analyze/module/blame.h"
#include "analyze/summary/death_ledger.h"
#include "analyze/summary/growth_book.h"
#include "analyze/leak/leak.h"
#include "analyze/summary/pool_load.h"
#include "analyze/summary/route_ledger.h"
#include "analyze/route/route_naming.h"
#include "analyze/summary/stack_ledger.h"
#include "analyze/summary/summary.h"
#include "analyze/summary/worker_ledger.h"
#include "base/arena.h"

struct summary {
    struct summary_options options;
    struct intern texts;
    struct arena arena; /* texts and arrays of the result */
    struct worker_ledger workers;
    struct death_ledger deaths;
    struct milestones milestones;
    struct route_naming naming;
    struct route_ledger routes;
    struct pool_names pools;
    struct pool_traffic traffic; /* of all routes */
    struct pool_load load;
    struct stack_ledger stacks;
    struct leak_analyzer *leaks;
    struct idmap last_route; /* worker -> route of its newest finished request */
    struct growth_book growths;
    uint64_t requests, dropped_messages;
    int64_t first_us, last_us;
    struct summary_result result;
};

/* What a stack says about who is to blame, in texts of the result. */
struct stack_opinion {
    struct slice module, tier, allocated_in, blamed_frame, php_leaf;
    struct summary_frames frames; /* native leaf first, then PHP, as people read them */
    size_t native_count;          /* how many of the frames are native */
};
struct stack_opinion summary_opinion(struct summary *summary, const struct stack_row *stack,
                                     enum blame_question question);

/* Only who is to blame: cheaper, and nothing is kept. */
void summary_judge(struct summary *summary, const struct stack_row *stack,
                   enum blame_question question, struct blame *ret_blame);

/* Who took what is on a page of the growth book; NULL is an empty page. */
struct summary_grown summary_growers_of(struct summary *summary, const struct growth_page *page);

/* What stacks held at the peaks of armed requests, by route. */
struct held_tallies {
    const struct stack_tally **items; /* sorted by route, then most first */
    size_t count;
};
struct held_tallies summary_held_tallies(struct summary *summary);
void summary_add_holders(struct summary *summary, const struct held_tallies *held, text_id route,
                         struct summary_route *ret_route);

/* By the number of the pool: workers that lived when its last request ended. */
struct pool_workers {
    uint64_t count[POOL_TRAFFIC_POOLS];
};
struct pool_workers summary_pool_workers(struct summary *summary);

/* The parts of summary_finish(), in this order. */
void summary_conclude_routes(struct summary *summary);
void summary_conclude_crashes(struct summary *summary);
void summary_conclude_workers(struct summary *summary);
void summary_conclude_memory(struct summary *summary);
void summary_conclude_modules(struct summary *summary);

#endif
