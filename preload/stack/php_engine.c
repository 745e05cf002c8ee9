/* php_engine.c - bind to the symbols that php-fpm exports, and read what "core" says of itself. */
#include "stack/php_engine.h"

#include <string.h>

#include "banned.h"

/* The loader resolves these in php-fpm; elsewhere they stay NULL. */
extern const char executor_globals __attribute__((weak));
extern const char module_registry __attribute__((weak));
extern void *zend_hash_str_find(const void *table, const char *key, size_t len_bytes)
    __attribute__((weak));
extern const char *zend_get_executed_filename(void) __attribute__((weak));
extern uint32_t zend_get_executed_lineno(void) __attribute__((weak));

/* zend_module_entry, the same in every version since 7.0 on 64-bit machines. */
enum {
    MODULE_SIZE = 0,
    MODULE_API = 4,
    MODULE_DEBUG = 8,
    MODULE_ZTS = 9,
    MODULE_NAME = 32,
    MODULE_VERSION = 88,
    MODULE_ENTRY_BYTES = 168,
};

void php_engine_bind(struct php_engine *ret_engine)
{
    *ret_engine = (struct php_engine){
        .executor_globals = &executor_globals,
        .module_registry = &module_registry,
        .hash_find = zend_hash_str_find,
        .executed_filename = zend_get_executed_filename,
        .executed_line = zend_get_executed_lineno,
    };
}

static const uint8_t *find_core(const struct php_engine *engine)
{
    static const char name[] = "core";
    const void *const *value; /* a zval: its first word is the module entry */

    if (!engine->module_registry || !engine->hash_find)
        return NULL;
    value = engine->hash_find(engine->module_registry, name, sizeof name - 1);
    return value ? *value : NULL;
}

bool php_engine_build(const struct php_engine *engine, struct php_build *ret_build)
{
    const uint8_t *core = find_core(engine);
    struct php_build build = {0};
    uint16_t size_bytes;
    const char *name, *version;

    if (!core)
        return false;
    memcpy(&size_bytes, core + MODULE_SIZE, sizeof size_bytes);
    memcpy(&name, core + MODULE_NAME, sizeof name);
    memcpy(&version, core + MODULE_VERSION, sizeof version);
    if (size_bytes != MODULE_ENTRY_BYTES || !name || !version || strcmp(name, "Core") != 0)
        return false;
    memcpy(&build.api, core + MODULE_API, sizeof build.api);
    build.debug = core[MODULE_DEBUG] != 0;
    build.zts = core[MODULE_ZTS] != 0;
    strncpy(build.version, version, sizeof build.version - 1);
    *ret_build = build;
    return true;
}
