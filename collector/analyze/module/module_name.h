/*
 * module_name.h - making module names: Vendor_Module from its parts, and the tier of a name.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_NAME_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_NAME_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "base/slice.h"

/* FRAMEWORK, PLATFORM or THIRD_PARTY, by module_names.def. */
enum module_tier module_name_tier(struct slice name);

/* Does it look like Vendor_Module (the name of a directory in a theme)? */
bool module_name_is_component(struct slice text);

/* Write `head` + `separator` + `tail` as the module's name, printable; sets tier, clears hint. */
void module_name_join(struct module *module, struct slice head, char separator, struct slice tail,
                      enum module_tier tier);

/* Write `name`, printable; sets tier, clears hint. */
void module_name_set(struct module *module, struct slice name, enum module_tier tier);

/* "Vendor_Module" with the tier that such a name has. */
void module_name_set_component(struct module *module, struct slice vendor, struct slice name);

#endif
