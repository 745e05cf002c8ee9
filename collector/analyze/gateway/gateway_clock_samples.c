/*
 * gateway_clock_samples.c - which entries of a source speak of things that another source may
 * speak of, too: a pid that died, a request id, a URI that failed.
 */
#include "analyze/gateway/gateway_clock.h"

#include <stddef.h>

enum sample_kind { BY_PID = 1, BY_URI, BY_ID, BY_RESET, BY_ERROR_500 };

static uint64_t key_of(enum sample_kind kind, uint64_t value)
{
    return idmap_mix(value) ^ idmap_mix((uint64_t) kind << 56);
}

static void add(struct array *samples, uint64_t key, int64_t time_us, bool strong)
{
    struct sample *sample = time_us >= 0 ? array_add(samples) : NULL;

    if (sample)
        *sample = (struct sample){key, time_us, FROM_EVENTS, strong};
}

static uint64_t uri_key(text_id method, text_id uri)
{
    return key_of(BY_URI, (uint64_t) method << 32 | uri);
}

void samples_of_deaths(const struct gateway *gateway, struct array *samples)
{
    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);
        const struct served *request = &death->request;

        if (death->cause == DEATH_LOST)
            continue;
        add(samples, key_of(BY_PID, (uint64_t) death->pid), death->time_us, true);
        if (!request->method)
            continue;
        add(samples, uri_key(request->method, request->uri), death->time_us, false);
        add(samples, key_of(BY_RESET, 0), death->time_us, false);
        if (request->request_id)
            add(samples, key_of(BY_ID, request->request_id), death->time_us, true);
    }
}

static void sample_hops(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->hops.count; i++) {
        const struct hop *hop = gateway_hop(gateway, i);

        if (hop->ref.file != file)
            continue;
        add(samples, uri_key(hop->method, hop->uri), hop->end_us, false);
        if (hop->request_id)
            add(samples, key_of(BY_ID, hop->request_id), hop->end_us, true);
        if (hop->status == 500)
            add(samples, key_of(BY_ERROR_500, 0), hop->end_us, false);
    }
}

static void sample_faults(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        if (fault->ref.file != file)
            continue;
        add(samples, uri_key(fault->method, fault->uri), fault->time_us, false);
        if (fault->cause == NGINX_RESET && fault->fastcgi)
            add(samples, key_of(BY_RESET, 0), fault->time_us, false);
    }
}

static void sample_fpm(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->fpm_notes.count; i++) {
        const struct fpm_note *note = GATEWAY_AT(gateway, fpm_notes, fpm_note, i);

        if (note->ref.file != file ||
            (note->what != FPM_CHILD_SIGNAL && note->what != FPM_CHILD_EXIT))
            continue;
        add(samples, key_of(BY_PID, (uint64_t) note->pid), note->time_us, true);
        add(samples, key_of(BY_RESET, 0), note->time_us, false);
    }
}

static void sample_kernel(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->kernel_crashes.count; i++) {
        const struct kernel_crash *crash = GATEWAY_AT(gateway, kernel_crashes, kernel_crash, i);

        if (crash->ref.file == file)
            add(samples, key_of(BY_PID, (uint64_t) crash->pid), crash->time_us, true);
    }
    for (size_t i = 0; i < gateway->ooms.count; i++) {
        const struct oom *oom = GATEWAY_AT(gateway, ooms, oom, i);

        if (oom->ref.file == file)
            add(samples, key_of(BY_PID, (uint64_t) oom->pid), oom->time_us, true);
    }
}

static void sample_php(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->php_ends.count; i++) {
        const struct php_end *end = GATEWAY_AT(gateway, php_ends, php_end, i);

        if (end->ref.file == file)
            add(samples, key_of(BY_ERROR_500, 0), end->time_us, false);
    }
}

static void sample_fetches(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->fetches.count; i++) {
        const struct fetch *fetch = GATEWAY_AT(gateway, fetches, fetch, i);

        if (fetch->ref.file == file)
            add(samples, uri_key(fetch->method, fetch->uri), fetch->end_us, false);
    }
}

typedef void (*sampler)(const struct gateway *, int file, struct array *);

static const sampler samplers[SAMPLE_SOURCES] = {
    [FROM_HOPS] = sample_hops,     [FROM_FAULTS] = sample_faults, [FROM_FPM] = sample_fpm,
    [FROM_KERNEL] = sample_kernel, [FROM_PHP] = sample_php,       [FROM_FETCHES] = sample_fetches,
};

void samples_of_file(const struct gateway *gateway, enum sample_source source, int file,
                     struct array *samples)
{
    const size_t before = samples->count;

    samplers[source](gateway, file, samples);
    for (size_t i = before; i < samples->count; i++)
        ((struct sample *) array_at(samples, i))->source = source;
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

void samples_sort(struct array *samples)
{
    array_sort(samples, compare_samples);
}

size_t samples_first(const struct array *samples, const struct sample *bound)
{
    size_t low = 0, high = samples->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_samples(array_at(samples, middle), bound) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
