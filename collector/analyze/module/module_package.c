/* module_package.c - packages and namespaces looked up without regard to case and dashes. */
#include "analyze/module/module_package.h"

#include <stddef.h>

#include "analyze/module/module_name.h"
#include "base/text_out.h"

static const struct slice libraries[] = {
#define MODULE_LIBRARY(text) {.ptr = (text), .len_bytes = sizeof(text) - 1},
#define MODULE_LIBRARY_NAMESPACE(text)
#include "analyze/module/module_libraries.def"
};

static const struct slice library_namespaces[] = {
#define MODULE_LIBRARY(text)
#define MODULE_LIBRARY_NAMESPACE(text) {.ptr = (text), .len_bytes = sizeof(text) - 1},
#include "analyze/module/module_libraries.def"
};

struct spelling {
    struct slice name, spelled;
};

#define SPELLING(name, spelled)                                                                    \
    {{.ptr = (name), .len_bytes = sizeof(name) - 1},                                               \
     {.ptr = (spelled), .len_bytes = sizeof(spelled) - 1}},

static const struct spelling package_modules[] = {
#define MODULE_PACKAGE(package, module) SPELLING(package, module)
#define MODULE_VENDOR(vendor, spelled)
#include "analyze/module/module_packages.def"
};

static const struct spelling vendors[] = {
#define MODULE_PACKAGE(package, module)
#define MODULE_VENDOR(vendor, spelled) SPELLING(vendor, spelled)
#include "analyze/module/module_packages.def"
};

static bool equal_but_case(struct slice a, struct slice b)
{
    return a.len_bytes == b.len_bytes && strncasecmp(a.ptr, b.ptr, a.len_bytes) == 0;
}

static bool starts_but_case(struct slice text, struct slice prefix)
{
    return equal_but_case(slice_head(text, prefix.len_bytes), prefix);
}

bool module_package_spells(struct slice dashed, struct slice plain)
{
    size_t j = 0;

    for (size_t i = 0; i < dashed.len_bytes; i++) {
        if (dashed.ptr[i] == '-')
            continue;
        if (j == plain.len_bytes || (dashed.ptr[i] | 0x20) != (plain.ptr[j] | 0x20))
            return false;
        j++;
    }
    return j == plain.len_bytes && j > 0;
}

static bool slice_ends(struct slice text, struct slice suffix)
{
    return text.len_bytes >= suffix.len_bytes &&
           slice_equal(slice_skip(text, text.len_bytes - suffix.len_bytes), suffix);
}

/* "module-x", "magento2-y", "z-m2": names that only packages for Magento have. */
static bool is_for_magento(struct slice name)
{
    return slice_starts(name, SLICE("module-")) || slice_starts(name, SLICE("m2-")) ||
           slice_ends(name, SLICE("-m2")) || slice_find(name, SLICE("magento")) >= 0 ||
           slice_find(name, SLICE("mage2")) >= 0;
}

/* An entry for a whole vendor leaves out the vendor's own modules: square/magento2. */
static bool is_entry_for(struct slice entry, const struct module_package *package)
{
    const ptrdiff_t slash = slice_index(entry, '/');
    const size_t vendor_bytes = slash < 0 ? entry.len_bytes : (size_t) slash;
    const struct slice prefix = slice_skip(entry, vendor_bytes + 1);

    if (!equal_but_case(package->vendor, slice_head(entry, vendor_bytes)))
        return false;
    return prefix.len_bytes > 0 ? starts_but_case(package->name, prefix)
                                : !is_for_magento(package->name);
}

bool module_package_is_library(const struct module_package *package)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        if (is_entry_for(libraries[i], package))
            return true;
    return false;
}

bool module_package_is_magento(const struct module_package *package)
{
    return slice_equal(package->vendor, SLICE("magento")) ||
           slice_equal(package->vendor, SLICE("mage-os"));
}

bool module_package_is_module(const struct module_package *package)
{
    /* magento/magento-composer-installer and the like are tools */
    if (module_package_is_magento(package))
        return slice_starts(package->name, SLICE("module-"));
    return is_for_magento(package->name) || slice_find(package->name, SLICE("module")) >= 0 ||
           slice_find(package->name, SLICE("m2-")) >= 0;
}

static void add_camel(struct text_out *out, struct slice dashed)
{
    bool upper = true;

    for (size_t i = 0; i < dashed.len_bytes; i++) {
        const char c = dashed.ptr[i];

        if (c == '-' || c == '_' || c == '.') {
            upper = true;
            continue;
        }
        if (upper && c >= 'a' && c <= 'z')
            text_out_byte(out, (char) (c - 'a' + 'A'));
        else
            text_out_printable(out, (struct slice){.ptr = &dashed.ptr[i], .len_bytes = 1});
        upper = false;
    }
}

static struct slice spelling_of(const struct spelling *spellings, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (equal_but_case(spellings[i].name, name))
            return spellings[i].spelled;
    return SLICE("");
}

static void set_camel(const struct module_package *package, struct slice name,
                      struct module *ret_module)
{
    const struct slice spelled =
        spelling_of(vendors, sizeof vendors / sizeof vendors[0], package->vendor);
    char text[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(text, sizeof text);

    text_out_add(&out, spelled);
    if (spelled.len_bytes == 0)
        add_camel(&out, package->vendor);
    text_out_byte(&out, '_');
    add_camel(&out, name);
    module_name_set(ret_module, text_out_slice(&out), module_name_tier(text_out_slice(&out)));
}

bool module_package_module(const struct module_package *package, struct module *ret_module)
{
    char full[MODULE_NAME_BYTES];
    struct text_out out = text_out_into(full, sizeof full);
    struct slice known;

    text_out_add(&out, package->vendor);
    text_out_byte(&out, '/');
    text_out_add(&out, package->name);
    known = spelling_of(package_modules, sizeof package_modules / sizeof package_modules[0],
                        text_out_slice(&out));
    if (known.len_bytes > 0 && !out.cut) {
        module_name_set(ret_module, known, module_name_tier(known));
        return true;
    }
    if (!slice_starts(package->name, SLICE("module-")) || package->name.len_bytes == 7)
        return false;
    set_camel(package, slice_skip(package->name, 7), ret_module);
    return true;
}

bool module_namespace_is_library(struct slice first)
{
    for (size_t i = 0; i < sizeof library_namespaces / sizeof library_namespaces[0]; i++)
        if (slice_equal(first, library_namespaces[i]))
            return true;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        if (module_package_spells(libraries[i], first))
            return true;
    return false;
}
