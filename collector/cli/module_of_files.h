/*
 * module_of_files.h - `fpmscope module FILE...`: whose code PHP files, directories and libraries
 * are, and on what evidence.
 */
#ifndef FPMSCOPE_CLI_MODULE_OF_FILES_H
#define FPMSCOPE_CLI_MODULE_OF_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/module/module.h"

/* A row for each path: module, tier, evidence, path.  A file that does not exist is judged by its
 * path.  0 or -ENOMEM. */
int module_of_files(const struct module_rules *rules, const char *const *paths, size_t count,
                    bool json);

#endif
