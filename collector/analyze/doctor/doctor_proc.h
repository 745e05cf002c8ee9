/*
 * doctor_proc.h - reading what /proc prints.  Pure; any bytes.
 *
 * Formats: proc(5).
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_PROC_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Take the first line off `*rest` (without its \n); false at the end. */
bool doctor_next_line(struct slice *rest, struct slice *ret_line);

/* Take the first word off `*rest`, words being separated by blanks, TABs and NULs; false: none. */
bool doctor_next_word(struct slice *rest, struct slice *ret_word);

/* A decimal number, all of the text; -1 for anything else or above 2^62. */
int64_t doctor_number(struct slice text);

/*
 * The number behind `key` at the start of a line: "MemTotal:  24105 kB", "oom_kill 3".  `key` with
 * its colon, if it has one.  -1: no such line.
 */
int64_t doctor_keyed_number(struct slice text, const char *key);

/*
 * The next mapped file of /proc/PID/maps that is a file in the file system: its path, without
 * " (deleted)", and whether that was there.  False at the end.
 */
bool doctor_next_mapping(struct slice *rest, struct slice *ret_path, bool *ret_deleted);

/* The part of a path behind its last slash. */
struct slice doctor_base_name(struct slice path);

/* What a php-fpm says in its title. */
enum doctor_title { DOCTOR_TITLE_OTHER, DOCTOR_TITLE_MASTER, DOCTOR_TITLE_WORKER };

/*
 * "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)" -> the path; "php-fpm: pool www" -> the
 * pool's name.
 */
enum doctor_title doctor_fpm_title(struct slice title, struct slice *ret_what);

/* The value of `name` among the NUL-separated NAME=VALUE of /proc/PID/environ; empty: not there. */
struct slice doctor_environment(struct slice environ, const char *name);

/*
 * The value of a one-letter option (-c FILE or -cFILE) in a command line, blanks or NULs between
 * its words; empty: not given.
 */
struct slice doctor_option(struct slice command_line, char letter);

/*
 * True when /proc/net/unix has a listening socket that was bound to `path`.  (Connecting would make
 * the collector count a stranger.)
 */
bool doctor_unix_listens(struct slice text, struct slice path);

#endif
