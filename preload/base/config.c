/* config.c - see config.h. */
#include "base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "banned.h"

static void config_copy(char *dst, size_t cap_bytes, const char *value, const char *fallback)
{
    size_t len = value ? strlen(value) : 0;

    if (len == 0 || len >= cap_bytes) {
        value = fallback;
        len = strlen(fallback);
    }
    memcpy(dst, value, len + 1);
}

/* Decimal digits only; false for anything else, so that a typing error is no setting. */
static bool config_parse(const char *value, int64_t *ret_number)
{
    int64_t number = 0;

    if (!value || !*value)
        return false;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return false;
        if (number > INT64_MAX / 10 - 9)
            return false;
        number = number * 10 + (*value - '0');
    }
    *ret_number = number;
    return true;
}

static int64_t config_number(const char *value, int64_t fallback, int64_t min, int64_t max)
{
    int64_t number;

    if (!config_parse(value, &number))
        return fallback;
    return number < min ? min : number > max ? max : number;
}

void config_read(struct config *ret_config, const char *(*lookup)(const char *variable))
{
#define CONFIG_TEXT(name, variable, max_bytes, default_text, doc)                                  \
    config_copy(ret_config->name, sizeof ret_config->name, lookup(variable), default_text);
#define CONFIG_NUMBER(name, variable, default_value, min, max, doc)                                \
    ret_config->name = config_number(lookup(variable), default_value, min, max);
#include "config.def"
}

void config_default_socket(struct config *config, uint32_t uid, const char *runtime_dir)
{
    struct text path;

    if (config->socket[0])
        return;
    path = text_begin(config->socket, sizeof config->socket);
    if (uid != 0 && (!runtime_dir || !*runtime_dir))
        return;
    text_add(&path, uid == 0 ? "/run" : runtime_dir);
    text_add(&path, "/fpmscope/collector.sock");
    if (path.cut)
        config->socket[0] = '\0';
}
