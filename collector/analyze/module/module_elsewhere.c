/*
 * module_elsewhere.c - without a directory to go by, the class decides, when the path ends like it
 * (PHP resolves symlinks, so a module outside the shop shows by its class alone).
 */
#include "analyze/module/module_elsewhere.h"

#include "analyze/module/module_evidence.h"
#include "analyze/module/module_name.h"
#include "analyze/module/module_package.h"
#include "base/text_out.h"

static bool is_one_of(struct slice text, const struct slice *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(text, words[i]))
            return true;
    return false;
}

#define IS_ONE_OF(text, ...)                                                                       \
    is_one_of(text, (const struct slice[]){__VA_ARGS__},                                           \
              sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

static bool equal_but_case(struct slice a, struct slice b)
{
    return a.len_bytes == b.len_bytes && strncasecmp(a.ptr, b.ptr, a.len_bytes) == 0;
}

/* "symfony" for Symfony\Component\...: which package it was, nobody can tell any more. */
static void set_library(struct slice first, struct module *ret_module)
{
    char text[MODULE_NAME_BYTES];
    size_t n = 0;

    for (; n < first.len_bytes && n < sizeof text; n++)
        text[n] = (char) (first.ptr[n] >= 'A' && first.ptr[n] <= 'Z' ? first.ptr[n] | 0x20
                                                                     : first.ptr[n]);
    module_name_set(ret_module, (struct slice){.ptr = text, .len_bytes = n}, MODULE_LIBRARY);
}

struct namespace_owner {
    const char *prefix, *owner;
    enum module_tier tier;
};

static const struct namespace_owner namespace_owners[] = {
    {"App", "(app)", MODULE_THIRD_PARTY},
    {"AppBundle", "(app)", MODULE_THIRD_PARTY},
    {"Drupal\\Core", "drupal/core", MODULE_FRAMEWORK},
    {"Drupal\\Component", "drupal/core", MODULE_FRAMEWORK},
    {"Shopware\\Core", "shopware/core", MODULE_FRAMEWORK},
    {"Shopware\\Storefront", "shopware/storefront", MODULE_PLATFORM},
    {"Shopware\\Administration", "shopware/administration", MODULE_PLATFORM},
    {"Shopware\\Elasticsearch", "shopware/elasticsearch", MODULE_PLATFORM},
};

/* Namespaces that name their owner wherever the file lies. */
static bool by_namespace(const struct module_class *class, struct module *ret_module)
{
    const struct slice first = module_class_segment(class, 0);

    if (class->underscored || class->count < 2)
        return false;
    for (size_t i = 0; i < sizeof namespace_owners / sizeof namespace_owners[0]; i++)
        if (module_class_within(class, slice_of(namespace_owners[i].prefix))) {
            module_name_set(ret_module, slice_of(namespace_owners[i].owner),
                            namespace_owners[i].tier);
            return true;
        }
    if (slice_equal(first, SLICE("Drupal")) && class->count > 2)
        module_name_set(ret_module, class->segments[1], MODULE_THIRD_PARTY);
    else if (module_namespace_is_library(first))
        set_library(first, ret_module);
    else
        return false;
    return true;
}

/* What registration.php or etc/module.xml near the file declare. */
static bool declared(const struct module_rules *rules, const struct module_path *path,
                     const struct module_class *class, struct module *ret_module)
{
    struct module_claim claim;

    module_evidence_find(rules ? rules->evidence : NULL, path, 1, &claim);
    if (claim.kind == MODULE_CLAIM_THEME && claim.name[0] != '\0')
        module_name_join(ret_module, SLICE("theme"), ':', slice_of(claim.name), MODULE_THEME);
    else if (claim.kind == MODULE_CLAIM_MODULE && claim.name[0] != '\0')
        module_name_set(ret_module, slice_of(claim.name), module_name_tier(slice_of(claim.name)));
    else if (claim.kind == MODULE_CLAIM_MODULE && class->count > 2 && !class->underscored)
        module_name_set_component(ret_module, class->segments[0], class->segments[1]);
    else
        return false;
    return true;
}

/* Magento 1: Acme_Feed_Model_Observer in .../Model/Observer.php. */
static bool is_magento1(const struct module_class *class)
{
    return class->count > 3 && IS_ONE_OF(class->segments[2], SLICE("Model"), SLICE("Block"),
                                         SLICE("Helper"), SLICE("Controller"));
}

/* Magento 1's lib/: Cm_Cache_Backend_Redis in lib/Cm/Cache/Backend/Redis.php. */
static bool in_lib(const struct module_path *path, const struct module_class *class,
                   struct module *ret_module)
{
    const size_t dirs = class->count - 1;
    size_t first;

    if (!class->underscored || path->count < dirs + 2)
        return false;
    first = path->count - 1 - dirs;
    for (size_t i = 0; i < dirs; i++)
        if (!slice_equal(path->parts[first + i], class->segments[i]))
            return false;
    if (!slice_equal(path->parts[first - 1], SLICE("lib")))
        return false;
    module_name_join(ret_module, SLICE("lib"), ':', class->segments[0], MODULE_FRAMEWORK);
    return true;
}

/* "SwagPayPal" for Swag\PayPal\...: a Shopware plugin's directory is called so. */
static bool is_joined(struct slice text, const struct module_class *class)
{
    const struct slice a = class->segments[0], b = class->segments[1];

    return slice_starts(text, a) && slice_equal(slice_skip(text, a.len_bytes), b);
}

/*
 * "acme-erp/src/Observer/Push.php" of Acme\Erp\Observer\Push: a checkout that is called like the
 * namespace, with a directory that Magento 2 wants.
 */
static bool is_checkout(struct slice directory, const struct module_class *class)
{
    char text[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(text, sizeof text);

    text_out_add(&out, class->segments[0]);
    text_out_add(&out, class->segments[1]);
    return module_package_spells(directory, text_out_slice(&out)) &&
           IS_ONE_OF(module_class_segment(class, 2), SLICE("Block"), SLICE("Controller"),
                     SLICE("Cron"), SLICE("Helper"), SLICE("Model"), SLICE("Observer"),
                     SLICE("Plugin"), SLICE("Setup"), SLICE("Ui"), SLICE("ViewModel"));
}

/* The component before the class's part of the path, namespace directories included. */
static size_t root_of(const struct module_path *path, const struct module_class *class, size_t tail)
{
    if (tail > 0 && slice_equal(path->parts[tail - 1], class->segments[1]))
        tail--;
    if (tail > 0 && slice_equal(path->parts[tail - 1], class->segments[0]))
        tail--;
    return tail;
}

static bool by_class(const struct module_path *path, const struct module_class *class,
                     struct module *ret_module)
{
    const size_t tail = module_class_tail(class, path);
    const size_t root = tail == MODULE_NO_TAIL ? 0 : root_of(path, class, tail);
    const struct slice before = root > 0 ? path->parts[root - 1] : SLICE("");
    const struct module_package package = {.name = root > 1 ? path->parts[root - 2] : SLICE("")};

    if (tail == MODULE_NO_TAIL || (class->underscored && !is_magento1(class)))
        return false;
    if (IS_ONE_OF(before, SLICE("src"), SLICE("app")) && !module_package_is_module(&package) &&
        !is_checkout(package.name, class)) {
        if (is_joined(package.name, class))
            module_name_set(ret_module, package.name, MODULE_THIRD_PARTY);
        else
            module_name_set(ret_module, SLICE("(app)"), MODULE_THIRD_PARTY);
        return true;
    }
    /* Database\Seeders\X in database/seeders/: directories of an application, not of a module. */
    if (class->count == 3 && tail > 0 && !slice_equal(path->parts[tail - 1], class->segments[1]) &&
        equal_but_case(path->parts[tail - 1], class->segments[1]))
        return false;
    module_name_set_component(ret_module, class->segments[0], class->segments[1]);
    return true;
}

/* "acme-module-secure-link": a checkout that is called like its package. */
static bool by_checkout(const struct module_path *path, struct module *ret_module)
{
    for (size_t i = 0; i + 1 < path->count; i++) {
        const ptrdiff_t at = slice_find(path->parts[i], SLICE("-module-"));
        const struct module_package package = {
            .vendor = slice_head(path->parts[i], at > 0 ? (size_t) at : 0),
            .name = slice_skip(path->parts[i], at > 0 ? (size_t) at + 1 : 0)};

        if (at > 0 && module_package_module(&package, ret_module))
            return true;
    }
    return false;
}

/*
 * A symlinked module's template has no class to go by, but lies where Magento wants it:
 * DIRECTORY/view/frontend/..., and the directory's name is all that can be told.
 */
static bool by_view(const struct module_path *path, struct module *ret_module)
{
    const size_t at = module_path_view(path, 1);
    const struct module_package package = {.vendor = at > 1 ? path->parts[at - 2] : SLICE(""),
                                           .name = at > 0 ? path->parts[at - 1] : SLICE("")};

    if (at == 0)
        return false;
    if (!module_package_module(&package, ret_module))
        module_name_set(ret_module, package.name, MODULE_THIRD_PARTY);
    return true;
}

/* Is src/, component `at`, the place of a whole shop (/usr/src/app/pub/index.php)? */
static bool is_shop_root(const struct module_path *path, size_t at)
{
    const struct slice below = path->parts[at + 1];
    const bool directly = at + 2 == path->count;

    if (IS_ONE_OF(path->parts[at - 1], SLICE("usr"), SLICE("local")) ||
        (directly && (slice_equal(below, SLICE("index.php")) || slice_starts(below, SLICE("wp-")))))
        return true;
    if (slice_equal(below, SLICE("app")) &&
        (at + 3 == path->count || slice_equal(path->parts[at + 2], SLICE("etc"))))
        return true; /* app/bootstrap.php, app/etc/env.php */
    for (size_t i = at + 1; i + 1 < path->count; i++)
        if (IS_ONE_OF(path->parts[i], SLICE("pub"), SLICE("public"), SLICE("web"), SLICE("htdocs"),
                      SLICE("public_html"), SLICE("bin")))
            return true;
    return false;
}

/* The shop's own src/; not /usr/src, and not a src/ in which a whole web root lies. */
static bool in_src(const struct module_path *path)
{
    for (size_t i = 1; i + 1 < path->count; i++)
        if (slice_equal(path->parts[i], SLICE("src")) && !is_shop_root(path, i))
            return true;
    return false;
}

bool module_elsewhere_find(const struct module_rules *rules, const struct module_path *path,
                           const struct module_class *class, struct module *ret_module)
{
    if (by_namespace(class, ret_module) || declared(rules, path, class, ret_module) ||
        in_lib(path, class, ret_module) || by_class(path, class, ret_module) ||
        by_checkout(path, ret_module) || by_view(path, ret_module))
        return true;
    if (!in_src(path))
        return false;
    module_name_set(ret_module, SLICE("(app)"), MODULE_THIRD_PARTY);
    return true;
}

bool module_elsewhere_class(const struct module_class *class, struct module *ret_module)
{
    if (by_namespace(class, ret_module))
        return true;
    if (class->underscored ? !is_magento1(class) : class->count < 3)
        return false;
    module_name_set_component(ret_module, class->segments[0], class->segments[1]);
    if (slice_equal(class->segments[class->count - 1], SLICE("Interceptor")))
        ret_module->tier = MODULE_GENERATED;
    return true;
}
