/*
 * leak_sample.c - blocks from birth to death, in one list per worker, oldest first.
 *
 * Birth by a first pair of a life, in a worker's or a route's first requests, is warm-up and gives
 * no point; a death by realloc only moves the block and takes back the point that its birth gave.
 */
#include "analyze/leak/leak_sample.h"

#include <math.h>
#include <string.h>

#include "analyze/leak/leak_floor.h"
#include "analyze/leak/leak_visit.h"

enum {
    REASONS_MIN = 12,
    BIRTHS_MIN = 6,
    DEEP_BIRTHS_MIN = 4,
    PROVEN_AGES = 4,
    ORDINAL_MIN = 4,
    REPEAT_SHARE = 5,
    SHARING_ROUTES_MIN = 4
};

/* Chance of a block to be sampled, and thereby what it stands for: 1/p blocks. */
static double probability(double size_bytes, double interval_bytes)
{
    return -expm1(-size_bytes / interval_bytes);
}

/* The shim moves its interval while it runs: every sample carries its own, and vetoes must leave
 * slack for the coarsest of the recent ones. */
static double interval_of(struct leak_analyzer *analyzer, const struct event *event)
{
    const double recent = (double) analyzer->options.interval_bytes;
    double interval;

    if (!event_has(event, EVENT_HAS_interval_bytes) || event->interval_bytes <= 0)
        return recent;
    interval = (double) event->interval_bytes;
    analyzer->options.interval_bytes =
        (int64_t) (interval > recent ? interval : recent + (interval - recent) / 64);
    return interval;
}

/* --- pairs --------------------------------------------------------------------------------- */

static uint64_t pair_key(uint32_t ref, int64_t stack)
{
    return ((uint64_t) ref << 32) ^ ((uint64_t) stack * UINT64_C(0x9e3779b97f4a7c15));
}

/* The pair that says least gives its place. */
static struct leak_pair *evict_pair(struct leak_analyzer *analyzer)
{
    struct leak_pair *worst = &analyzer->pairs[0];

    for (size_t i = 1; i < analyzer->options.max_pairs; i += 1 + i / 64) {
        struct leak_pair *pair = &analyzer->pairs[i];

        if (!leak_route_of(analyzer, pair->ref) || pair->llr < worst->llr)
            worst = pair;
    }
    idmap_remove(&analyzer->pair_map, pair_key(worst->ref, worst->stack));
    analyzer->coverage.evicted_pairs++;
    return worst;
}

static uint32_t pair_index(struct leak_analyzer *analyzer, uint32_t ref, int64_t stack)
{
    const uint64_t key = pair_key(ref, stack);
    uint32_t at = leak_lookup(&analyzer->pair_map, key);
    struct leak_pair *pair;

    if (at != LEAK_NONE)
        return at;
    pair = analyzer->pair_count < analyzer->options.max_pairs
               ? &analyzer->pairs[analyzer->pair_count++]
               : evict_pair(analyzer);
    at = (uint32_t) (pair - analyzer->pairs);
    *pair = (struct leak_pair){.ref = ref, .stack = stack, .generation = pair->generation + 1};
    idmap_put(&analyzer->pair_map, key, at);
    return at;
}

/* The pair of a block, unless it was evicted meanwhile. */
static struct leak_pair *pair_of(struct leak_analyzer *analyzer, const struct leak_block *block)
{
    struct leak_pair *pair = &analyzer->pairs[block->pair];

    return pair->generation == block->pair_generation ? pair : NULL;
}

/* Is the pair in the set of this worker's life?  From now on it is.  (A Bloom filter: now and then
 * a wrong yes.) */
static bool seen_before(uint64_t set[LEAK_PAIR_SET_WORDS], uint32_t pair)
{
    const uint32_t bit = (pair * 2654435769u) >> 23;
    const uint64_t mask = UINT64_C(1) << (bit & 63);
    uint64_t *word = &set[bit >> 6];
    const bool seen = (*word & mask) != 0;

    *word |= mask;
    return seen;
}

