/*
 * module_why.h - on what evidence a frame belongs to its module, in words: what of the operator's
 * rules, the files beside the path, the class and the path itself the answer needs.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_WHY_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_WHY_H

#include "analyze/module/module.h"
#include "analyze/module/native_origin.h"

enum { MODULE_WHY_BYTES = 256 };

/* Why `module` was the answer of module_of_frame() for the same rules and frame. */
const char *module_why(const struct module_rules *rules, const struct php_frame *frame,
                       const struct module *module, char why[MODULE_WHY_BYTES]);

/* What blame makes of a library or extension, and the tier that this amounts to. */
const char *module_why_native(enum native_kind kind, enum module_tier *ret_tier);

#endif
