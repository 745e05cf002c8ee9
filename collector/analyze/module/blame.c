/* blame.c - cut the stack into units, and read them from the inside out. */
#include "analyze/module/blame.h"

#include "analyze/module/blame_boundary.h"
#include "analyze/module/module_app.h"
#include "analyze/module/module_name.h"
#include "analyze/module/native_origin.h"
#include "base/text_out.h"
#include "model/event.h"

struct walk {
    const struct module_rules *rules;
    struct php_frame frames[EVENT_FRAMES_MAX];
    size_t count;
    struct native_origin native;
    struct blame *blame;
};

static void walk_start(struct walk *walk, const struct blame_stack *stack)
{
    const size_t native =
        stack->native_count < EVENT_FRAMES_MAX ? stack->native_count : EVENT_FRAMES_MAX;

    walk->count = stack->php_count < EVENT_FRAMES_MAX ? stack->php_count : EVENT_FRAMES_MAX;
    for (size_t i = 0; i < walk->count; i++)
        walk->frames[i] = php_frame_parse(stack->php[i]);
    walk->native = native_origin_of(stack->native, native, stack->owner);
}

/* Index of the innermost frame that runs PHP code; `count` when there is none. */
static size_t innermost_user(const struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        if (walk->frames[i].kind == PHP_FRAME_USER || walk->frames[i].kind == PHP_FRAME_UNPLACED)
            return i;
    return walk->count;
}

/* One past the last frame of the unit that begins at `begin`: its boundary, or the stack's end. */
static size_t unit_end(const struct walk *walk, size_t begin, enum blame_unit *ret_unit)
{
    for (size_t i = begin; i < walk->count; i++)
        if (blame_boundary_of(&walk->frames[i], ret_unit))
            return i;
    *ret_unit = BLAME_UNIT_REQUEST;
    return walk->count;
}

static void set_blamed(struct walk *walk, size_t frame, const struct module *module,
                       enum blame_found found, enum blame_unit unit, size_t end)
{
    struct blame *blame = walk->blame;

    blame->found = found;
    blame->module = *module;
    blame->frame = (int) frame;
    blame->unit = unit;
    blame->boundary = end < walk->count ? (int) end : BLAME_NO_FRAME;
}

/* The innermost T2 frame of a unit, else its innermost T1 frame; false when it has neither. */
static bool blame_in_unit(struct walk *walk, size_t begin, size_t end, enum blame_unit unit)
{
    bool found = false;

    for (size_t i = begin; i < end; i++) {
        struct module module;
        enum module_blame kind;

        if (walk->frames[i].kind == PHP_FRAME_GAP || walk->frames[i].kind == PHP_FRAME_INTERNAL)
            continue;
        module_of_frame(walk->rules, &walk->frames[i], &module);
        kind = module_tier_blame(module.tier);
        if (kind == MODULE_FIRST) {
            set_blamed(walk, i, &module, BLAME_THIRD_PARTY, unit, end);
            return true;
        }
        if (kind == MODULE_IF_ALONE && !found) {
            set_blamed(walk, i, &module, BLAME_PLATFORM, unit, end);
            found = true;
        }
    }
    return found;
}

/* An around plugin that called $proceed: nothing in its unit owns what ran below. */
static bool unit_passes_through(const struct walk *walk, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (blame_passes_through(&walk->frames[i]))
            return true;
    return false;
}

static bool blame_php(struct walk *walk)
{
    enum blame_unit unit = BLAME_UNIT_REQUEST, inner = BLAME_UNIT_REQUEST;
    size_t begin = 0;

    while (begin < walk->count) {
        const size_t end = unit_end(walk, begin, &unit);
        const bool skipped = inner == BLAME_UNIT_NEXT && unit_passes_through(walk, begin, end);

        if (!skipped && blame_in_unit(walk, begin, end, unit))
            return true;
        inner = unit;
        begin = end + 1;
    }
    return false;
}

/*
 * Code in no module, with nobody of a module on the stack: the application's own.  What is between
 * it and the leaf may be a library; a framework has entry scripts, too, and those are not to blame.
 */
