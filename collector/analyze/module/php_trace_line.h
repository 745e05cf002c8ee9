/*
 * php_trace_line.h - a line that somebody copied from a log: where was that?
 *
 *   #3 /srv/app/code/Acme/Feed/Model/Export.php(12): Magento\Framework\DataObject->load()
 *   #4 [internal function]: PDOStatement->fetchAll()
 *   [0x00007f1a2c012345] fetchAll() /srv/vendor/x/y/Pdo.php:228          (php-fpm's slow log)
 *   PHP Fatal error:  Allowed memory size ... in /srv/x.php on line 41
 *   Acme\ErpSync\Observer\Push::execute (Push.php:41)                    (what fpmscope prints)
 *
 * In PHP's traces the file is the caller's and the function the called one, so the file alone
 * counts.  Pure; any bytes are accepted.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_PHP_TRACE_LINE_H
#define FPMSCOPE_ANALYZE_MODULE_PHP_TRACE_LINE_H

#include <stdbool.h>

#include "analyze/module/php_frame.h"
#include "base/slice.h"

/* False when `line` is none of these.  `ret_frame` borrows from it. */
bool php_trace_line_parse(struct slice line, struct php_frame *ret_frame);

#endif
