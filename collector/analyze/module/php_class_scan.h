/*
 * php_class_scan.h - the first class of a PHP file, with its namespace: what a frame of it would
 * say.  Comments and strings are stepped over; nothing else of the language is understood.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_PHP_CLASS_SCAN_H
#define FPMSCOPE_ANALYZE_MODULE_PHP_CLASS_SCAN_H

#include <stddef.h>

#include "base/slice.h"

enum { PHP_CLASS_NAME_BYTES = 512 };

/* "Acme\Feed\Writer" of `text`, in the caller's buffer; empty when the file has no class. */
struct slice php_class_scan(struct slice text, char name[PHP_CLASS_NAME_BYTES]);

#endif
