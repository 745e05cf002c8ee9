/* small_file.h - the first bytes of a file that somebody else wrote, read once and without waiting.
 */
#ifndef FPMSCOPE_CLI_INPUT_SMALL_FILE_H
#define FPMSCOPE_CLI_INPUT_SMALL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Up to `max_bytes` of `path`, NUL-terminated, malloc'ed; free with small_file_free().  -EISDIR for
 * directories, -EINVAL for FIFOs, sockets and devices, or -errno.
 */
int small_file_read(const char *path, size_t max_bytes, struct slice *ret_text);

/* The same of its last `max_bytes`. */
int small_file_read_tail(const char *path, size_t max_bytes, struct slice *ret_text);

/* /proc/PID/NAME */
int small_file_read_proc(int64_t pid, const char *name, size_t max_bytes, struct slice *ret_text);

void small_file_free(struct slice *text);

#endif
