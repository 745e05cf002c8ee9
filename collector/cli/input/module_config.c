/* module_config.c - pick the lines of one section and hand them to the rules. */
#include "cli/input/module_config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "analyze/module/module_evidence.h"
#include "analyze/module/module_overrides.h"
#include "base/paths.h"
#include "ingest/module_files.h"

enum { LINE_MAX_BYTES = 4096 };

void module_config_init(struct module_config *config, bool files)
{
    *config = (struct module_config){
        .rules = {.evidence = files ? module_evidence_new(module_files_read, NULL) : NULL}};
}

void module_config_release(struct module_config *config)
{
    module_overrides_free(config->overrides);
    module_evidence_free(config->rules.evidence);
    *config = (struct module_config){.overrides = NULL};
}

/* Is the line a section's head?  Then `ret_ours` says whether it is [modules]. */
static bool is_section(const char *line, bool *ret_ours)
{
    static const char ours[] = "[modules]";

    line += strspn(line, " \t");
    if (*line != '[')
        return false;
    *ret_ours = strncmp(line, ours, sizeof ours - 1) == 0;
    return true;
}

static int read_lines(FILE *file, struct module_overrides *overrides, const char *path, bool whole)
{
    char line[LINE_MAX_BYTES];
    bool ours = whole;
    int result = 0;

    for (int number = 1; fgets(line, sizeof line, file); number++) {
        int r;

        if ((!whole && is_section(line, &ours)) || !ours)
            continue;
        r = module_overrides_add_line(overrides, slice_of(line));
        if (r == 0)
            continue;
        fprintf(stderr, "fpmscope: %s:%d: no rule 'PREFIX = MODULE TIER': %s\n", path, number,
                strerror(-r));
        result = r;
    }
    return result;
}

int module_config_read(struct module_config *config, const char *path, bool whole)
{
    FILE *file = fopen(path, "re");
    int r;

    if (!file)
        return -errno;
    if (!config->overrides)
        config->rules.overrides = config->overrides = module_overrides_new();
    r = config->overrides ? read_lines(file, config->overrides, path, whole) : -ENOMEM;
    fclose(file);
    return r;
}

void module_config_read_default(struct module_config *config)
{
    char path[PATH_MAX];
    int r = path_of_config(path, sizeof path);

    if (r == 0)
        r = module_config_read(config, path, false);
    if (r < 0 && r != -ENOENT && r != -EINVAL)
        fprintf(stderr, "fpmscope: cannot read '%s': %s\n", path, strerror(-r));
}
