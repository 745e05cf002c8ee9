/* module_app.c - the folder of an application. */
#include "analyze/module/module_app.h"

#include <string.h>

#include "analyze/module/module_name.h"
#include "analyze/module/module_path.h"

static const struct slice roots[] = {
#define MODULE_APP_ROOT(path) {.ptr = "/" path "/", .len_bytes = sizeof("/" path "/") - 1},
#define MODULE_APP_ANYBODY(name)
#include "analyze/module/module_app_places.def"
};

static const struct slice anybodys[] = {
#define MODULE_APP_ROOT(path)
#define MODULE_APP_ANYBODY(name) {.ptr = (name), .len_bytes = sizeof(name) - 1},
#include "analyze/module/module_app_places.def"
};

static bool is_anybodys(struct slice folder)
{
    for (size_t i = 0; i < sizeof anybodys / sizeof anybodys[0]; i++)
        if (slice_equal(folder, anybodys[i]))
            return true;
    return false;
}

/* The folder below the first root that the path is in; empty when a file lies there itself. */
static struct slice folder_of(const struct module_path *path)
{
    const struct slice text = {.ptr = path->text, .len_bytes = path->len_bytes};

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        const struct slice rest = slice_skip(text, roots[i].len_bytes);
        const ptrdiff_t end = slice_index(rest, '/');

        if (slice_starts(text, roots[i]))
            return slice_head(rest, end > 0 ? (size_t) end : 0);
    }
    return SLICE("");
}

bool module_app_is_name(struct slice name)
{
    return slice_starts(name, SLICE("app:")) || slice_equal(name, SLICE("(app)"));
}

struct slice module_app_in_words(struct slice name)
{
    return slice_equal(name, SLICE("(app)")) ? SLICE("the site's own code") : name;
}

void module_app_of_file(struct slice file, struct module *ret_module)
{
    struct module_path path;
    struct slice folder;

    module_path_set(&path, file);
    folder = path.stream || path.archive ? SLICE("") : folder_of(&path);
    if (folder.len_bytes == 0 || is_anybodys(folder))
        module_name_set(ret_module, SLICE("(app)"), MODULE_THIRD_PARTY);
    else
        module_name_join(ret_module, SLICE("app"), ':', folder, MODULE_THIRD_PARTY);
}
