/*
 * module_path.h - a frame's file name in the one form that the rules look at.
 *
 * PHP hands out paths with traces of how the file came in: "(12) : eval()'d code" (nested, too),
 * phar:// and other wrappers, `//`, `/./`, `/../`, backslashes, drive letters.  What is left here
 * is a list of components; the first rules see is `var`, `www`, ..., the last one is the file.
 *
 * An archive is a file: of phar://A.phar/x the components are those of A.phar.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_PATH_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum {
    MODULE_PATH_BYTES = 4096, /* what is longer is cut at its end, and says so */
    MODULE_PATH_PARTS = 128,
};

struct module_path {
    char text[MODULE_PATH_BYTES]; /* "/var/www/...", NUL-terminated; may be empty */
    size_t len_bytes;
    struct slice parts[MODULE_PATH_PARTS]; /* into text; the last one is the file */
    size_t count;
    bool archive; /* the file is a phar, and the frame's file is inside */
    bool stream;  /* data:, http:, ...: not a file at all */
    bool cut;     /* something did not fit */
};

/* Normalise `file` (as PHP gives it).  Pure; any bytes are accepted. */
void module_path_set(struct module_path *path, struct slice file);

/*
 * Index of the "view" in view/frontend/..., where Magento 2 keeps a module's templates, from
 * component `from` (at least 1) on; 0: none.
 */
size_t module_path_view(const struct module_path *path, size_t from);

/* The last component; empty for an empty path. */
struct slice module_path_file(const struct module_path *path);

#endif