/* --- blocks -------------------------------------------------------------------------------- */

static void link_block(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t at)
{
    struct leak_block *block = &analyzer->blocks[at];

    block->older = worker->blocks_tail;
    block->newer = LEAK_NONE;
    if (worker->blocks_tail != LEAK_NONE)
        analyzer->blocks[worker->blocks_tail].newer = at;
    else
        worker->blocks_head = at;
    worker->blocks_tail = at;
    if (worker->immature == LEAK_NONE)
        worker->immature = at;
    if (worker->unproven == LEAK_NONE)
        worker->unproven = at;
}

static void unlink_block(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t at)
{
    struct leak_block *block = &analyzer->blocks[at];

    if (worker->immature == at)
        worker->immature = block->newer;
    if (worker->unproven == at)
        worker->unproven = block->newer;
    if (block->older != LEAK_NONE)
        analyzer->blocks[block->older].newer = block->newer;
    else
        worker->blocks_head = block->newer;
    if (block->newer != LEAK_NONE)
        analyzer->blocks[block->newer].older = block->older;
    else
        worker->blocks_tail = block->older;
}

static void release_block(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t at)
{
    unlink_block(analyzer, worker, at);
    idmap_remove(&analyzer->block_map, (uint64_t) analyzer->blocks[at].id);
    analyzer->blocks[at].newer = analyzer->free_block;
    analyzer->free_block = at;
}

/* The route's sampled balance at deep ages, and the pair's: `size_bytes` of the block came or went.
 */
static void balance(struct leak_analyzer *analyzer, struct leak_worker *worker,
                    const struct leak_block *block, uint32_t size_bytes, double sign)
{
    struct leak_route_state *route = leak_route_of(analyzer, block->ref);
    struct leak_pair *pair = pair_of(analyzer, block);
    const double p = block->probability, bytes = size_bytes / p;

    if (pair)
        pair->net_bytes += (float) (sign * bytes);
    if (!route || leak_worker_age(worker) <= analyzer->scale.deep)
        return;
    route->net_bytes += sign * bytes;
    analyzer->samples += sign > 0;
    route->net_var += bytes * bytes * (1 - p);
}

/* Boyer and Moore's vote: two numbers find the size that more than half of the samples have. */
static void vote(struct leak_pair *pair, uint32_t size_bytes)
{
    if (pair->usual_votes == 0)
        pair->usual_bytes = size_bytes;
    if (pair->usual_bytes == size_bytes)
        pair->usual_votes++;
    else
        pair->usual_votes--;
}

/* A survivor: does its birth count? */
static void mature(struct leak_analyzer *analyzer, struct leak_worker *worker,
                   struct leak_block *block)
{
    const uint32_t settled = 2 * analyzer->scale.settle < 32 ? 2 * analyzer->scale.settle : 32;
    struct leak_pair *pair = pair_of(analyzer, block);
    const struct leak_visit *visit =
        leak_route_of(analyzer, block->ref) ? leak_visit_of(analyzer, worker, block->ref) : NULL;

    block->mature = true;
    if (!pair || !seen_before(worker->seen_pairs, block->pair) || block->age <= settled || !visit ||
        visit->hits <= ORDINAL_MIN)
        return;
    block->counted = true;
    block->again = seen_before(worker->counted_pairs, block->pair);
    pair->llr += (float) LEAK_LLR_BIRTH;
    pair->births++;
    pair->deep_births += block->age > analyzer->scale.deep;
    pair->again += block->again;
}

/* Who lived four times as long is one more reason, as good as the first; but not the first two of
 * a life, which may be one-offs. */
static void prove(struct leak_analyzer *analyzer, struct leak_block *block)
{
    struct leak_pair *pair = pair_of(analyzer, block);

    if (!pair || !block->again)
        return;
    block->proven = true;
    pair->llr += (float) LEAK_LLR_BIRTH;
    pair->proven++;
}

