/*
 * php_frame.h - one PHP frame, as text of the event stream (key `php`) and as a person reads it.
 *
 *   function TAB class TAB file:line        what workers send; trailing parts may be missing
 *   Class::function                         what simulated traces and people write
 *
 *   "execute\tAcme\ErpSync\Observer\Push\t/srv/.../Push.php:41"
 *       ->  Acme\ErpSync\Observer\Push::execute (Push.php:41)
 *
 * Closures have one spelling here, whatever the PHP version: 8.2 says `Ns\{closure}`, 8.4 says
 * `{closure:Ns\C::m():9}`; both are function `{closure}`, and `origin` keeps what the name said.
 * Anonymous classes carry a NUL and a path behind their name; it is cut off.
 *
 * A frame borrows: its slices point into the text that it was parsed from.  Pure; any bytes are
 * accepted, and what cannot be understood is kept as a function's name.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_PHP_FRAME_H
#define FPMSCOPE_ANALYZE_MODULE_PHP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum php_frame_kind {
    PHP_FRAME_USER,     /* PHP code in a file */
    PHP_FRAME_INTERNAL, /* a function of PHP or of an extension: it has no file */
    PHP_FRAME_UNPLACED, /* `Class::function` without TABs: nobody said whether there is a file */
    PHP_FRAME_GAP,      /* "{12 frames cut}": frames are missing here */
};

struct php_frame {
    enum php_frame_kind kind;
    struct slice function; /* empty for the body of a file; "{closure}" for every closure */
    struct slice class_name;
    struct slice file; /* as PHP gives it: eval suffixes, phar:// and all */
    uint32_t line;     /* 0: not known */
    bool closure;
    bool anonymous_class;
    struct slice origin; /* closures: the class or namespace that the name tells, else empty */
    bool origin_is_class;
};

/* Parse the stream's text of one frame. */
struct php_frame php_frame_parse(struct slice text);

/*
 * Put a frame together from its parts, as `fpmscope module` gets them; an empty file means an
 * internal function.  In `class_name` a NUL may be written `\0`.
 */
struct php_frame php_frame_of(struct slice file, struct slice class_name, struct slice function);

/* Longest human form that is written whole. */
enum { PHP_FRAME_HUMAN_BYTES = 512 };

/*
 * The human form: `Class::function (File.php:41)`; `include (list.phtml:12)` for the body of a
 * file, `DOMDocument::save` for an internal function.  Printable UTF-8, NUL-terminated, cut at
 * `size_bytes`; returns its length.
 */
size_t php_frame_human(const struct php_frame *frame, char *buffer, size_t size_bytes);

/* The same for the stream's text in one step: what reports print. */
size_t php_frame_text(struct slice text, char *buffer, size_t size_bytes);

#endif
