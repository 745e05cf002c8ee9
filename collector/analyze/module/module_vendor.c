/*
 * module_vendor.c - vendor/VENDOR/PACKAGE/..., in this order:
 *
 *   composer's own files; known libraries; themes; what the package's files say; what the class
 *   says, when the path ends like it; what the package's name says; else the package itself.
 */
#include "analyze/module/module_vendor.h"

#include "analyze/module/module_evidence.h"
#include "analyze/module/module_name.h"
#include "analyze/module/module_package.h"
#include "base/text_out.h"

/* A file below vendor/, and everything that may tell whose it is. */
struct vendor_file {
    const struct module_path *path;
    const struct module_class *class;
    struct module_package package;
    size_t inside; /* index of the first component below the package */
};

/*
 * One package, several modules: vendor/smile/elasticsuite/src/module-elasticsuite-core/...  The
 * innermost directory that is called like a module's package is one.
 */
static struct vendor_file innermost_package(const struct vendor_file *file)
{
    struct vendor_file inner = *file;

    for (size_t i = file->inside; i + 1 < file->path->count; i++) {
        if (!slice_starts(file->path->parts[i], SLICE("module-")))
            continue;
        inner.package.name = file->path->parts[i];
        inner.inside = i + 1;
    }
    return inner;
}

/* Index of the leftmost "vendor" that has a package below it, or path->count. */
static size_t vendor_index(const struct module_path *path)
{
    for (size_t i = 0; i + 2 < path->count; i++)
        if (slice_equal(path->parts[i], SLICE("vendor")) &&
            !slice_equal(path->parts[i + 1], SLICE("bin")) &&
            !slice_equal(path->parts[i + 2], SLICE("vendor")) &&
            (i + 3 < path->count || slice_equal(path->parts[i + 1], SLICE("composer"))))
            return i;
    return path->count;
}

static void set_package(const struct vendor_file *file, enum module_tier tier,
                        struct module *ret_module)
{
    module_name_join(ret_module, file->package.vendor, '/', file->package.name, tier);
}

