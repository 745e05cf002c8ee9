/* doctor_php_info.h - what `php-fpm -i` and `php-fpm -m` print.  Pure; any bytes. */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_PHP_INFO_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_PHP_INFO_H

#include <stdbool.h>

#include "base/slice.h"

/* Slices of the text; empty and -1 where it does not say. */
struct doctor_php_info {
    struct slice version;
    int zts, debug, jit; /* 1, 0 */
};

/* "NAME => VALUE [=> MASTER VALUE]" lines of -i. */
struct doctor_php_info doctor_php_info(struct slice text);

/* The next name of -m's list, without [headings]; false at the end. */
bool doctor_next_module(struct slice *rest, struct slice *ret_name);

/* "8.2" of "8.2.36", or of a program called "php-fpm8.2"; empty: none. */
struct slice doctor_php_branch(struct slice text);

#endif
