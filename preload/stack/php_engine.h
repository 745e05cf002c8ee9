/*
 * php_engine.h - what php-fpm exports that the shim reads.
 *
 * Weak references: in another program, or in a thread-safe (ZTS) build, which has no
 * `executor_globals`, they are NULL and there are no PHP stacks.
 */
#ifndef FPMSCOPE_STACK_PHP_ENGINE_H
#define FPMSCOPE_STACK_PHP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PHP_VERSION_BYTES = 16 };

struct php_engine {
    const void *executor_globals;
    const void *module_registry; /* HashTable of the loaded modules */
    void *(*hash_find)(const void *table, const char *key, size_t len_bytes);
    const char *(*executed_filename)(void);
    uint32_t (*executed_line)(void);
};

/* What the "core" module says about its engine. */
struct php_build {
    char version[PHP_VERSION_BYTES]; /* "8.2.36", NUL-terminated */
    uint32_t api;                    /* ZEND_MODULE_API_NO */
    bool zts, debug;
};

/* Take the addresses from the running program. */
void php_engine_bind(struct php_engine *ret_engine);

/* Find "core" in the module registry: true when it is there and looks like a module entry.  Valid
 * after php-fpm has started its modules: in a fork child, not in a constructor. */
bool php_engine_build(const struct php_engine *engine, struct php_build *ret_build);

#endif
