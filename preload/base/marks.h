/*
 * marks.h - words in front of a declaration that say how it may be used.
 */
#ifndef FPMSCOPE_BASE_MARKS_H
#define FPMSCOPE_BASE_MARKS_H

/* Exported from the shared object; everything else is hidden. */
#define SHIM_EXPORT __attribute__((visibility("default")))

/* Runs with every malloc() or free(), and fits into one cache line. */
#define SHIM_HOT __attribute__((aligned(64)))

/* May be missing at run time: its address is NULL then. */
#define SHIM_WEAK __attribute__((weak))

/* Called in the crash handler: no allocation, no lock, no loader, no stdio; what may be garbage is
 * read with guards.  scripts/check-signal-safe holds it for the whole source file. */
#define SIGNAL_SAFE

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
