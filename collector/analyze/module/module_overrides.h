/*
 * module_overrides.h - the operator's own rules, from the configuration's [modules] section.
 *
 *   /var/www/shop/tools/  = Acme_Tools third_party     a path that begins so
 *   *shared/acme-         = Acme_Shared third_party    a path with this in it
 *   Acme\Legacy\          = Acme_Legacy platform       a class that begins so
 *   PayPal_               = - platform                 a module that the rules call so; `-` keeps
 *                                                      its name
 *
 * Of several that fit, the longest prefix wins; paths win over classes, and module names are looked
 * at last, on the name that came out.  `#` and `;` begin comments.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_OVERRIDES_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_OVERRIDES_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "base/slice.h"

struct module_overrides;

enum { MODULE_OVERRIDES_MAX = 256 };

/* NULL without memory. */
struct module_overrides *module_overrides_new(void);
void module_overrides_free(struct module_overrides *overrides); /* NULL is allowed */

/*
 * Add the rule `prefix` = `value`, where the value is "module tier".  0; -EINVAL when it is no
 * rule; -ENOSPC when there are MODULE_OVERRIDES_MAX already; -ENOMEM.
 */
int module_overrides_add(struct module_overrides *overrides, struct slice prefix,
                         struct slice value);

/* Add one line `prefix = module tier`; blank lines and comments are no rules and no errors. */
int module_overrides_add_line(struct module_overrides *overrides, struct slice line);

/*
 * The rule for a frame of this (normalised) path and class; false when there is none.  `overrides`
 * may be NULL.
 */
bool module_overrides_frame(const struct module_overrides *overrides, struct slice path,
                            struct slice class_name, struct module *ret_module);

/* Change `module` as the rule for its name says, if there is one.  `overrides` may be NULL. */
void module_overrides_name(const struct module_overrides *overrides, struct module *module);

#endif
