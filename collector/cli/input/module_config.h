/*
 * module_config.h - the rules by which commands name modules: section [modules] of the
 * configuration, and the files beside the paths.
 *
 *   [modules]
 *   /var/www/shop/tools/ = Acme_Tools third_party
 *   PayPal_              = - platform
 */
#ifndef FPMSCOPE_CLI_INPUT_MODULE_CONFIG_H
#define FPMSCOPE_CLI_INPUT_MODULE_CONFIG_H

#include <stdbool.h>

#include "analyze/module/module.h"

struct module_overrides;

struct module_config {
    struct module_overrides *overrides; /* NULL: no rules of the operator's */
    struct module_rules rules;          /* what module_of_frame() wants; borrows from here */
};

/*
 * Files are looked at when `files` is set.  Released by module_config_release().  Without memory
 * the rules are empty.
 */
void module_config_init(struct module_config *config, bool files);
void module_config_release(struct module_config *config);

/*
 * Read rules: those of section [modules] of `path`, or with `whole` every line of it.  0, or the
 * errno of a file that cannot be read (negative).  A line that is no rule is named on stderr;
 * -EINVAL then, with the other lines in force.
 */
int module_config_read(struct module_config *config, const char *path, bool whole);

/* Read the default configuration, if there is one; complains on stderr, never fails. */
void module_config_read_default(struct module_config *config);

#endif
