/*
 * module.c - the order of the rules.
 *
 *    what                                      why here
 *    the operator's rules                      whoever asks knows best
 *    no file                                   internal functions
 *    archives, streams                         their inside says nothing about this shop
 *    directories of the CONTAINER table        the path beats the class: a trait or a template runs
 *                                              under the name of whoever uses it
 *    Magento 1's compiler, WordPress drop-ins, Drupal's flat modules/
 *    vendor/
 *    directories of the LOOSE table            packages have such directories, too
 *    class, evidence, src/                     symlinked modules, the shop's own code
 *    directories of the ADDED table            plugins of whatever application this is
 *    else                                      (entry)
 */
#include "analyze/module/module.h"

#include "analyze/module/module_class.h"
#include "analyze/module/module_elsewhere.h"
#include "analyze/module/module_marker.h"
#include "analyze/module/module_name.h"
#include "analyze/module/module_overrides.h"
#include "analyze/module/module_path.h"
#include "analyze/module/module_vendor.h"

static bool slice_ends(struct slice text, struct slice suffix)
{
    return text.len_bytes >= suffix.len_bytes &&
           slice_equal(slice_skip(text, text.len_bytes - suffix.len_bytes), suffix);
}

/* A class of Magento 1 whose file says nothing: Luigifab_Maillog_Model_Observer. */
static void set_magento1_class(const struct module_class *class, struct module *ret_module)
{
    const struct slice first = class->segments[0];

    if (slice_equal(first, SLICE("Varien")) || slice_equal(first, SLICE("Zend")))
        module_name_join(ret_module, SLICE("lib"), ':', first, MODULE_FRAMEWORK);
    else
        module_name_set_component(ret_module, first, class->segments[1]);
}

/* includes/src/Class_Name.php, or a bundle (__default.php) of many: only the class tells. */
static bool compiled_magento1(const struct module_path *path, const struct module_class *class,
                              struct module *ret_module)
{
    struct module_class file = {.count = 0};
    ptrdiff_t dot;

    if (path->count < 3 || !slice_equal(path->parts[path->count - 2], SLICE("src")) ||
        !slice_equal(path->parts[path->count - 3], SLICE("includes")))
        return false;
    if (class->underscored) {
        set_magento1_class(class, ret_module);
        return true;
    }
    dot = slice_index(module_path_file(path), '.');
    if (class->count == 0 && dot > 0)
        module_class_parse(&file, slice_head(module_path_file(path), (size_t) dot));
    if (!file.underscored)
        return false;
    set_magento1_class(&file, ret_module);
    return true;
}

/* wp-content/object-cache.php and its like run in every request, and were put there by somebody. */
static bool wordpress_drop_in(const struct module_path *path, struct module *ret_module)
{
    const struct slice file = module_path_file(path);

    if (path->count < 2 || !slice_equal(path->parts[path->count - 2], SLICE("wp-content")) ||
        !slice_ends(file, SLICE(".php")) || slice_equal(file, SLICE("index.php")))
        return false;
    module_name_join(ret_module, SLICE("drop-in"), ':', slice_head(file, file.len_bytes - 4),
                     MODULE_THIRD_PARTY);
    return true;
}

static bool is_drupal7_core(struct slice name)
{
    static const struct slice names[] = {
#define MODULE_DRUPAL7(text) {.ptr = (text), .len_bytes = sizeof(text) - 1},
#include "analyze/module/module_drupal7.def"
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i]))
            return true;
    return false;
}

/* modules/X/... without contrib/ or custom/: Drupal's when the class or the file's kind says so. */
static bool drupal_flat(const struct module_path *path, const struct module_class *class,
                        struct module *ret_module)
{
    const struct slice file = module_path_file(path);
    const bool drupal = module_class_within(class, SLICE("Drupal")) ||
                        slice_ends(file, SLICE(".module")) || slice_ends(file, SLICE(".install")) ||
                        slice_ends(file, SLICE(".inc"));

