/*
 * parsers.h - one record of a foreign log -> one event.
 *
 * A record is a line, or several joined by \n where the format says so (log_formats.def).  All are
 * pure: no clock, no file, no state; they read nothing behind the slice, whatever is in it.  They
 * return false and leave `ret_event` undefined when the record is not of their format; an event
 * whose kind of news is not known is X_OTHER, not false.  Texts of the event point into the record
 * or into the context's scratch.  `file`, `offset_bytes` and `line` are the caller's to fill.
 */
#ifndef FPMSCOPE_LOGS_PARSERS_H
#define FPMSCOPE_LOGS_PARSERS_H

#include <stdbool.h>

#include "base/slice.h"
#include "logs/log_context.h"
#include "model/log_event.h"

typedef bool (*log_parse_fn)(struct slice record, const struct log_context *context,
                             struct log_event *ret_event);

/* {"time":"...","request":"GET / HTTP/1.1","status":"200",...} under any names; needs
 * context->names */
bool access_json_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event);

/* [host[:port] ]addr - user [time] "request" status bytes ["referer" "agent" [name=value...]] */
bool access_combined_parse(struct slice record, const struct log_context *context,
                           struct log_event *ret_event);

/* by context->format; needs context->names */
bool access_custom_parse(struct slice record, const struct log_context *context,
                         struct log_event *ret_event);

/* 2026/11/22 05:38:44 [error] 14494#14494: *6 recv() failed (104: ...) ..., client: ... */
bool nginx_error_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event);

/* [22-Nov-2026 05:38:44] WARNING: [pool www] child 14490 exited on signal 11 (SIGSEGV) after ... */
bool fpm_log_parse(struct slice record, const struct log_context *context,
                   struct log_event *ret_event);

/* The part behind the level, for lines that came through syslog. */
void fpm_message_parse(struct slice level, struct slice message, struct log_fpm *ret_fpm);

/* [22-Nov-2026 05:39:20 UTC] PHP Fatal error:  ... in FILE on line N [\nStack trace: ...] */
bool php_error_parse(struct slice record, const struct log_context *context,
                     struct log_event *ret_event);

/* [22-Nov-2026 05:39:31]  [pool www] pid 15378\nscript_filename = ...\n[0x...] usleep() FILE:19 */
bool php_slow_parse(struct slice record, const struct log_context *context,
                    struct log_event *ret_event);

/* Any line of dmesg, of a syslog file or of journalctl, whoever wrote it. */
bool system_log_parse(struct slice record, const struct log_context *context,
                      struct log_event *ret_event);

/* Does system_log_parse() listen to a program of this name ("php-fpm8.2")? */
bool system_log_knows(struct slice program);

/* One entry of `journalctl -o json`: an object on a line of its own. */
bool journal_json_parse(struct slice record, const struct log_context *context,
                        struct log_event *ret_event);

/* One entry of `journalctl -o export`: "__CURSOR=..." up to its empty line. */
bool journal_export_parse(struct slice record, const struct log_context *context,
                          struct log_event *ret_event);

/* What the kernel said, without any stamp; false when it is none of the things we know. */
bool kernel_message_parse(struct slice message, struct log_kernel *ret_kernel);

/* What systemd said. */
bool systemd_message_parse(struct slice message, struct log_kernel *ret_kernel);

/* One transaction: "*   << Request  >> 3" to its "-   End". */
bool varnishlog_parse(struct slice record, const struct log_context *context,
                      struct log_event *ret_event);

/* varnishncsa in its default format, or "time c|b METHOD "uri" status bytes us id key=value..." */
bool varnishncsa_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event);

/* Info|Debug|Error: Child (9902) ...; a death and its panic message are one record */
bool varnishd_parse(struct slice record, const struct log_context *context,
                    struct log_event *ret_event);

/* What varnishd said, without "Error: " or a stamp. */
void varnishd_message_parse(struct slice message, const struct log_context *context,
                            struct log_event *ret_event);

#endif