static void prove_all(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t age)
{
    while (worker->unproven != LEAK_NONE) {
        struct leak_block *block = &analyzer->blocks[worker->unproven];

        if (block->age + PROVEN_AGES * analyzer->scale.mature > age)
            return;
        worker->unproven = block->newer;
        prove(analyzer, block);
    }
}

void leak_samples_mature(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    const uint32_t age = leak_worker_age(worker);

    while (worker->immature != LEAK_NONE) {
        struct leak_block *block = &analyzer->blocks[worker->immature];

        if (block->age + analyzer->scale.mature > age)
            return;
        worker->immature = block->newer;
        mature(analyzer, worker, block);
    }
    prove_all(analyzer, worker, age);
}

/* The worker's oldest block, when it lived so long that it has said all that it can. */
static bool retire_oldest(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    const uint32_t oldest = worker->used ? worker->blocks_head : LEAK_NONE;

    if (oldest == LEAK_NONE || analyzer->blocks[oldest].age + PROVEN_AGES * analyzer->scale.mature >
                                   leak_worker_age(worker))
        return false;
    if (worker->unproven == oldest)
        prove(analyzer, &analyzer->blocks[oldest]);
    release_block(analyzer, worker, oldest);
    return true;
}

/* Survivors of a leak stay for the worker's life, and in exact mode there are some of every
 * request: what they hold stays in the books, but they make room for the next. */
static uint32_t take_block(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    uint32_t at;

    if (analyzer->free_block == LEAK_NONE && !retire_oldest(analyzer, worker))
        for (size_t i = 0; i < analyzer->options.max_workers; i++)
            if (retire_oldest(analyzer, &analyzer->workers[i]))
                break;
    at = analyzer->free_block;
    if (at != LEAK_NONE)
        analyzer->free_block = analyzer->blocks[at].newer;
    return at;
}

void leak_sample_born(struct leak_analyzer *analyzer, const struct event *event)
{
    struct leak_worker *worker = leak_worker_find(analyzer, event->pid);
    struct leak_block *block;
    uint32_t at;

    if (!worker || event->seq != worker->last_seq || worker->last_ref == 0 ||
        event->size_bytes <= 0 || event->size_bytes > UINT32_MAX ||
        leak_lookup(&analyzer->block_map, (uint64_t) event->id) != LEAK_NONE) {
        analyzer->coverage.orphan_samples++;
        return;
    }
    at = take_block(analyzer, worker);
    if (at == LEAK_NONE) {
        analyzer->coverage.refused_blocks++;
        return;
    }
    block = &analyzer->blocks[at];
    *block = (struct leak_block){.id = event->id,
                                 .ref = worker->last_ref,
                                 .size_bytes = (uint32_t) event->size_bytes,
                                 .age = leak_worker_age(worker),
                                 .probability = (float) probability((double) event->size_bytes,
                                                                    interval_of(analyzer, event)),
                                 .worker = (uint16_t) (worker - analyzer->workers)};
    block->pair = pair_index(analyzer, block->ref, event->stk);
    block->pair_generation = analyzer->pairs[block->pair].generation;
    analyzer->pairs[block->pair].samples++;
    vote(&analyzer->pairs[block->pair], block->size_bytes);
    idmap_put(&analyzer->block_map, (uint64_t) event->id, at);
    link_block(analyzer, worker, at);
    balance(analyzer, worker, block, block->size_bytes, +1);
}

static void count_death(struct leak_pair *pair, const struct leak_block *block, bool by_realloc)
{
    if (!pair || !block->mature)
        return;
    if (by_realloc) {
        pair->reallocs++;
        pair->proven -= block->proven;
        pair->llr -= (float) (LEAK_LLR_BIRTH * (block->counted + block->proven));
    } else {
        pair->deaths++;
        pair->llr = fmaxf((float) LEAK_LLR_FLOOR, pair->llr - (float) LEAK_LLR_DEATH);
    }
}

