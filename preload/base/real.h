/*
 * real.h - the functions behind the ones that the shim exports.
 *
 * Until real_bind() has run, and where dlsym() is not to be had, an entry is a raw system call:
 * other libraries' constructors may come here before ours.
 */
#ifndef FPMSCOPE_BASE_REAL_H
#define FPMSCOPE_BASE_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/types.h>

struct real_functions {
#define WRAP_NEXT(ret, name, params) ret(*name) params;
#include "wrap.def"
};

extern struct real_functions real;

/* Look up the next definition of each; those that are not found stay as they were. */
void real_bind(void);

/* The address of a symbol of the program, NULL when it has none or dlsym() is not there. */
void *real_symbol(const char *name);

#endif
