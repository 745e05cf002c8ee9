/* cmd_module.c - `fpmscope module`: whose code is this?  One answer for each file that is named,
 * else for each line of stdin. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "analyze/module/module.h"
#include "analyze/module/php_trace_line.h"
#include "cli/cli.h"
#include "cli/input/module_config.h"
#include "cli/module_of_files.h"
#include "report/human.h"
#include "report/json_text.h"

enum { LINE_MAX_BYTES = 64 * 1024, FILES_MAX = 4096 };

enum { KEY_RULES = 1000, KEY_NO_FILES, KEY_JSON };

struct module_options {
    const char *rules_path;
    bool no_files, json;
    const char *files[FILES_MAX];
    size_t file_count;
};

static const struct argp_option own_options[] = {
    {"rules", KEY_RULES, "FILE", 0,
     "your own rules, one a line, after those in section [modules] of the configuration: PREFIX = "
     "MODULE TIER.  PREFIX is a path (/srv/x/), a part of one "
     "(*/x/), a class (Acme\\X\\) or the name of a module (PayPal_); MODULE - keeps a module's "
     "name",
     0},
    {"no-files", KEY_NO_FILES, NULL, 0,
     "decide from the text alone; else registration.php and etc/module.xml near the path are read "
     "where they exist",
     0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line", 0},
    {0},
};

static const char manual[] =
    "Whose code is this?\v"
    "Of each FILE, a PHP file, a directory, an extension (imagick.so) or a library, it prints "
    "module TAB tier TAB evidence TAB file.\n\n"
    "Without FILE it reads frames, one a line: path TAB class TAB function.  The path is empty for "
    "an internal "
    "function, a NUL inside a class name is written \\0.  Lines of PHP's own stack traces, of the "
    "slow "
    "log and of messages that end in `in FILE on line N' are understood as well.  Prints module "
    "TAB "
    "tier for each.\n\n"
    "Tiers:\n"
#define MODULE_TIER(name, printed, blame, doc) "  " printed ": " doc "\n"
#include "analyze/module/module_tiers.def"
    ;

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct module_options *options = state->input;

    switch (key) {
    case KEY_RULES:
        options->rules_path = arg;
        return 0;
    case KEY_NO_FILES:
        options->no_files = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file_count == FILES_MAX)
            argp_error(state, "more than %d files", FILES_MAX);
        else
            options->files[options->file_count++] = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The next TAB-separated field of `line`. */
static struct slice take_field(struct slice *line)
{
    const ptrdiff_t tab = slice_index(*line, '\t');
    const struct slice field = slice_head(*line, tab < 0 ? SIZE_MAX : (size_t) tab);

    *line = slice_skip(*line, tab < 0 ? SIZE_MAX : (size_t) tab + 1);
    return field;
}

static void print_json(const struct module *module)
{
    json_t *root = json_object();

    json_object_set_new(root, "module", json_text(slice_of(module->name)));
    json_object_set_new(root, "tier", json_text(slice_of(module_tier_text(module->tier))));
    if (module->hint[0] != '\0')
        json_object_set_new(root, "replaces", json_text(slice_of(module->hint)));
    json_dumpf(root, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(root);
}

/* Fields between TABs; a line without any may come from a log. */
static struct php_frame frame_of(struct slice line)
{
    struct php_frame frame;

    if (slice_index(line, '\t') < 0 && php_trace_line_parse(line, &frame))
        return frame;
    const struct slice path = take_field(&line);
    const struct slice class_name = take_field(&line);

    return php_frame_of(path, class_name, take_field(&line));
}

static void answer(const struct module_rules *rules, struct slice line, bool json)
{
    const struct php_frame frame = frame_of(line);
    struct module module;
    char text[4 * sizeof module.name + 1];

    module_of_frame(rules, &frame, &module);
    if (json)
        print_json(&module);
    else
        printf("%s\t%s\n", human_text(slice_of(module.name), text, sizeof text),
               module_tier_text(module.tier));
}

/*
 * The next line of `file` without its end, cut to the buffer; what is longer is skipped, so that
 * every line keeps its answer.  False at the end.
 */
static bool read_line(FILE *file, char buffer[LINE_MAX_BYTES], struct slice *ret_line)
{
    size_t n = 0;
    int c = getc_unlocked(file);

    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc_unlocked(file))
        if (n < LINE_MAX_BYTES)
            buffer[n++] = (char) c;
    if (n > 0 && buffer[n - 1] == '\r')
        n--;
    *ret_line = (struct slice){.ptr = buffer, .len_bytes = n};
    return true;
}

static int answer_all(const struct module_rules *rules, bool json)
{
    char buffer[LINE_MAX_BYTES];
    struct slice line;

    while (read_line(stdin, buffer, &line))
        answer(rules, line, json);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return CLI_OK;
    fprintf(stderr, "fpmscope module: cannot write: %s\n", strerror(errno));
    return CLI_NO_DATA;
}

static int answer_files(const struct module_rules *rules, const struct module_options *options)
{
    const int r = module_of_files(rules, options->files, options->file_count, options->json);

    if (r < 0)
        fprintf(stderr, "fpmscope module: %s\n", strerror(-r));
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

/* The configuration's rules, then those of --rules; a bad line there stops the command. */
static int read_rules(const struct module_options *options, struct module_config *config)
{
    int r = 0;

    module_config_read_default(config);
    if (options->rules_path)
        r = module_config_read(config, options->rules_path, true);
    if (r < 0 && r != -EINVAL) {
        fprintf(stderr, "fpmscope module: cannot read '%s': %s\n", options->rules_path,
                strerror(-r));
        return CLI_NO_DATA;
    }
    return r < 0 ? CLI_USAGE : CLI_OK;
}

static int run(const struct module_options *options)
{
    struct module_config config;
    int status;

    module_config_init(&config, !options->no_files);
    status = read_rules(options, &config);
    if (status == CLI_OK && options->file_count > 0)
        status = answer_files(&config.rules, options);
    else if (status == CLI_OK)
        status = answer_all(&config.rules, options->json);
    module_config_release(&config);
    return status;
}

int cmd_module(int argc, char **argv)
{
    static const struct argp argp = {
        .options = own_options, .parser = on_argument, .args_doc = "[FILE...]", .doc = manual};
    struct module_options options = {.rules_path = NULL};

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    return run(&options);
}
