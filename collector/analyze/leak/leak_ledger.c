/*
 * leak_ledger.c - one number per request, and whether it keeps being positive.
 *
 * The test is sequential (Wald): each growth of a deep hit adds ln(.9/.4), each other hit takes off
 * ln(.6/.1); ten clean growths reach the bound of 1 in 2000.  Sizes do not enter it, so that one
 * huge block is one event like any other.
 */
#include "analyze/leak/leak_ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_FIRST = 9, EARLY_LAST = 32, LATE_AFTER = 64, FADE_AT = 8192, Z_HITS_MIN = 24 };

int32_t leak_clamp32(int64_t bytes)
{
    if (bytes > INT32_MAX)
        return INT32_MAX;
    return bytes < -INT32_MAX ? -INT32_MAX : (int32_t) bytes;
}

static void push(struct leak_ledger *ledger, int32_t delta)
{
    if (ledger->ring_count == LEAK_RING)
        ledger->ring_growths =
            (uint8_t) (ledger->ring_growths - (ledger->ring[ledger->ring_at] > 0));
    else
        ledger->ring_count++;
    ledger->ring[ledger->ring_at] = delta;
    ledger->ring_growths = (uint8_t) (ledger->ring_growths + (delta > 0));
    ledger->ring_at = (uint8_t) ((ledger->ring_at + 1) % LEAK_RING);
}

static void push_size(struct leak_sizes *sizes, int32_t bytes)
{
    sizes->bytes[sizes->at] = bytes;
    sizes->at = (uint8_t) ((sizes->at + 1) % LEAK_SIZES);
    if (sizes->count < LEAK_SIZES)
        sizes->count++;
}

/* Halve all sums when they are long: a leak that was fixed by a deploy must fade. */
static void fade(struct leak_ledger *ledger)
{
    if (ledger->sum_n < FADE_AT)
        return;
    ledger->sum /= 2;
    ledger->sum_sq /= 2;
    ledger->sum_n /= 2;
    ledger->deep_hits /= 2;
    ledger->deep_growths /= 2;
    ledger->deep_releases /= 2;
    ledger->given_back_hits /= 2;
    ledger->growth_sum /= 2;
    ledger->growth_sq /= 2;
    ledger->release_sum /= 2;
    ledger->release_sq /= 2;
    ledger->settled_n /= 2;
    ledger->grown_bytes /= 2;
    ledger->given_back_bytes /= 2;
    ledger->largest_sum /= 2;
    ledger->settled_grown /= 2;
    ledger->matched_bytes /= 2;
    ledger->covers /= 2;
    ledger->cleanups /= 2;
    ledger->run_max_sum /= 2;
    ledger->run_total_sum /= 2;
}

static void enter_deep(struct leak_ledger *ledger, int32_t delta, int32_t *largest,
                       struct leak_sizes *sizes)
{
    double rest = delta;

    ledger->llr =
        fmax(LEAK_LLR_FLOOR, ledger->llr + (delta > 0 ? LEAK_LLR_GROWS : -LEAK_LLR_GROWS_NOT));
    push(ledger, delta);
    ledger->deep_hits++;
    ledger->deep_growths += delta > 0;
    ledger->deep_releases += delta < 0;
    ledger->grown_bytes += delta > 0 ? delta : 0;
    if (delta > *largest) {
        rest = *largest;
        *largest = delta;
    }
    /* Young caches repeat themselves; only what goes on at old ages is a habit. */
    if (rest > 0 && sizes)
        push_size(sizes, (int32_t) rest);
    ledger->sum += rest;
    ledger->sum_sq += rest * rest;
    ledger->sum_n += 1;
    fade(ledger);
}

static void enter_rates(struct leak_ledger *ledger, uint32_t ordinal, bool grew)
{
    if (ordinal >= EARLY_FIRST && ordinal <= EARLY_LAST) {
        ledger->early_growths += grew;
        ledger->early_hits++;
    } else if (ordinal > LATE_AFTER) {
        ledger->late_growths += grew;
        ledger->late_hits++;
    }
}

