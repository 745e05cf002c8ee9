/* pace.c - see pace.h. */
#include "base/pace.h"

#include "base/clock.h"
#include "banned.h"

struct block {
    struct block *next;
    uint64_t bytes, owner;
};

static struct {
    struct block block;
    struct block *spare;
    uint64_t lent_bytes, returned_bytes;
} store = {.spare = &store.block, .block.bytes = 64};

static struct block *lend(void)
{
    struct block *block = store.spare;

    store.spare = block->next;
    store.lent_bytes += block->bytes;
    block->owner = 0;
    return block;
}

static void take_back(struct block *block)
{
    store.returned_bytes += block->bytes;
    block->owner = store.returned_bytes;
    block->next = store.spare;
    store.spare = block;
}

/* As malloc() and free() are called: where they are is known at run time only. */
static struct block *(*volatile const lend_somewhere)(void) = lend;
static void (*volatile const take_back_somewhere)(struct block *) = take_back;

static uint64_t pace_errand_ps = PACE_ERRAND_PS;

uint64_t pace_errand_ps_of(int64_t round_ns)
{
    const uint64_t errand_ps = round_ns > 0 ? (uint64_t) round_ns * 1000 / PACE_ERRANDS : 0;

    return errand_ps > 0 ? errand_ps : 1;
}

static int64_t pace_time_round(void)
{
    const int64_t begin_ns = clock_steady_ns();

    for (int i = 0; i < PACE_ERRANDS; i++)
        take_back_somewhere(lend_somewhere());
    return clock_steady_ns() - begin_ns;
}

void pace_look(void)
{
    int64_t best_ns = INT64_MAX;

    for (int round = 0; round < PACE_ROUNDS; round++) {
        const int64_t round_ns = pace_time_round();

        if (round_ns < best_ns)
            best_ns = round_ns;
    }
    pace_errand_ps = pace_errand_ps_of(best_ns);
}

void pace_look_again(void)
{
    static unsigned turn;

    if (++turn % PACE_TURNS == 0)
        pace_look();
}

uint64_t pace_here(uint64_t price)
{
    return price * pace_errand_ps / PACE_ERRAND_PS;
}
