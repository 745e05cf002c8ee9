/* doctor.c - run every check of doctor.def. */
#include "analyze/doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef void (*doctor_check_fn)(const struct doctor_host *host, struct doctor_finding *finding);

static const struct {
    const char *id, *title;
    doctor_check_fn check;
} checks[] = {
#define DOCTOR_CHECK(id, title, function) {id, title, function},
#include "analyze/doctor/doctor.def"
};

enum { CHECKS_COUNT = sizeof checks / sizeof *checks };

int doctor_examine(const struct doctor_host *host, struct doctor_report *ret_report)
{
    *ret_report =
        (struct doctor_report){.findings = calloc(CHECKS_COUNT, sizeof *ret_report->findings)};
    if (!ret_report->findings)
        return -ENOMEM;
    for (size_t i = 0; i < CHECKS_COUNT; i++) {
        struct doctor_finding *finding = &ret_report->findings[ret_report->count++];

        finding->id = checks[i].id;
        finding->title = checks[i].title;
        checks[i].check(host, finding);
        ret_report->states[finding->state]++;
    }
    return 0;
}

void doctor_report_release(struct doctor_report *report)
{
    free(report->findings);
    *report = (struct doctor_report){0};
}

const struct doctor_finding *doctor_report_find(const struct doctor_report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->findings[i].id, id) == 0)
            return &report->findings[i];
    return NULL;
}
