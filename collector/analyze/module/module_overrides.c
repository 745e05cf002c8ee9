/* module_overrides.c - a short list of prefixes, searched for the longest that fits. */
#include "analyze/module/module_overrides.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/module/module_name.h"

enum { PREFIX_BYTES = 256 };

enum subject { SUBJECT_PATH, SUBJECT_PATH_ANYWHERE, SUBJECT_CLASS, SUBJECT_NAME };

struct module_override {
    enum subject subject;
    char prefix[PREFIX_BYTES];
    size_t prefix_bytes;
    char name[MODULE_NAME_BYTES]; /* empty: keep */
    enum module_tier tier;
};

struct module_overrides {
    struct module_override items[MODULE_OVERRIDES_MAX];
    size_t count;
};

struct module_overrides *module_overrides_new(void)
{
    return calloc(1, sizeof(struct module_overrides));
}

void module_overrides_free(struct module_overrides *overrides)
{
    free(overrides);
}

static enum subject subject_of(struct slice prefix)
{
    if (prefix.ptr[0] == '*')
        return SUBJECT_PATH_ANYWHERE;
    if (prefix.ptr[0] == '/')
        return SUBJECT_PATH;
    return slice_index(prefix, '\\') >= 0 ? SUBJECT_CLASS : SUBJECT_NAME;
}

/* "Acme_Tools third_party": the tier is the last word. */
static int parse_value(struct slice value, struct module_override *override)
{
    size_t at = value.len_bytes;
    struct slice name;

    while (at > 0 && !slice_is_blank(value.ptr[at - 1]))
        at--;
    name = slice_trim(slice_head(value, at));
    if (name.len_bytes == 0 || name.len_bytes >= sizeof override->name ||
        !module_tier_parse(slice_skip(value, at), &override->tier))
        return -EINVAL;
    if (!slice_equal(name, SLICE("-")))
        memcpy(override->name, name.ptr, name.len_bytes);
    return 0;
}

int module_overrides_add(struct module_overrides *overrides, struct slice prefix,
                         struct slice value)
{
    struct module_override override = {.prefix_bytes = 0};
    int r;

    prefix = slice_trim(prefix);
    if (prefix.len_bytes == 0)
        return -EINVAL;
    override.subject = subject_of(prefix);
    if (override.subject == SUBJECT_PATH_ANYWHERE)
        prefix = slice_skip(prefix, 1);
    if (prefix.len_bytes == 0 || prefix.len_bytes > sizeof override.prefix)
        return -EINVAL;
    memcpy(override.prefix, prefix.ptr, prefix.len_bytes);
    override.prefix_bytes = prefix.len_bytes;
    r = parse_value(slice_trim(value), &override);
    if (r < 0)
        return r;
    if (override.name[0] == '\0' && override.subject != SUBJECT_NAME)
        return -EINVAL; /* `-` keeps the name that the rules gave: only for names */
    if (overrides->count == MODULE_OVERRIDES_MAX)
        return -ENOSPC;
    overrides->items[overrides->count++] = override;
    return 0;
}

int module_overrides_add_line(struct module_overrides *overrides, struct slice line)
{
    ptrdiff_t equals;

    line = slice_trim(line);
    if (line.len_bytes == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
        return 0;
    equals = slice_index(line, '=');
    if (equals < 0)
        return -EINVAL;
    return module_overrides_add(overrides, slice_head(line, (size_t) equals),
                                slice_skip(line, (size_t) equals + 1));
}

static bool fits(const struct module_override *override, struct slice text)
{
    const struct slice prefix = {.ptr = override->prefix, .len_bytes = override->prefix_bytes};

    return override->subject == SUBJECT_PATH_ANYWHERE ? slice_find(text, prefix) >= 0
                                                      : slice_starts(text, prefix);
}

/* The longest of `subject` that fits, or NULL. */
static const struct module_override *find(const struct module_overrides *overrides,
                                          enum subject subject, struct slice text)
{
    const struct module_override *best = NULL;

    for (size_t i = 0; i < overrides->count; i++) {
        const struct module_override *item = &overrides->items[i];

        if (item->subject == subject && (!best || item->prefix_bytes > best->prefix_bytes) &&
            fits(item, text))
            best = item;
    }
    return best;
}

bool module_overrides_frame(const struct module_overrides *overrides, struct slice path,
                            struct slice class_name, struct module *ret_module)
{
    const struct module_override *found;

    if (!overrides)
        return false;
    found = find(overrides, SUBJECT_PATH, path);
    if (!found)
        found = find(overrides, SUBJECT_PATH_ANYWHERE, path);
    if (!found)
        found = find(overrides, SUBJECT_CLASS, class_name);
    if (!found)
        return false;
    module_name_set(ret_module, slice_of(found->name), found->tier);
    return true;
}

void module_overrides_name(const struct module_overrides *overrides, struct module *module)
{
    const struct module_override *found =
        overrides ? find(overrides, SUBJECT_NAME, slice_of(module->name)) : NULL;

    if (!found)
        return;
    module->tier = found->tier;
    if (found->name[0] != '\0')
        module_name_set(module, slice_of(found->name), found->tier);
}
