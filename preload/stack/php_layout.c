/* php_layout.c - the table of layouts.def, found by version. */
#include "stack/php_layout.h"

#include <stddef.h>
#include <string.h>

#include "banned.h"

static const struct php_layout layouts[] = {
#define PHP_LAYOUT(branch, api, proven, ...) {branch, api, proven, __VA_ARGS__},
#include "stack/layouts.def"
};

const struct php_layout *php_layout_at(uint32_t index)
{
    return index < sizeof layouts / sizeof *layouts ? &layouts[index] : NULL;
}

/* "8.2" is the branch of "8.2.36", "8.2.0-dev" and "8.2", not of "8.20". */
static bool is_branch_of(const char *branch, const char *version)
{
    const size_t len = strlen(branch);

    return strncmp(branch, version, len) == 0 && (version[len] == '.' || version[len] == '\0');
}

const struct php_layout *php_layout_find(const struct php_build *build)
{
    const struct php_layout *layout;

    if (build->zts || build->debug)
        return NULL;
    for (uint32_t i = 0; (layout = php_layout_at(i)); i++)
        if (is_branch_of(layout->branch, build->version) &&
            (layout->api == 0 || layout->api == build->api))
            return layout;
    return NULL;
}
