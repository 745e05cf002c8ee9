/*
 * config.h - the operator's settings, as in config.def, copied out of the environment.
 */
#ifndef FPMSCOPE_BASE_CONFIG_H
#define FPMSCOPE_BASE_CONFIG_H

#include <stdint.h>

struct config {
#define CONFIG_TEXT(name, variable, max_bytes, default_text, doc)   char name[max_bytes];
#define CONFIG_NUMBER(name, variable, default_value, min, max, doc) int64_t name;
#include "config.def"
};

/* `lookup` is getenv() or a test's.  A text that does not fit counts as not set. */
void config_read(struct config *ret_config, const char *(*lookup)(const char *variable));

/* Default socket: /run/fpmscope/collector.sock for root, else below `runtime_dir`
 * ($XDG_RUNTIME_DIR, may be NULL).  Only when no socket is set. */
void config_default_socket(struct config *config, uint32_t uid, const char *runtime_dir);

#endif
