/*
 * module_elsewhere.h - whose code lies outside every directory that the tables know: symlinked
 * modules, the shop's own src/, libraries of the system.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_ELSEWHERE_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_ELSEWHERE_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "analyze/module/module_class.h"
#include "analyze/module/module_path.h"

/* False: nothing is known, the file is an entry script.  `rules` may be NULL. */
bool module_elsewhere_find(const struct module_rules *rules, const struct module_path *path,
                           const struct module_class *class, struct module *ret_module);

/* The same for a class without any path. */
bool module_elsewhere_class(const struct module_class *class, struct module *ret_module);

#endif