/* vendor/magento/theme-frontend-luma -> theme:frontend/Magento/luma */
static bool magento_theme(const struct vendor_file *file, struct module *ret_module)
{
    struct slice name = file->package.name;
    char text[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(text, sizeof text);
    ptrdiff_t dash;

    if (!module_package_is_magento(&file->package) || !slice_starts(name, SLICE("theme-")))
        return false;
    name = slice_skip(name, 6);
    dash = slice_index(name, '-');
    if (dash <= 0)
        return false;
    text_out_add(&out, SLICE("theme:"));
    text_out_add(&out, slice_head(name, (size_t) dash));
    text_out_add(&out, SLICE("/Magento/"));
    text_out_add(&out, slice_skip(name, (size_t) dash + 1));
    module_name_set(ret_module, text_out_slice(&out), MODULE_THEME);
    return true;
}

/* Index of a Vendor_Module directory with templates/ below it; 0: none. */
static size_t template_override(const struct vendor_file *file)
{
    for (size_t i = file->inside; i + 2 < file->path->count; i++)
        if (module_name_is_component(file->path->parts[i]) &&
            slice_equal(file->path->parts[i + 1], SLICE("templates")))
            return i;
    return 0;
}

static void set_hint(const struct vendor_file *file, struct module *ret_module)
{
    const size_t at = template_override(file);
    struct text_out out = text_out_into(ret_module->hint, sizeof ret_module->hint);

    if (ret_module->tier == MODULE_THEME && at > 0)
        text_out_printable(&out, file->path->parts[at]);
}

/* What the files of the package declare. */
static bool declared(const struct module_rules *rules, const struct vendor_file *file,
                     struct module *ret_module)
{
    struct module_claim claim;
    char text[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(text, sizeof text);

    module_evidence_find(rules ? rules->evidence : NULL, file->path, file->inside, &claim);
    if (claim.kind == MODULE_CLAIM_THEME && claim.name[0] != '\0') {
        text_out_add(&out, SLICE("theme:"));
        text_out_add(&out, slice_of(claim.name));
        module_name_set(ret_module, text_out_slice(&out), MODULE_THEME);
    } else if (claim.kind == MODULE_CLAIM_MODULE && claim.name[0] != '\0') {
        module_name_set(ret_module, slice_of(claim.name), module_name_tier(slice_of(claim.name)));
    } else if (claim.kind == MODULE_CLAIM_MODULE && file->class->count > 2 &&
               module_class_tail(file->class, file->path) != MODULE_NO_TAIL) {
        module_name_set_component(ret_module, file->class->segments[0], file->class->segments[1]);
    } else {
        return false;
    }
    return true;
}

/* A theme that is no part of Magento: by its name, or because it replaces templates. */
static bool other_theme(const struct vendor_file *file, struct module *ret_module)
{
    if (template_override(file) == 0 && !slice_starts(file->package.name, SLICE("theme-")))
        return false;
    set_package(file, MODULE_THEME, ret_module);
    return true;
}

/*
 * Magento modules have their namespace at the package's root.  Below src/ the same holds only for
 * packages that call themselves modules: others are just composer packages.
 */
static bool by_class(const struct vendor_file *file, struct module *ret_module)
{
    const size_t tail = module_class_tail(file->class, file->path);

    if (tail == MODULE_NO_TAIL || tail < file->inside || file->class->underscored)
        return false;
    if (tail > file->inside && !module_package_is_module(&file->package))
        return false;
    module_name_set_component(ret_module, file->class->segments[0], file->class->segments[1]);
    return true;
}

static bool equal_but_case(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

/*
 * The package's name in camel case.  Its class may know the right spelling (SaaSCommon), also when
 * file and class differ, as for a trait of the same module.
 */
static bool by_package(const struct vendor_file *file, struct module *ret_module)
{
    struct module spelled;

    if (!module_package_module(&file->package, ret_module))
        return false;
    if (file->class->count > 2 && !file->class->underscored) {
        module_name_set_component(&spelled, file->class->segments[0], file->class->segments[1]);
        if (equal_but_case(spelled.name, ret_module->name))
            *ret_module = spelled;
    }
    return true;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* A template's module, when a package has several: module-search/src/SearchElastic/view/... */
static bool by_view(const struct vendor_file *file, struct module *ret_module)
{
    char text[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(text, sizeof text);
    const size_t at = module_path_view(file->path, file->inside + 1);

    if (at == 0 || !slice_starts(file->package.name, SLICE("module-")) ||
        !is_upper(file->path->parts[at - 1].ptr[0]))
        return false;
    text_out_add(&out, SLICE("module-"));
    text_out_add(&out, file->path->parts[at - 1]);
    return module_package_module(
        &(struct module_package){.vendor = file->package.vendor, .name = text_out_slice(&out)},
        ret_module);
}

/* What the names of directories, classes and packages say. */
static bool by_names(const struct vendor_file *file, struct module *ret_module)
{
    return by_class(file, ret_module) || by_view(file, ret_module) || by_package(file, ret_module);
}

static void find_owner(const struct module_rules *rules, const struct vendor_file *file,
                       struct module *ret_module)
{
    const struct vendor_file inner = innermost_package(file);

    if (slice_equal(file->package.vendor, SLICE("composer"))) {
        module_name_set(ret_module, SLICE("composer"), MODULE_LIBRARY);
    } else if (module_package_is_library(&file->package)) {
        set_package(file, MODULE_LIBRARY, ret_module);
    } else if (!magento_theme(file, ret_module) && !declared(rules, file, ret_module) &&
               !by_names(&inner, ret_module) && !other_theme(file, ret_module)) {
        set_package(file,
                    module_package_is_magento(&file->package) ? MODULE_LIBRARY : MODULE_THIRD_PARTY,
                    ret_module);
    }
    set_hint(file, ret_module);
}

bool module_vendor_find(const struct module_rules *rules, const struct module_path *path,
                        const struct module_class *class, struct module *ret_module)
{
    const size_t at = vendor_index(path);

    if (at == path->count)
        return false;
    const struct vendor_file file = {.path = path,
                                     .class = class,
                                     .package = {path->parts[at + 1], path->parts[at + 2]},
                                     .inside = at + 3};

    find_owner(rules, &file, ret_module);
    return true;
}
