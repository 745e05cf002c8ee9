/* doctor_fpm.c - php-fpm itself: is it there, which PHP, is the shim in it. */
#include "analyze/doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/doctor/doctor_commands.h"
#include "analyze/doctor/doctor_php_info.h"
#include "analyze/doctor/doctor_proc.h"

enum { WHO_BYTES = 160 };

/* What the program is called. */
static struct slice program_of(const struct doctor_master *master)
{
    return master->executable ? doctor_base_name(slice_of(master->executable))
                              : slice_of(master->name);
}

/* "php-fpm8.2 (master 14490)" */
static const char *who(const struct doctor_master *master, char *buf, size_t cap)
{
    const struct slice name = program_of(master);

    snprintf(buf, cap, "%.*s (master %lld)", name.len_bytes ? (int) name.len_bytes : 7,
             name.len_bytes ? name.ptr : "php-fpm", (long long) master->pid);
    return buf;
}

static size_t pools_of(const struct doctor_host *host, size_t master)
{
    size_t n = 0;

    for (size_t i = 0; i < host->pools.count; i++)
        n += doctor_pool_at(host, i)->master == master;
    return n;
}

void doctor_check_fpm_running(const struct doctor_host *host, struct doctor_finding *finding)
{
    char name[WHO_BYTES];

    if (host->masters.count == 0) {
        doctor_raise(finding, DOCTOR_FAIL, "no php-fpm master runs on this host%s",
                     host->root ? "" : " (or /proc hides other users' processes: run as root)");
        doctor_fix(finding, "systemctl start php-fpm (the unit may be called php8.2-fpm), or "
                            "fpmscope run -- php-fpm -F");
    }
    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);

        doctor_say(finding, "%s, PHP %s, %zu pool%s, %lld worker%s, configuration %s",
                   who(master, name, sizeof name), master->version ? master->version : "?",
                   pools_of(host, i), pools_of(host, i) == 1 ? "" : "s",
                   (long long) master->workers, master->workers == 1 ? "" : "s",
                   master->config ? master->config : "not known");
        if (master->config_skipped > 0 || pools_of(host, i) == 0)
            doctor_raise(finding, DOCTOR_WARN, "%s: its configuration could not be read whole",
                         who(master, name, sizeof name));
        if (master->executable_replaced) {
            doctor_raise(finding, DOCTOR_WARN,
                         "%s: the program was replaced (an upgrade) since it was started",
                         who(master, name, sizeof name));
            doctor_fix(finding, "restart php-fpm: old program and new extensions crash together");
        }
    }
    if (host->masters.refused > 0)
        doctor_raise(finding, DOCTOR_WARN, "%llu more masters were not looked at",
                     (unsigned long long) host->masters.refused);
}

enum layout { LAYOUT_UNKNOWN, LAYOUT_UNPROVEN, LAYOUT_PROVEN };

static enum layout layout_of(struct slice branch)
{
    static const struct {
        const char *branch;
        bool proven;
    } rows[] = {
#define DOCTOR_LAYOUT(branch, proven) {branch, proven},
#include "analyze/doctor/doctor_layouts.def"
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_equal(branch, slice_of(rows[i].branch)))
            return rows[i].proven ? LAYOUT_PROVEN : LAYOUT_UNPROVEN;
    return LAYOUT_UNKNOWN;
}

static void judge_layout(const struct doctor_master *master, struct doctor_finding *finding)
{
    const struct slice branch =
        doctor_php_branch(master->version ? slice_of(master->version) : program_of(master));
    const enum layout layout = layout_of(branch);
    char name[WHO_BYTES];

    who(master, name, sizeof name);
    if (!master->version)
        doctor_raise(finding, branch.len_bytes ? DOCTOR_OK : DOCTOR_WARN,
                     "%s was not asked for its version: %s", name,
                     master->why_no_version ? master->why_no_version : "not known why");
    if (master->zts == 1)
        doctor_raise(finding, DOCTOR_WARN,
                     "%s is thread-safe (ZTS): memory and requests yes, PHP stacks no", name);
    if (master->debug == 1)
        doctor_raise(finding, DOCTOR_WARN, "%s is a debug build: its layout differs", name);
    if (branch.len_bytes == 0)
        return;
    if (layout == LAYOUT_UNKNOWN)
        doctor_raise(finding, DOCTOR_WARN, "%s: the layout of PHP %.*s is not known: no PHP stacks",
                     name, (int) branch.len_bytes, branch.ptr);
    else
        doctor_say(finding, "%s: the layout of PHP %.*s is %s", name, (int) branch.len_bytes,
                   branch.ptr,
                   layout == LAYOUT_PROVEN
                       ? "proven"
                       : "known but unproven (the shim checks it against PHP's own answers)");
}

void doctor_check_layout(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (host->masters.count == 0)
        doctor_skip(finding, "no php-fpm runs");
    for (size_t i = 0; i < host->masters.count; i++)
        judge_layout(doctor_master_at(host, i), finding);
    if (finding->state > DOCTOR_OK && host->masters.count > 0)
        doctor_fix(finding,
                   "nothing to do for memory and 502s; for PHP stacks use a non-ZTS release "
                   "build of PHP 7.0 to 8.5");
}

