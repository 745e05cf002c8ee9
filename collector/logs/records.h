/*
 * records.h - where records of several lines begin and end.
 *
 * x_starts(): this line begins a record.  x_complete(): the record (its lines joined by \n) needs
 * no further line; one that is not complete ends where the next one starts, or when nothing comes.
 */
#ifndef FPMSCOPE_LOGS_RECORDS_H
#define FPMSCOPE_LOGS_RECORDS_H

#include <stdbool.h>

#include "base/slice.h"

/* A line is whole, except when PHP's words (stderr) hold newlines: then up to ", client: ". */
bool nginx_error_starts(struct slice line);
bool nginx_error_complete(struct slice record);

/* php-fpm's lines too. An uncaught exception goes on up to "  thrown in FILE on line N". */
bool php_error_starts(struct slice line);
bool php_error_complete(struct slice record);

/* Head, script_filename, frames; php-fpm writes an empty line in front of the next block. */
bool php_slow_starts(struct slice line);
bool php_slow_complete(struct slice record);

/* From "*   << Request  >> 3" to "-   End". */
bool varnishlog_starts(struct slice line);
bool varnishlog_complete(struct slice record);

/* From "__CURSOR=" to an empty line that is not inside of a value (journal_text.c). */
bool journal_export_starts(struct slice line);
bool journal_export_complete(struct slice record);

/* A death and the panic message behind it are one record, up to its "version = ". */
bool varnishd_starts(struct slice record);
bool varnishd_complete(struct slice record);

#endif
