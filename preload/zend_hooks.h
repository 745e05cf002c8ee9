/*
 * zend_hooks.h - the two moments that only PHP knows, taken from its `sapi_module` table.
 *
 *   deactivate   called once per request, after destructors and shutdown functions and before the
 *                heap is reset, whatever ended the script (exit, fatal error, memory_limit).  The
 *                exact peak of the Zend heap is asked here.
 *   flush        called without a request when php-fpm leaves its loop (max_requests, a graceful
 *                stop): no accept() will say that the last request is over.
 */
#ifndef FPMSCOPE_ZEND_HOOKS_H
#define FPMSCOPE_ZEND_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct zend_hooks {
    bool take_smaller_peak;                     /* PHP 7, see zend_hooks.c */
    void (*on_script_end)(uint64_t peak_bytes); /* before PHP's own deactivate */
    void (*on_deactivated)(void);               /* and after it */
    void (*on_last_request_over)(void);
};

/* False: not php-fpm as we know it, and nothing was changed. */
bool zend_hooks_install(const struct zend_hooks *hooks);

#endif
