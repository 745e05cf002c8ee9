/* module_of_files.c - the frame that a file would have, and what it says. */
#include "cli/module_of_files.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/module/module_name.h"
#include "analyze/module/module_why.h"
#include "analyze/module/native_origin.h"
#include "analyze/module/php_class_scan.h"
#include "base/paths.h"
#include "cli/input/small_file.h"
#include "report/json_text.h"
#include "report/paragraph.h"
#include "report/table.h"

enum { FILE_READ_BYTES = 256 * 1024, SEEN_BYTES = PHP_CLASS_NAME_BYTES + MODULE_WHY_BYTES + 64 };

struct answer {
    char path[PATH_MAX + 32]; /* as PHP would give it: symbolic links resolved */
    char class_name[PHP_CLASS_NAME_BYTES];
    char why[SEEN_BYTES];
    struct module module;
};

/* "imagick.so", "libxml2.so.2" */
static bool is_library(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *so = strstr(slash ? slash : path, ".so");

    return so && (so[3] == '\0' || so[3] == '.');
}

static void judge_library(const char *path, struct answer *answer)
{
    const char *slash = strrchr(path, '/');
    const struct slice name = slice_of(slash ? slash + 1 : path);
    enum module_tier tier;
    const char *why = module_why_native(native_library_kind(name), &tier);

    module_name_set(&answer->module, name, tier);
    snprintf(answer->why, sizeof answer->why, "%s", why);
}

/* The first class in the file; false when it cannot be read. */
static bool read_class(const char *path, struct answer *answer)
{
    struct slice text;

    if (small_file_read(path, FILE_READ_BYTES, &text) < 0)
        return false;
    answer->class_name[php_class_scan(text, answer->class_name).len_bytes] = '\0';
    small_file_free(&text);
    return true;
}

static void judge_php(const struct module_rules *rules, struct answer *answer, bool is_there)
{
    const bool has_class = is_there && answer->class_name[0];
    const struct php_frame frame =
        php_frame_of(slice_of(answer->path), slice_of(answer->class_name),
                     has_class ? SLICE("__construct") : SLICE(""));
    char why[MODULE_WHY_BYTES];

    module_of_frame(rules, &frame, &answer->module);
    snprintf(answer->why, sizeof answer->why, "%s%s%s%s",
             module_why(rules, &frame, &answer->module, why), has_class ? " (class " : "",
             has_class ? answer->class_name : "",
             has_class  ? ")"
             : is_there ? ""
                        : " (there is no such file)");
}

static void judge(const struct module_rules *rules, const char *given, struct answer *answer)
{
    struct stat status;
    char path[PATH_MAX];
    const bool is_there = stat(given, &status) == 0;

    answer->class_name[0] = '\0';
    if ((!is_there || !realpath(given, path)) && path_absolute(given, path, sizeof path) < 0)
        snprintf(path, sizeof path, "%s", given);
    /* Any file of a directory will do. */
    snprintf(answer->path, sizeof answer->path, "%s%s", path,
             is_there && S_ISDIR(status.st_mode) ? "/registration.php" : "");
    if (is_library(path))
        judge_library(path, answer);
    else
        judge_php(rules, answer, is_there && (S_ISDIR(status.st_mode) || read_class(path, answer)));
}

static void print_json(const char *given, const struct answer *answer)
{
    json_t *root = json_object();

    json_object_set_new(root, "file", json_text(slice_of(given)));
    json_object_set_new(root, "module", json_text(slice_of(answer->module.name)));
    json_object_set_new(root, "tier", json_text(slice_of(module_tier_text(answer->module.tier))));
    if (answer->module.hint[0] != '\0')
        json_object_set_new(root, "replaces", json_text(slice_of(answer->module.hint)));
    if (answer->class_name[0])
        json_object_set_new(root, "class", json_text(slice_of(answer->class_name)));
    json_object_set_new(root, "why", json_text(slice_of(answer->why)));
    json_dumpf(root, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(root);
}

/* Both texts of people are other people's: a path, a name of a class. */
static void print_for_people(const char *given, const struct answer *answer)
{
    const size_t columns = paragraph_columns(stdout);
    char text[SEEN_BYTES + MODULE_NAME_BYTES + 32];

    paragraph_print(stdout, "", slice_of(given), columns);
    snprintf(text, sizeof text, "%s (%s): %s", answer->module.name,
             module_tier_text(answer->module.tier), answer->why);
    paragraph_print(stdout, "    ", slice_of(text), columns);
}

static int print_for_pipes(const char *given, const struct answer *answer)
{
    static const struct table_column columns[] = {
        {"MODULE", 0}, {"TIER", 0}, {"WHY", 0}, {"FILE", 0}};
    const struct slice row[] = {
        slice_of(answer->module.name),
        slice_of(module_tier_text(answer->module.tier)),
        slice_of(answer->why),
        slice_of(given),
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    int r = table ? table_add(table, row) : -ENOMEM;

    if (r == 0)
        r = table_print(table, stdout, false);
    table_free(table);
    return r;
}

int module_of_files(const struct module_rules *rules, const char *const *paths, size_t count,
                    bool json)
{
    const bool for_people = table_for_people(stdout);
    struct answer *answer = malloc(sizeof *answer);
    int r = answer ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++) {
        judge(rules, paths[i], answer);
        if (json)
            print_json(paths[i], answer);
        else if (for_people)
            print_for_people(paths[i], answer);
        else
            r = print_for_pipes(paths[i], answer);
    }
    free(answer);
    return r;
}
