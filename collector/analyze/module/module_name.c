/* module_name.c - names and their tiers; everything printed passes through here. */
#include "analyze/module/module_name.h"

#include "base/text_out.h"

enum name_match { NAME_EXACT, NAME_PREFIX };

static const struct {
    enum name_match match;
    struct slice text;
    enum module_tier tier;
} names[] = {
#define MODULE_NAME(match, text, tier)                                                             \
    {NAME_##match, {.ptr = (text), .len_bytes = sizeof(text) - 1}, MODULE_##tier},
#include "analyze/module/module_names.def"
};

static const struct {
    const char *text;
    enum module_blame blame;
} tiers[] = {
#define MODULE_TIER(name, printed, blame, doc) [MODULE_##name] = {printed, MODULE_##blame},
#include "analyze/module/module_tiers.def"
};

const char *module_tier_text(enum module_tier tier)
{
    return tiers[tier].text;
}

enum module_blame module_tier_blame(enum module_tier tier)
{
    return tiers[tier].blame;
}

bool module_tier_parse(struct slice text, enum module_tier *ret_tier)
{
    for (size_t i = 0; i < MODULE_TIER_COUNT; i++)
        if (slice_equal(text, slice_of(tiers[i].text))) {
            *ret_tier = (enum module_tier) i;
            return true;
        }
    return false;
}

enum module_tier module_name_tier(struct slice name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].match == NAME_EXACT ? slice_equal(name, names[i].text)
                                         : slice_starts(name, names[i].text))
            return names[i].tier;
    return MODULE_THIRD_PARTY;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool module_name_is_component(struct slice text)
{
    const ptrdiff_t at = slice_index(text, '_');

    return at > 0 && is_upper(text.ptr[0]) && (size_t) at + 1 < text.len_bytes &&
           is_upper(text.ptr[at + 1]);
}

void module_name_set(struct module *module, struct slice name, enum module_tier tier)
{
    struct text_out out = text_out_into(module->name, sizeof module->name);

    text_out_printable(&out, name);
    module->tier = tier;
    module->hint[0] = '\0';
}

void module_name_join(struct module *module, struct slice head, char separator, struct slice tail,
                      enum module_tier tier)
{
    struct text_out out = text_out_into(module->name, sizeof module->name);

    text_out_printable(&out, head);
    text_out_byte(&out, separator);
    text_out_printable(&out, tail);
    module->tier = tier;
    module->hint[0] = '\0';
}

void module_name_set_component(struct module *module, struct slice vendor, struct slice name)
{
    module_name_join(module, vendor, '_', name, MODULE_THIRD_PARTY);
    module->tier = module_name_tier(slice_of(module->name));
}