static bool blame_application(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        struct module module;

        if (walk->frames[i].kind != PHP_FRAME_USER)
            continue;
        module_of_frame(walk->rules, &walk->frames[i], &module);
        if (module.tier == MODULE_LIBRARY)
            continue;
        if (module.tier != MODULE_ENTRY)
            return false;
        module_app_of_file(walk->frames[i].file, &module);
        set_blamed(walk, i, &module, BLAME_APPLICATION, BLAME_UNIT_REQUEST, walk->count);
        return true;
    }
    return false;
}

static void blame_extension(struct walk *walk)
{
    walk->blame->found = BLAME_EXTENSION;
    walk->blame->frame = walk->blame->boundary = BLAME_NO_FRAME;
    walk->blame->unit = BLAME_UNIT_REQUEST;
    module_name_set(&walk->blame->module, walk->native.extension, MODULE_THIRD_PARTY);
}

/* Loading code: the compiler is on the native stack, or an autoloader is the innermost PHP code. */
static bool is_loading(const struct walk *walk)
{
    const size_t user = innermost_user(walk);

    return walk->native.compiling ||
           (user < walk->count && blame_is_autoloader(&walk->frames[user]));
}

/* Nobody to blame: the innermost code, whatever it is, so that a report has something to show. */
static void blame_nobody(struct walk *walk)
{
    const size_t user = innermost_user(walk);
    const struct slice library =
        walk->native.extension.len_bytes > 0 ? walk->native.extension : walk->native.shared_object;

    walk->blame->found = BLAME_NOBODY;
    if (user < walk->count)
        module_of_frame(walk->rules, &walk->frames[user], &walk->blame->module);
    else if (library.len_bytes > 0)
        module_name_set(&walk->blame->module, library, MODULE_LIBRARY);
    else
        module_name_set(&walk->blame->module, SLICE("(internal)"), MODULE_LIBRARY);
}

/* The order of the rules; blame.h and DESIGN.md say why. */
static void blame_walk(struct walk *walk, enum blame_question question)
{
    const bool extension =
        walk->native.extension.len_bytes > 0 && walk->native.extension_kind == NATIVE_EXTENSION;
    bool found;

    if (walk->native.extension.len_bytes > 0 && walk->native.extension_kind == NATIVE_AGENT) {
        blame_extension(walk);
        return;
    }
    /* A crash while a file is loaded is not about the memory of loading. */
    if (question != BLAME_CRASH && is_loading(walk)) {
        walk->blame->found = BLAME_AUTOLOAD;
        module_name_set(&walk->blame->module, SLICE("(autoload)"), MODULE_LIBRARY);
        return;
    }
    found = blame_php(walk) || (question == BLAME_PEAK && blame_application(walk));
    if (extension && (!found || (walk->blame->found == BLAME_PLATFORM && question != BLAME_PEAK)))
        blame_extension(walk);
    else if (!found && !blame_application(walk))
        blame_nobody(walk);
}

static void set_allocated_in(struct walk *walk)
{
    struct text_out library =
        text_out_into(walk->blame->allocated_in, sizeof walk->blame->allocated_in);
    struct text_out extension =
        text_out_into(walk->blame->extension, sizeof walk->blame->extension);
    struct module leaf;

    text_out_printable(&extension, walk->native.extension);
    text_out_printable(&library, walk->native.shared_object);
    if (library.len_bytes > 0 || walk->count == 0)
        return;
    module_of_frame(walk->rules, &walk->frames[0], &leaf);
    text_out_printable(&library, slice_of(leaf.name));
}

void blame_stack(const struct module_rules *rules, const struct blame_stack *stack,
                 enum blame_question question, struct blame *ret_blame)
{
    struct walk walk = {.rules = rules, .blame = ret_blame};

    *ret_blame = (struct blame){.unit = BLAME_UNIT_REQUEST,
                                .frame = BLAME_NO_FRAME,
                                .boundary = BLAME_NO_FRAME,
                                .internal = BLAME_NO_FRAME};
    walk_start(&walk, stack);
    if (walk.count > 0 && walk.frames[0].kind == PHP_FRAME_INTERNAL)
        ret_blame->internal = 0;
    blame_walk(&walk, question);
    set_allocated_in(&walk);
}

const char *blame_unit_text(enum blame_unit unit)
{
    static const char *const texts[] = {
        [BLAME_UNIT_REQUEST] = "request",
#define BLAME_UNIT(name, text, doc) [BLAME_UNIT_##name] = text,
#include "analyze/module/blame_units.def"
    };

    return texts[unit];
}
