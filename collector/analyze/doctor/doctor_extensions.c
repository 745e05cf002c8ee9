/* doctor_extensions.c - which of the loaded extensions matter here, and which fight. */
#include "analyze/doctor/doctor.h"

#include <string.h>
#include <strings.h>

enum kind { ENCODER, TRACER, DEBUGGER, HEAP, ENGINE, SECURITY };

struct extension {
    const char *beginning, *called;
    enum kind kind;
    enum doctor_state state;
    const char *know, *fix;
};

static const struct extension extensions[] = {
#define DOCTOR_EXTENSION(beginning, called, kind, state, know, fix)                                \
    {beginning, called, kind, DOCTOR_##state, know, fix},
#include "analyze/doctor/doctor_extensions.def"
};

static const struct {
    enum kind a, b;
    enum doctor_state state;
    const char *why;
} conflicts[] = {
#define DOCTOR_CONFLICT(a, b, state, why) {a, b, DOCTOR_##state, why},
#include "analyze/doctor/doctor_extensions.def"
};

enum {
    EXTENSIONS_COUNT = sizeof extensions / sizeof *extensions,
    CONFLICTS_COUNT = sizeof conflicts / sizeof *conflicts,
};

static bool has_name(const struct array *names, const char *beginning)
{
    for (size_t i = 0; i < names->count; i++)
        if (strncasecmp(*(const char **) array_at(names, i), beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

/* The rows that this master has, each product once (two rows may name one); returns how many. */
static size_t find_loaded(const struct doctor_master *master,
                          const struct extension *ret_loaded[EXTENSIONS_COUNT])
{
    size_t count = 0;

    for (size_t i = 0; i < EXTENSIONS_COUNT; i++) {
        const struct extension *row = &extensions[i];
        bool known = false;

        /* What runs is what is mapped; -m tells of those that are compiled in. */
        if (!has_name(&master->libraries, row->beginning) &&
            !has_name(&master->modules, row->beginning))
            continue;
        for (size_t k = 0; k < count; k++)
            known |= strcmp(ret_loaded[k]->called, row->called) == 0;
        if (!known)
            ret_loaded[count++] = row;
    }
    return count;
}

static void judge_pair(const struct extension *x, const struct extension *y,
                       struct doctor_finding *finding)
{
    for (size_t i = 0; i < CONFLICTS_COUNT; i++) {
        const bool fits = (x->kind == conflicts[i].a && y->kind == conflicts[i].b) ||
                          (x->kind == conflicts[i].b && y->kind == conflicts[i].a);

        if (!fits)
            continue;
        doctor_raise(finding, conflicts[i].state, "%s and %s: %s", x->called, y->called,
                     conflicts[i].why);
        doctor_fix_also(finding, "disable %s or %s: %s", x->called, y->called,
                        x->state >= y->state ? x->fix : y->fix);
        return;
    }
}

static void judge_master(const struct doctor_master *master, struct doctor_finding *finding)
{
    const struct extension *loaded[EXTENSIONS_COUNT];
    const size_t count = find_loaded(master, loaded);

    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            judge_pair(loaded[i], loaded[k], finding);
    for (size_t i = 0; i < count; i++) {
        doctor_raise(finding, loaded[i]->state, "%s (master %lld): %s", loaded[i]->called,
                     (long long) master->pid, loaded[i]->know);
        /* Of a pair it may have been said. */
        if (loaded[i]->state >= DOCTOR_WARN && !strstr(finding->fix, loaded[i]->fix))
            doctor_fix_also(finding, "%s: %s", loaded[i]->called, loaded[i]->fix);
    }
    if (master->jit == 1)
        doctor_say(finding,
                   "opcache's JIT is on: native stacks end at compiled PHP code, PHP stacks "
                   "stay whole");
}

void doctor_check_extensions(const struct doctor_host *host, struct doctor_finding *finding)
{
    size_t unseen = 0;

    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);

        unseen += master->libraries.count == 0 && master->modules.count == 0;
        judge_master(master, finding);
    }
    if (host->masters.count == 0 || unseen == host->masters.count)
        doctor_skip(finding, "%s",
                    host->masters.count ? "php-fpm's libraries cannot be read (run as root)"
                                        : "no php-fpm runs");
    else if (finding->evidence_count == 0)
        doctor_say(finding,
                   "none of those that are known to matter (ionCube, New Relic, Blackfire, "
                   "Xdebug, ...) is loaded");
}
