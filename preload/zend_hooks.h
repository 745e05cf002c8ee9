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

/*
 * The peak of a request's heap as PHP knows it.  PHP 7.4 is wrong in both: after memory_limit has
 * struck, `plain` still has the block that was refused; and `chunks` leaves out chunks that were
 * kept from earlier requests.
 */
struct zend_peak {
    uint64_t plain_bytes;  /* of blocks */
    uint64_t chunks_bytes; /* of whole chunks */
};

struct zend_hooks {
    void (*on_script_end)(struct zend_peak peak); /* before PHP's own deactivate */
    void (*on_deactivated)(void);                 /* and after it */
    void (*on_last_request_over)(void);
};

/* False: not php-fpm as we know it, and nothing was changed. */
bool zend_hooks_install(const struct zend_hooks *hooks);

#endif