static void enter_jitter(struct leak_ledger *ledger, double delta)
{
    if (delta > 0) {
        ledger->growth_sum += delta;
        ledger->growth_sq += delta * delta;
    } else {
        ledger->release_sum -= delta;
        ledger->release_sq += delta * delta;
    }
    ledger->settled_n += 1;
}

/* When did what is claimed now begin?  With the first growth after it last looked healthy. */
static void note_beginning(struct leak_ledger *ledger, int64_t ts_us, bool grew)
{
    if (!grew && ledger->llr <= 0) {
        ledger->was_quiet = true;
        ledger->began_us = 0;
    } else if (grew && ledger->began_us == 0) {
        ledger->began_us = ts_us;
    }
}

void leak_ledger_enter(struct leak_ledger *ledger, const struct leak_scale *scale,
                       const struct leak_hit *hit, int32_t previous[2], int32_t *largest,
                       struct leak_sizes *sizes)
{
    const int32_t delta = leak_clamp32(hit->delta_bytes);
    const uint32_t ordinal = hit->ordinal, age = hit->age;
    const bool lazy = ordinal <= scale->lazy;
    /* Lazy filling has no reason to take the same bytes twice; a leak has, and a cache does not do
     * it three times running for long. */
    const bool repeated = delta > 0 && (delta == previous[0] || delta == previous[1]);
    const bool insists = delta > 0 && delta == previous[0] && delta == previous[1];

    previous[1] = previous[0];
    previous[0] = delta;
    enter_rates(ledger, ordinal, delta > 0);
    if (age <= scale->settle || ordinal < 2 || lazy)
        ledger->warm_sum += delta;
    if (!lazy && age > scale->settle)
        enter_jitter(ledger, delta);
    if (age <= scale->settle || ordinal < 2 || (lazy && !repeated) ||
        age <= (insists ? scale->deep / 2 : scale->deep))
        return;
    enter_deep(ledger, delta, largest, age > scale->deep ? sizes : NULL);
    note_beginning(ledger, hit->ts_us, delta > 0);
}

void leak_ledger_close_life(struct leak_ledger *ledger, int32_t largest)
{
    ledger->largest_sum += largest;
}

static int compare_int32(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *) a, y = *(const int32_t *) b;

    return (x > y) - (x < y);
}

/* The longest run of equal values in the sorted `values`. */
static size_t longest_run(const int32_t *values, size_t count, double *ret_value)
{
    size_t best = 0, run = 0;

    for (size_t i = 0; i < count; i++) {
        run = i > 0 && values[i] == values[i - 1] ? run + 1 : 1;
        if (run > best) {
            best = run;
            *ret_value = values[i];
        }
    }
    return best;
}

struct leak_typical leak_ledger_typical(const struct leak_ledger *ledger)
{
    const size_t count = ledger->ring_count, cut = count / 20;
    struct leak_typical typical = {0};
    int32_t sorted[LEAK_RING];
    double sum = 0;

    if (count == 0)
        return typical;
    memcpy(sorted, ledger->ring, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_int32);
    for (size_t i = cut; i < count - cut; i++)
        sum += sorted[i];
    typical.median = sorted[count / 2];
    typical.trimmed_mean = sum / (double) (count - 2 * cut);
    typical.mode_share = (double) longest_run(sorted, count, &typical.mode) / (double) count;
    return typical;
}

size_t leak_sizes_same(const struct leak_sizes *sizes, double *ret_bytes)
{
    int32_t sorted[LEAK_SIZES];

    memcpy(sorted, sizes->bytes, sizes->count * sizeof *sorted);
    qsort(sorted, sizes->count, sizeof *sorted, compare_int32);
    return longest_run(sorted, sizes->count, ret_bytes);
}

double leak_ledger_z(const struct leak_ledger *ledger)
{
    const double n = ledger->sum_n, mean = n > 0 ? ledger->sum / n : 0;
    double variance;

    if (n < Z_HITS_MIN)
        return 0;
    variance = ledger->sum_sq / n - mean * mean;
    return variance > 0 ? mean / sqrt(variance / n) : mean > 0 ? INFINITY : 0;
}
