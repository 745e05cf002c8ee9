/* module_marker.c - match runs of directories, and put names together from what was kept. */
#include "analyze/module/module_marker.h"

#include <stdint.h>

#include "analyze/module/module_name.h"
#include "base/text_out.h"

enum { KEPT_MAX = 4 };

/* BY_NAME in the table is no tier of its own. */
enum { TIER_BY_NAME = MODULE_TIER_COUNT };
#define TIER_OF_THIRD_PARTY MODULE_THIRD_PARTY
#define TIER_OF_THEME       MODULE_THEME
#define TIER_OF_PLATFORM    MODULE_PLATFORM
#define TIER_OF_FRAMEWORK   MODULE_FRAMEWORK
#define TIER_OF_GENERATED   MODULE_GENERATED
#define TIER_OF_BY_NAME     TIER_BY_NAME

struct marker {
    enum module_marker_stage stage;
    struct slice pattern, name;
    unsigned tier;
};

static const struct marker markers[] = {
#define MODULE_MARKER(stage, pattern, name, tier)                                                  \
    {MODULE_##stage,                                                                               \
     {.ptr = (pattern), .len_bytes = sizeof(pattern) - 1},                                         \
     {.ptr = (name), .len_bytes = sizeof(name) - 1},                                               \
     TIER_OF_##tier},
#include "analyze/module/module_markers.def"
};

struct match {
    const struct module_path *path;
    struct slice kept[KEPT_MAX];
    size_t kept_count;
    size_t next; /* component after the run */
};

static void keep(struct match *match, struct slice part)
{
    if (match->kept_count < KEPT_MAX)
        match->kept[match->kept_count++] = part;
}

/* A word of a pattern, perhaps with a `*` at its end. */
static bool word_matches(struct slice word, struct slice part)
{
    if (word.len_bytes > 0 && word.ptr[word.len_bytes - 1] == '*')
        return slice_starts(part, slice_head(word, word.len_bytes - 1));
    return slice_equal(word, part);
}

/* One of the words in "(a|b)". */
static bool choice_matches(struct slice choice, struct slice part)
{
    struct slice words = slice_head(slice_skip(choice, 1), choice.len_bytes - 2);

    while (words.len_bytes > 0) {
        const ptrdiff_t bar = slice_index(words, '|');
        const size_t n = bar < 0 ? words.len_bytes : (size_t) bar;

        if (word_matches(slice_head(words, n), part))
            return true;
        words = slice_skip(words, n + 1);
    }
    return false;
}

/* A single-file plugin is named by its file; index.php is the guard that lies in every folder. */
static bool keep_file(struct match *match, struct slice part, bool last)
{
    const struct slice suffix = SLICE(".php");

    if (last && part.len_bytes > suffix.len_bytes &&
        slice_equal(slice_skip(part, part.len_bytes - suffix.len_bytes), suffix))
        part.len_bytes -= suffix.len_bytes;
    keep(match, part);
    return !(last && slice_equal(part, SLICE("index")));
}

static bool element_matches(struct match *match, struct slice element, struct slice part, bool last)
{
    switch (element.ptr[0]) {
    case '+':
        keep(match, part);
        return !last;
    case '^':
        keep(match, part);
        return !last && part.ptr[0] >= 'A' && part.ptr[0] <= 'Z';
    case '=':
        return keep_file(match, part, last);
    case '(':
        keep(match, part);
        return choice_matches(element, part);
    default:
        return word_matches(element, part);
    }
}

/* Does the run begin at component `at`? */
static bool matches_at(struct match *match, struct slice pattern, size_t at)
{
    const struct module_path *path = match->path;
    bool may_be_last = false;

    match->kept_count = 0;
    while (pattern.len_bytes > 0) {
        const ptrdiff_t slash = slice_index(pattern, '/');
        const struct slice element = slice_head(pattern, slash < 0 ? SIZE_MAX : (size_t) slash);

        if (at == path->count ||
            !element_matches(match, element, path->parts[at], at + 1 == path->count))
            return false;
        may_be_last = element.ptr[0] == '=' || slice_index(element, '.') >= 0;
        pattern = slice_skip(pattern, element.len_bytes + 1);
        at++;
    }
    match->next = at;
    return may_be_last || at < path->count;
}

static void put_name(const struct match *match, struct slice format, struct module *ret_module)
{
    struct text_out out = text_out_into(ret_module->name, sizeof ret_module->name);

    for (size_t i = 0; i < format.len_bytes; i++) {
        if (format.ptr[i] == '$')
            text_out_printable(&out, match->kept[format.ptr[++i] - '1']);
        else
            text_out_byte(&out, format.ptr[i]);
    }
}

/* app/design/frontend/Acme/shop/Magento_Catalog/...: whose template the theme replaces. */
static void put_hint(const struct match *match, struct module *ret_module)
{
    struct text_out out = text_out_into(ret_module->hint, sizeof ret_module->hint);

    if (ret_module->tier == MODULE_THEME && match->next + 1 < match->path->count &&
        module_name_is_component(match->path->parts[match->next]))
        text_out_printable(&out, match->path->parts[match->next]);
}

static bool marker_matches(const struct marker *marker, struct match *match)
{
    for (size_t at = 0; at < match->path->count; at++)
        if (matches_at(match, marker->pattern, at))
            return true;
    return false;
}

bool module_marker_find(enum module_marker_stage stage, const struct module_path *path,
                        struct module *ret_module)
{
    struct match match = {.path = path};

    for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++) {
        if (markers[i].stage != stage || !marker_matches(&markers[i], &match))
            continue;
        put_name(&match, markers[i].name, ret_module);
        ret_module->tier = markers[i].tier == TIER_BY_NAME
                               ? module_name_tier(slice_of(ret_module->name))
                               : (enum module_tier) markers[i].tier;
        put_hint(&match, ret_module);
        return true;
    }
    return false;
}
