/*
 * find_shim.h - the libraries to preload: which there are, and where they are installed.
 */
#ifndef FPMSCOPE_CLI_COLLECT_FIND_SHIM_H
#define FPMSCOPE_CLI_COLLECT_FIND_SHIM_H

/* The shim over one allocator. */
struct shim_library {
    const char *allocator; /* as users type it */
    const char *file;
};

/* By allocator, NULL: the default one.  NULL when there is none. */
const struct shim_library *shim_library(const char *allocator);

/* `ret_path` holds PATH_MAX bytes.  Beside this program (a build tree), in its prefix, or where it
 * was to be installed; -ENOENT when it is nowhere. */
int find_shim(const struct shim_library *library, char *ret_path);

/* The last of these places. */
const char *find_shim_directory(void);

#endif
