/* call_price.c - see call_price.h. */
#include "zend/call_price.h"

#include "base/clock.h"
#include "banned.h"

enum { FEW = 16 };

uint64_t call_price_ps_of(int64_t round_ns)
{
    const uint64_t look_ps = round_ns > 0 ? (uint64_t) round_ns * 1000 / CALL_PRICE_LOOKS : 0;
    const uint64_t price_ps = look_ps * CALL_PRICE_CALL_PS / CALL_PRICE_LOOK_PS;

    return price_ps > 0 ? price_ps : 1;
}

/* Few addresses: it is the processor that is to be timed, not its page faults. */
static int64_t call_price_time_round(struct picture *picture)
{
    const int64_t begin_ns = clock_steady_ns();

    for (uintptr_t i = 0; i < CALL_PRICE_LOOKS; i++) {
        uintptr_t address = (1 + i % FEW) << 12;

        __asm__ volatile("" : "+r"(address)); /* unknown to the compiler */
        if (picture_find(picture, address))
            break;
    }
    return clock_steady_ns() - begin_ns;
}

uint64_t call_price_ps(struct picture *picture)
{
    int64_t best_ns = INT64_MAX;

    for (int round = 0; round < CALL_PRICE_ROUNDS; round++) {
        const int64_t round_ns = call_price_time_round(picture);

        if (round_ns < best_ns)
            best_ns = round_ns;
    }
    return call_price_ps_of(best_ns);
}