    for (size_t i = 0; drupal && i + 2 < path->count; i++) {
        if (!slice_equal(path->parts[i], SLICE("modules")))
            continue;
        module_name_set(ret_module, path->parts[i + 1],
                        is_drupal7_core(path->parts[i + 1]) ? MODULE_PLATFORM : MODULE_THIRD_PARTY);
        return true;
    }
    return false;
}

/* Wiki\plugin\Feed\Writer: the second word says what is added, not who wrote it. */
static bool is_kind_of_addition(struct slice word)
{
    const struct slice words[] = {SLICE("plugin"),  SLICE("plugins"),   SLICE("module"),
                                  SLICE("modules"), SLICE("extension"), SLICE("extensions")};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word.len_bytes == words[i].len_bytes &&
            strncasecmp(word.ptr, words[i].ptr, word.len_bytes) == 0)
            return true;
    return false;
}

/* What was added to the application, unless the class or what lies beside it has a better name. */
static bool find_added(const struct module_rules *rules, const struct module_path *path,
                       const struct module_class *class, struct module *ret_module)
{
    struct module added = {.hint = ""};
    const bool is_named = module_elsewhere_find(rules, path, class, ret_module);

    if (is_named && !slice_equal(slice_of(ret_module->name), SLICE("(app)")) &&
        !is_kind_of_addition(module_class_segment(class, 1)))
        return true;
    if (!module_marker_find(MODULE_ADDED, path, &added))
        return is_named;
    *ret_module = added;
    return true;
}

static void find_by_path(const struct module_rules *rules, const struct module_path *path,
                         const struct module_class *class, struct module *ret_module)
{
    if (module_marker_find(MODULE_CONTAINER, path, ret_module) ||
        compiled_magento1(path, class, ret_module) || wordpress_drop_in(path, ret_module) ||
        module_vendor_find(rules, path, class, ret_module) ||
        module_marker_find(MODULE_LOOSE, path, ret_module) ||
        drupal_flat(path, class, ret_module) || find_added(rules, path, class, ret_module))
        return;
    module_name_set(ret_module, SLICE("(entry)"), MODULE_ENTRY);
}

/* An archive belongs to the module in which it lies; the classes inside do not count. */
static void find_by_archive(const struct module_rules *rules, const struct module_path *path,
                            struct module *ret_module)
{
    const struct module_class none = {.count = 0};

    find_by_path(rules, path, &none, ret_module);
    if (ret_module->tier == MODULE_ENTRY)
        module_name_join(ret_module, SLICE("phar"), ':', module_path_file(path), MODULE_LIBRARY);
}

static void find_user(const struct module_rules *rules, const struct php_frame *frame,
                      const struct module_class *class, struct module *ret_module)
{
    struct module_path path;

    module_path_set(&path, frame->file);
    if (module_overrides_frame(rules ? rules->overrides : NULL,
                               (struct slice){.ptr = path.text, .len_bytes = path.len_bytes},
                               frame->class_name, ret_module))
        return;
    if (path.stream)
        module_name_set(ret_module, SLICE("(entry)"), MODULE_ENTRY);
    else if (path.archive)
        find_by_archive(rules, &path, ret_module);
    else
        find_by_path(rules, &path, class, ret_module);
}

void module_of_frame(const struct module_rules *rules, const struct php_frame *frame,
                     struct module *ret_module)
{
    struct module_class class;

    ret_module->hint[0] = '\0';
    module_class_set(&class, frame);
    if (frame->kind == PHP_FRAME_USER)
        find_user(rules, frame, &class, ret_module);
    else if (frame->kind != PHP_FRAME_UNPLACED ||
             (!module_overrides_frame(rules ? rules->overrides : NULL, SLICE(""), frame->class_name,
                                      ret_module) &&
              !module_elsewhere_class(&class, ret_module)))
        module_name_set(ret_module, SLICE("(internal)"), MODULE_LIBRARY);
    module_overrides_name(rules ? rules->overrides : NULL, ret_module);
}
