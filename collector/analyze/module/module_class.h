/*
 * module_class.h - what a frame's class name says about its module, and whether its path agrees.
 *
 * A class name alone is not to be believed: a trait's method carries the class that uses the trait,
 * a template the class that includes it.  It counts when the path ends the way PSR-4 wants:
 *
 *   class  Acme\SecureLink\Observer\Sign
 *   file   /srv/packages/acme-module-secure-link/Observer/Sign.php
 *                        the tail begins here    `-------------'
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_CLASS_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/module/module_path.h"
#include "analyze/module/php_frame.h"
#include "base/slice.h"

enum { MODULE_CLASS_SEGMENTS = 24 };

#define MODULE_NO_TAIL SIZE_MAX

/* A class name in pieces; count 0: there is none that can be used. */
struct module_class {
    struct slice segments[MODULE_CLASS_SEGMENTS];
    size_t count;
    bool underscored;    /* Mage_Catalog_Model_Product: cut at underscores */
    bool namespace_only; /* of a function: every segment is a directory */
};

/*
 * The class whose code the frame runs: its class, else what the name of a closure or of a
 * namespaced function tells.  Anonymous classes have none.  Borrows from the frame.
 */
void module_class_set(struct module_class *class, const struct php_frame *frame);

/* The same for a class's name alone. */
void module_class_parse(struct module_class *class, struct slice name);

/*
 * Index of the first component of `path` that belongs to the class's segments from the third on,
 * when the path ends in them; else MODULE_NO_TAIL.  Case matters, as it does for autoloaders.
 */
size_t module_class_tail(const struct module_class *class, const struct module_path *path);

/* Segment `i`, or an empty slice. */
static inline struct slice module_class_segment(const struct module_class *class, size_t i)
{
    return i < class->count ? class->segments[i] : SLICE("");
}

/* Is the name in this namespace?  `prefix` is "Symfony" or "Magento\\Framework". */
bool module_class_within(const struct module_class *class, struct slice prefix);

#endif
