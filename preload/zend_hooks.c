/* zend_hooks.c - see zend_hooks.h. */
#include "zend_hooks.h"

#include <stddef.h>
#include <string.h>

#include "base/marks.h"
#include "banned.h"

/* The beginning of sapi_module_struct, the same in PHP 7.0 to 8.5. */
struct sapi_module_head {
    const char *name;
    const char *pretty_name;
    int (*startup)(void *module);
    int (*shutdown)(void *module);
    int (*activate)(void);
    int (*deactivate)(void);
    size_t (*ub_write)(const char *text, size_t len_bytes);
    void (*flush)(void *request);
};

extern struct sapi_module_head sapi_module SHIM_WEAK;
extern size_t zend_memory_peak_usage(bool real_usage) SHIM_WEAK;

static struct {
    struct zend_hooks hooks;
    int (*deactivate)(void); /* PHP's own; either may be NULL */
    void (*flush)(void *request);
} zend;

static int zend_on_deactivate(void)
{
    const struct zend_peak peak = {
        .plain_bytes = zend_memory_peak_usage(false),
        .chunks_bytes = zend_memory_peak_usage(true),
    };
    int result;

    zend.hooks.on_script_end(peak);
    result = zend.deactivate ? zend.deactivate() : 0;
    zend.hooks.on_deactivated();
    return result;
}

static void zend_on_flush(void *request)
{
    if (!request)
        zend.hooks.on_last_request_over();
    if (zend.flush)
        zend.flush(request);
}

bool zend_hooks_install(const struct zend_hooks *hooks)
{
    static const char expected[] = "fpm-fcgi";

    if (!&sapi_module || !zend_memory_peak_usage || !sapi_module.name ||
        strcmp(sapi_module.name, expected) != 0)
        return false;
    zend.hooks = *hooks;
    zend.deactivate = sapi_module.deactivate;
    zend.flush = sapi_module.flush;
    sapi_module.deactivate = zend_on_deactivate;
    sapi_module.flush = zend_on_flush;
    return true;
}
