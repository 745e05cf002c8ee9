/* module_why.c - ask again with one piece of evidence less; what changes the answer was needed. */
#include "analyze/module/module_why.h"

#include <stdio.h>
#include <string.h>

#include "analyze/module/module_app.h"

static bool is_other(const struct module_rules *rules, const struct php_frame *frame,
                     const struct module *module)
{
    struct module other;

    module_of_frame(rules, frame, &other);
    return other.tier != module->tier || strcmp(other.name, module->name) != 0;
}

static bool needs_overrides(const struct module_rules *rules, const struct php_frame *frame,
                            const struct module *module)
{
    const struct module_rules less = {.evidence = rules->evidence};

    return rules->overrides && is_other(&less, frame, module);
}

static bool needs_files(const struct module_rules *rules, const struct php_frame *frame,
                        const struct module *module)
{
    const struct module_rules less = {.overrides = rules->overrides};

    return rules->evidence && is_other(&less, frame, module);
}

static bool needs_class(const struct module_rules *rules, const struct php_frame *frame,
                        const struct module *module)
{
    struct php_frame less = *frame;

    less.class_name = less.function = SLICE("");
    return frame->class_name.len_bytes > 0 && is_other(rules, &less, module);
}

static const struct {
    bool (*needs)(const struct module_rules *, const struct php_frame *, const struct module *);
    const char *why;
} reasons[] = {
    {needs_overrides, "a rule of yours: section [modules] of the configuration, or --rules"},
    {needs_files, "registration.php or etc/module.xml beside it says so"},
    {needs_class, "its class, since the path ends like it"},
};

const char *module_why(const struct module_rules *rules, const struct php_frame *frame,
                       const struct module *module, char why[MODULE_WHY_BYTES])
{
    struct module app;

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].needs(rules, frame, module))
            return reasons[i].why;
    if (module->tier != MODULE_ENTRY)
        return "the directories of its path";
    module_app_of_file(frame->file, &app);
    snprintf(why, MODULE_WHY_BYTES,
             "its path is in no module; where a stack has no module it is blamed as %s", app.name);
    return why;
}

const char *module_why_native(enum native_kind kind, enum module_tier *ret_tier)
{
    static const struct {
        enum module_tier tier;
        const char *why;
    } kinds[] = {
        [NATIVE_LIBRARY] = {MODULE_LIBRARY, "a library: whoever called it is blamed"},
        [NATIVE_ALLOCATOR] = {MODULE_LIBRARY,
                              "it only carries what others do: whoever called it is blamed"},
        [NATIVE_HOST] = {MODULE_LIBRARY, "PHP itself: whoever called it is blamed"},
        [NATIVE_BUNDLED] = {MODULE_LIBRARY, "an extension that PHP ships: named, but never blamed"},
        [NATIVE_AGENT] = {MODULE_THIRD_PARTY, "an agent that acts on its own behalf: blamed "
                                              "whatever PHP code runs"},
        [NATIVE_EXTENSION] = {MODULE_THIRD_PARTY,
                              "an extension that PHP does not ship: blamed for what is kept and "
                              "for crashes, unless a module called it"},
    };

    *ret_tier = kinds[kind].tier;
    return kinds[kind].why;
}
