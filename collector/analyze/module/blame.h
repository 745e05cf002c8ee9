/*
 * blame.h - from a stack to the module that has to be looked at.
 *
 * A stack of a shop passes through dozens of modules: plugins wrap plugins, observers run inside
 * save(), templates inside blocks.  Blaming the innermost foreign module of the whole stack would
 * accuse whoever wraps the most.  So the stack is cut into units of work at boundary frames
 * (blame_boundaries.def) and read from the inside out:
 *
 *     leaf   PDOStatement::fetchAll            internal   transparent
 *            Magento\Framework\DB\...          framework  transparent
 *            Acme\ErpSync\Observer\Push        third party       <- blamed
 *     ------ _callObserverMethod               boundary: the unit is an observer
 *            Magento\Sales\Model\Order::save   platform
 *     ------ ___callPlugins {closure}          boundary
 *            Other\Thing\Plugin::aroundSave    passes $proceed through: never owns what runs below
 *
 *   1. the innermost third-party or theme frame of the innermost unit;
 *   2. else its innermost platform frame;
 *   3. else the same one unit further out; a unit that is an around plugin which called $proceed
 *      is skipped, whatever it is made of;
 *   4. else the application itself, when the innermost code that is no library's is in no module;
 *   5. else framework, library: nobody, and `found` says so.
 *
 * Two things come before.  Memory taken while a class or file is loaded has a bucket of its own,
 * `(autoload)`: the module that touches a class first did not write it.  And native extensions
 * that act on their own behalf are blamed themselves; see `native` in struct blame and the
 * reasoning in collector/DESIGN.md.
 *
 * Pure but for the evidence in `rules`.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_BLAME_H
#define FPMSCOPE_ANALYZE_MODULE_BLAME_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/module/module.h"
#include "base/slice.h"

/* What is being explained; it decides between a platform module and an extension that it calls. */
enum blame_question {
    BLAME_RETAINED, /* memory that stays after the request: extensions leak, platforms rarely do */
    BLAME_PEAK,     /* memory held while the request runs: whoever asked for it holds it */
    BLAME_CRASH,    /* as BLAME_RETAINED */
};

/* What a boundary frame begins; the texts are in blame_units.def. */
enum blame_unit {
    BLAME_UNIT_REQUEST, /* no boundary inside: the whole stack */
#define BLAME_UNIT(name, text, doc) BLAME_UNIT_##name,
#include "analyze/module/blame_units.def"
    BLAME_UNIT_COUNT
};

enum blame_found {
    BLAME_NOBODY,      /* only transparent code: `module` is that code, for information */
    BLAME_THIRD_PARTY, /* T2 */
    BLAME_PLATFORM,    /* T1 */
    BLAME_APPLICATION, /* no module on the stack; `module` is the site's own code, "app:wiki" */
    BLAME_EXTENSION,   /* a native extension; `module` is "imagick.so" */
    BLAME_AUTOLOAD,    /* loading of classes and files; `module` is "(autoload)" */
};

enum { BLAME_LIBRARY_BYTES = 64, BLAME_NO_FRAME = -1 };

struct blame_stack {
    const struct slice *php; /* the stream's frame texts, innermost first */
    size_t php_count;
    const struct slice *native; /* `symbol (lib.so)` or `lib.so+0xoff`, innermost first */
    size_t native_count;
    struct slice owner; /* the stream's `mod`, used when no native frame names a library */
};

struct blame {
    enum blame_found found;
    struct module module;
    enum blame_unit unit; /* the unit of work in which the blamed frame is */
    int frame;            /* index of the blamed PHP frame, or BLAME_NO_FRAME */
    int boundary;         /* index of the boundary frame of its unit, or BLAME_NO_FRAME */
    int internal;         /* index of the internal function at the leaf, or BLAME_NO_FRAME */
    /* Where the bytes were taken: "libxml2.so.2"; without native frames, the leaf's module. */
    char allocated_in[BLAME_LIBRARY_BYTES];
    /* The PHP extension through which they were taken: "dom.so"; empty when there is none. */
    char extension[BLAME_LIBRARY_BYTES];
};

/* `rules` may be NULL.  At most EVENT_FRAMES_MAX frames of each kind are looked at. */
void blame_stack(const struct module_rules *rules, const struct blame_stack *stack,
                 enum blame_question question, struct blame *ret_blame);

/* "observer", "plugin", ...; "request" for the whole stack. */
const char *blame_unit_text(enum blame_unit unit);

#endif
