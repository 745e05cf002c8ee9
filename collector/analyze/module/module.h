/*
 * module.h - to whom does a PHP frame belong: a module's name, and its tier.
 *
 *   /var/www/html/app/code/Acme/ErpSync/Observer/Push.php    ->  Acme_ErpSync   third_party
 *   .../vendor/magento/module-catalog/Model/Product.php      ->  Magento_Catalog   platform
 *   .../wp-content/plugins/woocommerce/includes/x.php        ->  plugin:woocommerce  third_party
 *   (no file: an internal function)                          ->  (internal)   library
 *
 * The rules, and why they are in this order, are in module.c; names of what they look for are in
 * module_*.def.  Strings alone decide; files (registration.php, etc/module.xml) are asked through
 * module_evidence.h only where strings leave a doubt, and may be absent.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_H

#include <stddef.h>

#include "analyze/module/php_frame.h"
#include "base/slice.h"

struct module_evidence;
struct module_overrides;

enum module_tier {
#define MODULE_TIER(name, printed, blame, doc) MODULE_##name,
#include "analyze/module/module_tiers.def"
    MODULE_TIER_COUNT
};

enum module_blame {
    MODULE_TRANSPARENT, /* T0 */
    MODULE_IF_ALONE,    /* T1 */
    MODULE_FIRST,       /* T2 */
};

enum { MODULE_NAME_BYTES = 128, MODULE_HINT_BYTES = 64 };

struct module {
    char name[MODULE_NAME_BYTES]; /* printable UTF-8, never empty, no TAB; cut when longer */
    enum module_tier tier;
    char hint[MODULE_HINT_BYTES]; /* module whose template a theme replaces, or empty */
};

/* What the rules may use beside the frame; either may be NULL, and then does not exist. */
struct module_rules {
    const struct module_overrides *overrides; /* the configuration's, see module_overrides.h */
    struct module_evidence *evidence;         /* files, see module_evidence.h */
};

/*
 * Whose code the frame is.  `rules` may be NULL.  Never fails: what no rule knows is `(entry)`.
 * Without evidence it is a pure function; with it, directories are read and cached.
 */
void module_of_frame(const struct module_rules *rules, const struct php_frame *frame,
                     struct module *ret_module);

/* "third_party" and so on. */
const char *module_tier_text(enum module_tier tier);

/* The tier with this text; false when there is none. */
bool module_tier_parse(struct slice text, enum module_tier *ret_tier);

/* May a module of this tier be blamed? */
enum module_blame module_tier_blame(enum module_tier tier);

#endif
