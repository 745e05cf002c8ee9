/* zend_peak.c - see zend_peak.h. */
#include "zend_peak.h"

#include <stddef.h>
#include <string.h>

#include "base/marks.h"
#include "banned.h"

/* The same in PHP 7.0 to 8.5. */
struct sapi_module_head {
    const char *name;
    const char *pretty_name;
    int (*startup)(void *module);
    int (*shutdown)(void *module);
    int (*activate)(void);
    int (*deactivate)(void);
};

extern struct sapi_module_head sapi_module SHIM_WEAK;
extern size_t zend_memory_peak_usage(bool real_usage) SHIM_WEAK;

static struct {
    int (*chained)(void); /* may be NULL */
    void (*on_script_end)(uint64_t peak_bytes);
    bool take_smaller;
} zend_peak;

/* PHP 7.4 forgets to take memory back from the plain peak when memory_limit strikes; the peak of
 * whole chunks is right there, and larger than the plain one everywhere else. */
static uint64_t zend_peak_bytes(void)
{
    size_t plain = zend_memory_peak_usage(false);
    size_t chunks = zend_peak.take_smaller ? zend_memory_peak_usage(true) : plain;

    return plain < chunks ? plain : chunks;
}

static int zend_peak_on_deactivate(void)
{
    zend_peak.on_script_end(zend_peak_bytes());
    return zend_peak.chained ? zend_peak.chained() : 0;
}

bool zend_peak_install(bool take_smaller, void (*on_script_end)(uint64_t peak_bytes))
{
    static const char expected[] = "fpm-fcgi";

    if (!&sapi_module || !zend_memory_peak_usage || !sapi_module.name ||
        strcmp(sapi_module.name, expected) != 0)
        return false;
    zend_peak.chained = sapi_module.deactivate;
    zend_peak.on_script_end = on_script_end;
    zend_peak.take_smaller = take_smaller;
    sapi_module.deactivate = zend_peak_on_deactivate;
    return true;
}
