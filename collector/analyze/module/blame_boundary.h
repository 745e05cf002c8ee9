/*
 * blame_boundary.h - frames that begin a unit of work, and frames that load code, by
 * blame_boundaries.def.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_BLAME_BOUNDARY_H
#define FPMSCOPE_ANALYZE_MODULE_BLAME_BOUNDARY_H

#include <stdbool.h>

#include "analyze/module/blame.h"
#include "analyze/module/php_frame.h"

/* The unit that `frame` begins; false when it is no boundary. */
bool blame_boundary_of(const struct php_frame *frame, enum blame_unit *ret_unit);

/* Does `frame` hand its work on to the $next that it was given (aroundSave, handle)? */
bool blame_passes_through(const struct php_frame *frame);

/* Is `frame` an autoloader? */
bool blame_is_autoloader(const struct php_frame *frame);

#endif
