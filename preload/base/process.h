/*
 * process.h - who are we: the executable, and the start time that makes a pid unique.
 */
#ifndef FPMSCOPE_BASE_PROCESS_H
#define FPMSCOPE_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The executable's file name contains "php-fpm". */
bool process_is_php_fpm(void);

/* Clock ticks since boot, field 22 of /proc/self/stat; 0 when not readable. */
uint64_t process_start_ticks(void);

/* The same from the file's text; for tests. */
uint64_t process_parse_start_ticks(const char *stat, size_t len_bytes);

/* The address space or the data of this process is limited: what the shim maps for itself would be
 * missing to the host, and PHP exits where it gets no memory.  True also when that cannot be asked.
 */
bool process_memory_is_limited(void);

/* Take our own entry (a path whose file name begins with `library`) out of a list as in LD_PRELOAD,
 * keeping the others.  Writes at most strlen(list) + 1 bytes; false when there was none. */
bool process_without_library(const char *list, const char *library, char *ret_list);

#endif
