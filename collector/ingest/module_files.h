/*
 * module_files.h - reading the few files that modules declare themselves in; the file side of
 * analyze/module_evidence.h.
 */
#ifndef FPMSCOPE_INGEST_MODULE_FILES_H
#define FPMSCOPE_INGEST_MODULE_FILES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Read at most `size_bytes` from the beginning of regular file `path`; the number of bytes, or a
 * negative errno.  Paths come from workers and are hostile: the last component may not be a link,
 * nothing but a regular file is read, and opening never blocks.  `context` is unused.
 */
ssize_t module_files_read(void *context, const char *path, char *buffer, size_t size_bytes);

#endif
