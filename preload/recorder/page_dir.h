/*
 * page_dir.h - the directory of the recorder pages, and a new file in it.
 */
#ifndef FPMSCOPE_RECORDER_PAGE_DIR_H
#define FPMSCOPE_RECORDER_PAGE_DIR_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE_PATH_BYTES = 320 };

/*
 * Find or make the directory as recorder.h says, and check that it is ours alone (owner, 0700).
 * `configured` and `socket` may be empty.  Returns a descriptor and its path in `ret_path`, or
 * -errno.
 */
int page_dir_open(const char *configured, const char *socket, uint32_t uid, char *ret_path,
                  size_t cap_bytes);

/* Create PID-STARTTICKS with `len_bytes` of allocated space; a descriptor, or -errno and no file.
 * The name is appended to `path`. */
int page_file_create(int dir_fd, uint32_t pid, uint64_t start_ticks, size_t len_bytes, char *path,
                     size_t cap_bytes);

#endif