static void leave(struct leak_analyzer *analyzer, struct leak_worker *worker,
                  const struct leak_block *block, uint32_t size_bytes, bool by_realloc)
{
    balance(analyzer, worker, block, size_bytes, -1);
    if (block->age <= analyzer->scale.settle && !by_realloc)
        leak_floor_early_freed(worker, (double) size_bytes / block->probability);
}

/* A group of blocks that is told as one has lost some of them: what is left is the survivor. */
static void shrink(struct leak_analyzer *analyzer, struct leak_worker *worker,
                   struct leak_block *block, const struct event *event)
{
    struct leak_pair *pair = pair_of(analyzer, block);

    leave(analyzer, worker, block, (uint32_t) event->size_bytes, event->realloced);
    block->size_bytes -= (uint32_t) event->size_bytes;
    if (pair)
        vote(pair, block->size_bytes);
}

void leak_sample_freed(struct leak_analyzer *analyzer, const struct event *event)
{
    const uint32_t at = leak_lookup(&analyzer->block_map, (uint64_t) event->id);
    struct leak_worker *worker;
    struct leak_block *block;

    if (at == LEAK_NONE) {
        analyzer->coverage.orphan_samples++;
        return;
    }
    block = &analyzer->blocks[at];
    worker = &analyzer->workers[block->worker];
    if (worker->pid != event->pid) { /* ids are unique: somebody lies */
        analyzer->coverage.orphan_samples++;
        return;
    }
    if (event->size_bytes > 0 && event->size_bytes < block->size_bytes) {
        shrink(analyzer, worker, block, event);
        return;
    }
    leave(analyzer, worker, block, block->size_bytes, event->realloced);
    count_death(pair_of(analyzer, block), block, event->realloced);
    release_block(analyzer, worker, at);
}

void leak_samples_close(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    while (worker->blocks_head != LEAK_NONE)
        release_block(analyzer, worker, worker->blocks_head);
}

bool leak_pair_stays(const struct leak_pair *pair)
{
    return pair->deaths * 8 <= pair->births && pair->reallocs * 4 <= pair->births;
}

bool leak_pair_is_solid(const struct leak_pair *pair)
{
    const int64_t net = (int64_t) pair->births - pair->deaths - pair->reallocs;

    return net >= BIRTHS_MIN && net + pair->proven >= REASONS_MIN &&
           pair->deep_births >= DEEP_BIRTHS_MIN && pair->deep_births * 100 >= pair->births * 35 &&
           leak_pair_stays(pair);
}

bool leak_pair_repeats(const struct leak_pair *pair)
{
    return pair->again * REPEAT_SHARE >= pair->births;
}

/* Who else allocates there?  A stack that four routes share, none of them with half of its
 * samples, is a structure of all of them: a connection's buffer, an arena, a table. */
bool leak_pair_is_shared(const struct leak_analyzer *analyzer, const struct leak_pair *pair)
{
    uint32_t samples = 0, routes = 0;

    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *other = &analyzer->pairs[i];

        if (other->stack != pair->stack)
            continue;
        samples += other->samples;
        routes++;
    }
    return routes >= SHARING_ROUTES_MIN && pair->samples * 2 < samples;
}

const struct leak_pair *leak_best_pair(const struct leak_analyzer *analyzer, uint32_t ref)
{
    const struct leak_pair *best = NULL;

    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];

        if (pair->ref == ref && pair->llr > 0 && (!best || pair->llr > best->llr) &&
            leak_pair_stays(pair) && !leak_pair_is_shared(analyzer, pair))
            best = pair;
    }
    return best;
}

const struct leak_pair *leak_pair_shared_of(const struct leak_analyzer *analyzer, uint32_t ref)
{
    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];

        if (pair->ref == ref && pair->llr >= LEAK_LLR_CLAIM && leak_pair_stays(pair) &&
            leak_pair_is_shared(analyzer, pair))
            return pair;
    }
    return NULL;
}