/* "php8.2-fpm", the unit of Debian; "php-fpm" elsewhere. */
static const char *unit_of(const struct doctor_master *master, char *buf, size_t cap)
{
    const struct slice branch = doctor_php_branch(program_of(master));

    if (branch.len_bytes == 0)
        snprintf(buf, cap, "php-fpm");
    else
        snprintf(buf, cap, "php%.*s-fpm", (int) branch.len_bytes, branch.ptr);
    return buf;
}

static void fix_shim(const struct doctor_host *host, const struct doctor_master *master,
                     struct doctor_finding *finding)
{
    char unit[64], command[DOCTOR_COMMAND_BYTES];

    unit_of(master, unit, sizeof unit);
    doctor_command(host, DOCTOR_COMMAND_RESTART_FPM, unit, command, sizeof command);
    doctor_fix_also(
        finding,
        "systemctl edit %s, add [Service] Environment=LD_PRELOAD=%s, then: %s (a reload is "
        "not enough)",
        unit, host->shim_path ? host->shim_path : "/usr/local/lib/libfpmscope.so", command);
}

static void judge_shim(const struct doctor_host *host, const struct doctor_master *master,
                       struct doctor_finding *finding)
{
    char name[WHO_BYTES];

    who(master, name, sizeof name);
    if (master->shim < 0) {
        doctor_skip(finding, "%s: /proc/%lld/maps cannot be read (run as root)", name,
                    (long long) master->pid);
        return;
    }
    if (master->shim == 0) {
        doctor_raise(finding, DOCTOR_FAIL, "%s runs without libfpmscope.so", name);
        fix_shim(host, master, finding);
        return;
    }
    if (master->shim_replaced) {
        doctor_raise(finding, DOCTOR_WARN,
                     "%s has a libfpmscope.so that was replaced on disk since", name);
        fix_shim(host, master, finding);
    }
    if (master->workers_with_shim < master->workers_seen) {
        doctor_raise(finding, DOCTOR_WARN, "%s: %lld of %lld workers run without it", name,
                     (long long) (master->workers_seen - master->workers_with_shim),
                     (long long) master->workers_seen);
        fix_shim(host, master, finding);
        return;
    }
    doctor_say(finding, "%s and its %lld worker%s have it", name,
               (long long) master->workers_with_shim, master->workers_with_shim == 1 ? "" : "s");
}

void doctor_check_shim(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (host->masters.count == 0)
        doctor_skip(finding, "no php-fpm runs");
    for (size_t i = 0; i < host->masters.count; i++)
        judge_shim(host, doctor_master_at(host, i), finding);
}

static void judge_library(const struct doctor_master *master, const char *library,
                          struct doctor_finding *finding)
{
    static const struct {
        const char *beginning;
        enum doctor_state state;
        const char *what;
    } rows[] = {
#define DOCTOR_PRELOAD(beginning, state, what) {beginning, DOCTOR_##state, what},
#include "analyze/doctor/doctor_preloads.def"
    };
    char name[WHO_BYTES];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!slice_starts(slice_of(library), slice_of(rows[i].beginning)))
            continue;
        doctor_raise(finding, rows[i].state, "%s has %s: %s", who(master, name, sizeof name),
                     library, rows[i].what);
        doctor_fix_also(finding,
                        "take %s out of LD_PRELOAD (or /etc/ld.so.preload) of php-fpm and "
                        "restart it",
                        library);
    }
}

/* Each library of LD_PRELOAD but our own; blanks and colons separate them. */
static void say_preloads(const struct doctor_master *master, struct doctor_finding *finding)
{
    const char *at = master->preload ? master->preload : "";
    char name[WHO_BYTES];

    while (*at) {
        const size_t length = strcspn(at, " :\t");
        const struct slice library = doctor_base_name((struct slice){at, length});

        if (length > 0 && !slice_starts(library, SLICE("libfpmscope")))
            doctor_say(finding, "%s: LD_PRELOAD has %.*s", who(master, name, sizeof name),
                       (int) length, at);
        at += length + (at[length] != '\0');
    }
}

void doctor_check_preloads(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (host->masters.count == 0)
        doctor_skip(finding, "no php-fpm runs");
    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);

        say_preloads(master, finding);
        for (size_t k = 0; k < master->libraries.count; k++)
            judge_library(master, *(const char **) array_at(&master->libraries, k), finding);
    }
    if (host->ld_so_preload)
        doctor_raise(finding, DOCTOR_WARN, "/etc/ld.so.preload holds %s: every program loads it",
                     host->ld_so_preload);
    if (host->ld_so_preload)
        doctor_fix(finding, "look at who wrote /etc/ld.so.preload; rootkits do, too");
    if (host->masters.count > 0 && finding->evidence_count == 0)
        doctor_say(finding, "none");
}
