/*
 * doctor.h - is this host ready for fpmscope, and what is wrong with it: the hosting guide's
 * checklist, one finding per row of doctor.def.  Pure: facts in, findings out.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_H

#include "analyze/doctor/doctor_finding.h"
#include "analyze/doctor/doctor_host.h"

struct doctor_report {
    struct doctor_finding *findings; /* in the order of doctor.def */
    size_t count;
    size_t states[DOCTOR_STATE_COUNT]; /* how many of each */
};

/* 0 or -ENOMEM; release it in both cases. */
int doctor_examine(const struct doctor_host *host, struct doctor_report *ret_report);
void doctor_report_release(struct doctor_report *report);

/* The finding of a check, or NULL when there is no such check. */
const struct doctor_finding *doctor_report_find(const struct doctor_report *report, const char *id);

#define DOCTOR_CHECK(id, title, function)                                                          \
    void function(const struct doctor_host *host, struct doctor_finding *finding);
#include "analyze/doctor/doctor.def"

#endif
