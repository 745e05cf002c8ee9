/*
 * fuzz_module.c - any bytes as path TAB class TAB function: an owner with a printable name, and the
 * same one when asked again; a reason for it; and an application that is called something.
 */
#include <stdint.h>
#include <string.h>

#include "analyze/module/module.h"
#include "analyze/module/module_app.h"
#include "analyze/module/module_path.h"
#include "analyze/module/module_why.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice take_field(struct slice *text)
{
    const ptrdiff_t tab = slice_index(*text, '\t');
    const struct slice field = slice_head(*text, tab < 0 ? SIZE_MAX : (size_t) tab);

    *text = slice_skip(*text, tab < 0 ? SIZE_MAX : (size_t) tab + 1);
    return field;
}

static void check_printable(const char *name)
{
    struct slice rest = slice_of(name);

    if (rest.len_bytes == 0)
        __builtin_trap();
    while (rest.len_bytes > 0) {
        const size_t n = utf8_printable(rest);

        if (n == 0)
            __builtin_trap();
        rest = slice_skip(rest, n);
    }
}

/* A normalised path is normal: no empty part, no dots, and normalising it changes nothing. */
static void check_path(struct slice file)
{
    struct module_path path, again;

    module_path_set(&path, file);
    for (size_t i = 0; i < path.count; i++)
        if (path.parts[i].len_bytes == 0 || slice_equal(path.parts[i], SLICE(".")) ||
            slice_equal(path.parts[i], SLICE("..")) || slice_index(path.parts[i], '/') >= 0)
            __builtin_trap();
    if (path.stream || path.cut || slice_find(slice_of(path.text), SLICE(" : ")) >= 0)
        return;
    module_path_set(&again, (struct slice){.ptr = path.text, .len_bytes = path.len_bytes});
    if (again.len_bytes != path.len_bytes || memcmp(again.text, path.text, path.len_bytes) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {.ptr = (const char *) data, .len_bytes = size};
    const struct slice path = take_field(&text);
    const struct slice class_name = take_field(&text);
    const struct php_frame frame = php_frame_of(path, class_name, take_field(&text));
    const struct module_rules none = {.evidence = NULL};
    struct module module, again, app;
    char why[MODULE_WHY_BYTES];

    check_path(path);
    module_of_frame(NULL, &frame, &module);
    module_of_frame(NULL, &frame, &again);
    check_printable(module.name);
    if (module.tier >= MODULE_TIER_COUNT || strcmp(module.name, again.name) != 0)
        __builtin_trap();
    module_app_of_file(path, &app);
    check_printable(app.name);
    if (!module_app_is_name(slice_of(app.name)) || !module_why(&none, &frame, &module, why)[0])
        __builtin_trap();
    return 0;
}
