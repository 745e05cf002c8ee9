/*
 * module_marker.h - find the directory that owns a path, by the table module_markers.def.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_MARKER_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_MARKER_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/module/module.h"
#include "analyze/module/module_path.h"

enum module_marker_stage { MODULE_CONTAINER, MODULE_LOOSE, MODULE_ADDED };

/* The first row of `stage` whose pattern is in `path`; false when none is.  Pure. */
bool module_marker_find(enum module_marker_stage stage, const struct module_path *path,
                        struct module *ret_module);

#endif
