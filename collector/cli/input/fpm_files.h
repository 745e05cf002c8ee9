/* fpm_files.h - the files of one php-fpm's configuration: the main one and those that it includes.
 */
#ifndef FPMSCOPE_CLI_INPUT_FPM_FILES_H
#define FPMSCOPE_CLI_INPUT_FPM_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* `text` is valid until the return. */
typedef void (*fpm_file_fn)(void *ctx, struct slice text);

/*
 * Call `fn` with the main file and with each file that it includes by an absolute pattern.  How
 * many included files could not be read, or -errno when the main one could not.
 */
int64_t fpm_files_read(const char *path, fpm_file_fn fn, void *ctx);

/* Where the master `pid` finds the file that its title names: a relative path is relative to where
 * it was started.  False when there is no name or no room. */
bool fpm_files_path(int64_t pid, struct slice named, char *ret_path, size_t size_bytes);

#endif
