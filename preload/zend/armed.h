/*
 * armed.h - armed requests: one in many runs with handlers of ours in the Zend heap, which sample
 * its bytes with PHP stacks and remember who holds them at the peak (picture.h).
 *
 *   armed_begin(...)        PARAMS complete: may arm (chooser.h decides)
 *   armed_timer(is_set)     php-fpm (un)set its execution timer: unset with no PHP code running
 *                           means that destructors and output are done; handlers go, so that PHP
 *                           can drop its objects the fast way
 *   armed_script_ended()    deactivate: they go at the latest here
 *   armed_tell_seen()       before REQUEST: some of the stacks, which name its controller
 *   armed_tell()            after REQUEST: what the stacks held, as HELD messages
 *   armed_end(...)          the books of the budget
 *
 * With `exact` every request is armed, and every allocation is attributed instead of sampled.
 *
 * Unarmed requests pay one comparison in armed_begin().  Anything unexpected ends arming for the
 * life of this worker, with a note.
 *
 * Main thread only; errno is kept.
 */
#ifndef FPMSCOPE_ZEND_ARMED_H
#define FPMSCOPE_ZEND_ARMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit/batch.h"
#include "stack/worker_stacks.h"

enum {
    ARMED_MIN_INTERVAL_BYTES = 8 * 1024,
    ARMED_MAX_INTERVAL_BYTES = 1024 * 1024,
    ARMED_SAMPLES_WANTED = 512, /* live at the peak */
    ARMED_HELD_MAX = 128,       /* stacks told per request; the rest in one number */
    ARMED_EXACT_HELD_MAX = 1024,
    ARMED_KEPT_BYTES = 64 * 1024, /* of a picture's stacks and texts, from request to request */
};

/* Borrowed for the life of the process. */
struct armed_setup {
    struct worker_stacks *stacks;
    struct batch *batch;
    uint64_t budget_ppm; /* 0: never; CHOOSER_ALWAYS_PPM: every request */
    uint64_t seed;
    bool exact; /* every request, every allocation: exact.h */
};

/* In a worker, once; true when requests can be armed here. */
bool armed_start(const struct armed_setup *setup);

void armed_begin(uint64_t seq, const char *uri, size_t uri_len_bytes);
bool armed_in_request(void); /* between armed_begin() of a request that is armed, and its end */
void armed_timer(bool is_set);
void armed_script_ended(void);
void armed_tell_seen(void);
void armed_tell(void);

/* `uri` as in armed_begin(); `cpu_ns`: of the process since it began, 0 when nobody has looked;
 * `left_ppm`: how much of the budget may be used, in millionths of it. */
void armed_end(const char *uri, size_t uri_len_bytes, uint64_t peak_bytes, uint64_t cpu_ns,
               uint64_t left_ppm);

/* In a fork child of the worker: its handlers are its parent's business. */
void armed_abandon(void);

/* Why arming was given up, for a NOTE, NULL for nothing new; asked again it is NULL. */
const char *armed_take_note(void);

#endif
