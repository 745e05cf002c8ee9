/*
 * module_vendor.h - whose code lies under vendor/: a library's, a theme's, a module's, or just a
 * package's.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_VENDOR_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_VENDOR_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "analyze/module/module_class.h"
#include "analyze/module/module_path.h"

/* False when the path has no vendor/VENDOR/PACKAGE/ in it.  `rules` may be NULL. */
bool module_vendor_find(const struct module_rules *rules, const struct module_path *path,
                        const struct module_class *class, struct module *ret_module);

#endif
