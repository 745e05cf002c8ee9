/*
 * doctor_finding.h - what one check of `fpmscope doctor` found: a state, the evidence, the fix.
 *
 * A check starts as ok and is only ever raised.  Evidence keeps its order; what finds no room is
 * counted in `evidence_left_out`.  Texts are cut to their place, never refused.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_FINDING_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_FINDING_H

#include <stddef.h>
#include <stdint.h>

enum doctor_state { DOCTOR_OK, DOCTOR_SKIPPED, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_STATE_COUNT };

enum { DOCTOR_EVIDENCE_MAX = 12, DOCTOR_LINE_BYTES = 384, DOCTOR_FIX_BYTES = 768 };

struct doctor_finding {
    const char *id, *title;
    enum doctor_state state;
    char evidence[DOCTOR_EVIDENCE_MAX][DOCTOR_LINE_BYTES];
    size_t evidence_count, evidence_left_out;
    char fix[DOCTOR_FIX_BYTES]; /* the exact line or command; empty when there is nothing to do */
    size_t fix_latest;          /* where the latest of several begins */
};

/* "ok", "skipped", "warn", "fail" */
const char *doctor_state_name(enum doctor_state state);

/* One line of evidence. */
void doctor_say(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line of evidence that makes the finding at least `state`. */
void doctor_raise(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Not checked, and why; only for a finding that is still ok. */
void doctor_skip(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What to do.  The first one given stays: checks name the worst first.  Of doctor_fix_in() all. */
void doctor_fix(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * What to do in one of several places, each with a call: "pm.max_children = 20 in pool " and "www".
 * The same is said once, with all the places; what finds no room is left out.
 */
void doctor_fix_in(struct doctor_finding *finding, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One more step behind those that there are, unless it is one of them. */
void doctor_fix_also(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum { DOCTOR_AMOUNT_BYTES = 24 };

/* "63 MB", "2.6 GB": 1024-based, as `ps`, `free` and the hosting guide speak. */
const char *doctor_amount(int64_t bytes, char *buf, size_t cap);

#endif
