/*
 * module_package.h - what the name of a composer package says, by module_libraries.def and
 * module_packages.def.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_PACKAGE_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_PACKAGE_H

#include <stdbool.h>

#include "analyze/module/module.h"
#include "base/slice.h"

struct module_package {
    struct slice vendor, name; /* "acme", "module-secure-link" */
};

/* A library that everybody uses? */
bool module_package_is_library(const struct module_package *package);

/* Magento or Mage-OS. */
bool module_package_is_magento(const struct module_package *package);

/* Does the name say that it is a Magento module ("module-x", "magento2-y")? */
bool module_package_is_module(const struct module_package *package);

/*
 * The module that the package's name stands for: the exceptions, else "module-x-y" in camel case,
 * else none (false).
 */
bool module_package_module(const struct module_package *package, struct module *ret_module);

/* Is "magento-ecg" another spelling of "MagentoEcg"?  Compares without dashes and case. */
bool module_package_spells(struct slice dashed, struct slice plain);

/* A class whose namespace begins with `first`: is that a library's? */
bool module_namespace_is_library(struct slice first);

#endif
