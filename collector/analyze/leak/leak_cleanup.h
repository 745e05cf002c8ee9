/*
 * leak_cleanup.h - is a release exactly what some routes have kept since some request?
 *
 * Growth of nearly every hit is a leak, or something that is collected until a later request, of
 * whatever route, frees all of it: a clean-up.  Floors tell the two apart when the growth is large
 * against the noise; when it is small, the releases do.  A clean-up gives back what one, two or
 * three routes have left, to the byte, unless other memory changed in the same requests; a release
 * that is none hits such a sum by chance only.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_CLEANUP_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_CLEANUP_H

#include "analyze/leak/leak_state.h"

/* A request of the worker, not yet among its steps, released `released` heap bytes.  Routes whose
 * growth it is are given a clean-up each. */
void leak_cleanup_note(struct leak_analyzer *analyzer, const struct leak_worker *worker,
                       int64_t released);

#endif
