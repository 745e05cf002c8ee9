/*
 * zend_peak.h - the exact peak of the Zend heap, asked when PHP has finished a request.
 *
 * `sapi_module.deactivate` is called once per request, after destructors and shutdown functions and
 * before the heap is reset, whatever ended the script (exit, fatal error, memory_limit).
 */
#ifndef FPMSCOPE_ZEND_PEAK_H
#define FPMSCOPE_ZEND_PEAK_H

#include <stdbool.h>
#include <stdint.h>

/* `on_script_end` is called with the peak in bytes.  False: not php-fpm as we know it. */
bool zend_peak_install(bool take_smaller, void (*on_script_end)(uint64_t peak_bytes));

#endif
