/*
 * cmd_module.c - `fpmscope module`: whose code is this?  One answer for each line of stdin.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "analyze/module.h"
#include "analyze/module_evidence.h"
#include "analyze/module_overrides.h"
#include "cli/cli.h"
#include "ingest/module_files.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static void print_help(FILE *out)
{
    fputs(
        "usage: fpmscope module [--rules FILE] [--no-files] <FRAMES\n\n"
        "Reads frames, one a line: path TAB class TAB function (the path is empty for an internal\n"
        "function; a NUL inside a class name is written \\0), and prints module TAB tier for "
        "each.\n"
        "\n"
        "  --rules FILE  your own rules, one a line: PREFIX = MODULE TIER\n"
        "                PREFIX is a path (/srv/x/), a part of one (*/x/), a class (Acme\\X\\) or\n"
        "                the name of a module (PayPal_); MODULE `-` keeps a module's name\n"
        "  --no-files    decide from the text alone; else registration.php and etc/module.xml\n"
        "                beside the path are read when they are there\n\n"
        "Tiers:\n",
        out);
#define MODULE_TIER(name, printed, blame, doc) fprintf(out, "  %-12s %s\n", printed, doc);
#include "analyze/module_tiers.def"
}

/* The next TAB-separated field of `line`. */
static struct slice take_field(struct slice *line)
{
    const ptrdiff_t tab = slice_index(*line, '\t');
    const struct slice field = slice_head(*line, tab < 0 ? SIZE_MAX : (size_t) tab);

    *line = slice_skip(*line, tab < 0 ? SIZE_MAX : (size_t) tab + 1);
    return field;
}

static void answer(const struct module_rules *rules, struct slice line)
{
    struct module module;

    const struct slice path = take_field(&line);
    const struct slice class_name = take_field(&line);
    const struct php_frame frame = php_frame_of(path, class_name, take_field(&line));

    module_of_frame(rules, &frame, &module);
    printf("%s\t%s\n", module.name, module_tier_text(module.tier));
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

static int answer_all(const struct module_rules *rules)
{
    char buffer[LINE_MAX_BYTES];
    struct slice line;

    while (read_line(stdin, buffer, &line))
        answer(rules, line);
    return fflush(stdout) == 0 ? CLI_OK : CLI_NO_DATA;
}

/* Read the operator's rules; a bad line is named and stops the command. */
static int read_rules(const char *path, struct module_overrides *overrides)
{
    FILE *file = fopen(path, "re");
    char buffer[LINE_MAX_BYTES];
    struct slice line;
    int r = 0;

    if (!file) {
        fprintf(stderr, "fpmscope module: cannot open '%s': %s\n", path, strerror(errno));
        return CLI_NO_DATA;
    }
    for (int number = 1; r == 0 && read_line(file, buffer, &line); number++) {
        r = module_overrides_add_line(overrides, line);
        if (r < 0)
            fprintf(stderr, "fpmscope module: %s:%d: not a rule 'PREFIX = MODULE TIER': %s\n", path,
                    number, strerror(-r));
    }
    fclose(file);
    return r < 0 ? CLI_USAGE : CLI_OK;
}

struct options {
    const char *rules_path;
    bool files, help;
};

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"rules", required_argument, NULL, 'r'},
        {"no-files", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (c == 'r')
            options->rules_path = optarg;
        else if (c == 'n')
            options->files = false;
        else if (c == 'h')
            options->help = true;
        else
            return CLI_USAGE;
    }
    if (optind < argc) {
        fprintf(stderr, "fpmscope module: unexpected argument '%s'\n", argv[optind]);
        return CLI_USAGE;
    }
    return CLI_OK;
}

int cmd_module(int argc, char **argv)
{
    struct options options = {.files = true};
    struct module_overrides *overrides;
    struct module_rules rules;
    int r = parse_options(argc, argv, &options);

    if (r != CLI_OK)
        return r;
    if (options.help) {
        print_help(stdout);
        return CLI_OK;
    }
    overrides = module_overrides_new();
    rules = (struct module_rules){
        .overrides = overrides,
        .evidence = options.files ? module_evidence_new(module_files_read, NULL) : NULL,
    };
    if (overrides && options.rules_path)
        r = read_rules(options.rules_path, overrides);
    if (r == CLI_OK)
        r = answer_all(&rules);
    module_evidence_free(rules.evidence);
    module_overrides_free(overrides);
    return r;
}
