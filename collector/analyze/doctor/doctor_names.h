/*
 * doctor_names.h - the places, vhosts or addresses that one fix is about: each once, in the order
 * in which they came, as many as there is room for, and how many more there are.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_NAMES_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_NAMES_H

#include <stddef.h>

#include "analyze/doctor/doctor_host.h"

enum { DOCTOR_NAMES_TEXT_BYTES = 240 /* with a template it fits DOCTOR_COMMAND_BYTES */ };

/* Begins as {0}.  The names are borrowed. */
struct doctor_names {
    const char *items[DOCTOR_HOPS_MAX]; /* no list of a host that is told so is longer */
    size_t count;
};

void doctor_names_add(struct doctor_names *names, const char *name);

/*
 * "/etc/nginx/site:7, /etc/nginx/site:9 and 3 more", of the names from `first` on.  Of a name that
 * is too long the end is told, where the line's number is: no hostile name keeps another one out.
 */
const char *doctor_names_text(const struct doctor_names *names, size_t first,
                              char buf[DOCTOR_NAMES_TEXT_BYTES]);

#endif
