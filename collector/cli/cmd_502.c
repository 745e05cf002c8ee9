/* cmd_502.c - `fpmscope 502 [FILE...]`: every failed request and why, from files or the store. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/gateway_follow.h"
#include "cli/gateway/gateway_source.h"
#include "cli/input/period.h"
#include "report/columns.h"
#include "report/gateway_fields.h"
#include "report/gateway_json.h"
#include "report/gateway_text.h"
#include "report/human.h"
#include "report/json_text.h"
#include "report/paragraph.h"
#include "report/table.h"

enum { FIELDS_MAX = 40, FORMATTED_MAX_BYTES = 32 * 1024, LEAD_BYTES = 64 };

static const char default_fields[] =
    "time,status,cause,remote_addr,host,method,uri,pid,signal,join,why";

struct arguments {
    struct gateway_source source;
    struct filter_set *filters;
    const struct gateway_field *fields[FIELDS_MAX];
    size_t field_count;
    const char *format;
    bool json, all, php, bots, list_fields, follow;
    bool fails[VERDICT_COUNT]; /* --fail-on */
};

enum {
    OPTION_JSON = 0x1001,
    OPTION_ALL,
    OPTION_FOLLOW,
    OPTION_FILTER,
    OPTION_FIELDS,
    OPTION_LIST_FIELDS,
    OPTION_FORMAT,
    OPTION_PHP,
    OPTION_BOTS,
    OPTION_FILENAME,
    OPTION_LOG_FORMAT,
    OPTION_DATA,
    OPTION_FAIL_ON,
};

static const struct argp_option options[] = {
    {"json", OPTION_JSON, NULL, 0, "one JSON document", 1},
    {"all", OPTION_ALL, NULL, 0, "every 5xx, 499 and masked crash, without a limit", 1},
    {"filter", OPTION_FILTER, "FIELD=VALUE", 0,
     "only rows whose FIELD is (=), is not (!=), matches (~) or does not match (!~) VALUE; "
     "repeatable",
     1},
    {"fields", OPTION_FIELDS, "NAME,...", 0, "one TAB-separated line a row, with these fields", 1},
    {"list-fields", OPTION_LIST_FIELDS, NULL, 0, "what --fields and --filter know", 1},
    {"format", OPTION_FORMAT, "TEXT", 0, "print TEXT a row, each {field} replaced", 1},
    {"follow", OPTION_FOLLOW, NULL, 0,
     "live: each row as it is decided, from the collector's store, until Ctrl-C; with --json one "
     "object a line",
     1},
    {"php", OPTION_PHP, NULL, 0, "only requests that reached PHP-FPM (handler phpfpm)", 1},
    {"bots", OPTION_BOTS, NULL, 0, "only requests of bots", 1},
    {"filename", OPTION_FILENAME, "FILE", 0, "the same as FILE", 1},
    {"data", OPTION_DATA, "DIR", 0, "the collector's store; default: $FPMSCOPE_DATA", 1},
    {"log-format", OPTION_LOG_FORMAT, "TEXT", 0, "nginx's log_format of access logs", 1},
    {"fail-on", OPTION_FAIL_ON, "CAUSE,...", OPTION_ARG_OPTIONAL,
     "exit with 1 when there are rows (of these causes)", 1},
    {0},
};

/* The next of several names between commas. */
static struct slice next_name(struct slice *rest)
{
    const ptrdiff_t comma = slice_index(*rest, ',');
    const struct slice name = slice_head(*rest, comma < 0 ? rest->len_bytes : (size_t) comma);

    *rest = slice_skip(*rest, name.len_bytes + 1);
    return name;
}

static void add_fields(struct argp_state *state, struct arguments *arguments, const char *names)
{
    struct slice rest = slice_of(names);

    while (rest.len_bytes > 0) {
        const struct slice name = next_name(&rest);
        const struct gateway_field *field = gateway_field_find(name);

        if (!field)
            argp_error(state, "no field '%.*s'; --list-fields lists them", (int) name.len_bytes,
                       name.ptr);
        else if (arguments->field_count < FIELDS_MAX)
            arguments->fields[arguments->field_count++] = field;
    }
}

/* A cause that does not exist would never be found, and nobody would notice. */
static void add_causes(struct argp_state *state, struct arguments *arguments, const char *names)
{
    struct slice rest = slice_of(names);

    do {
        const struct slice name = next_name(&rest);
        bool known = false;

        for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
            if (slice_equal(name, SLICE("any")) ||
                slice_equal(name, slice_of(gateway_verdict_name((enum gateway_verdict) verdict))))
                arguments->fails[verdict] = known = true;
        if (!known)
            argp_error(state, "no cause '%.*s'; fpmscope help verdicts lists them",
                       (int) name.len_bytes, name.ptr);
    } while (rest.len_bytes > 0);
}

static void add_filter(struct argp_state *state, struct arguments *arguments, const char *text)
{
    char message[FILTER_MESSAGE_BYTES];
    struct slice field = {0};
    int r = filter_add(arguments->filters, text, &field, message);

    if (r < 0)
        argp_error(state, "%s", message[0] ? message : strerror(-r));
    else if (!gateway_field_find(field))
        argp_error(state, "no field '%.*s'; --list-fields lists them", (int) field.len_bytes,
                   field.ptr);
}

static void add_path(struct argp_state *state, struct arguments *arguments, const char *path)
{
    struct gateway_source *source = &arguments->source;

    if (source->count == GATEWAY_SOURCE_FILES_MAX)
        argp_error(state, "more than %d files", GATEWAY_SOURCE_FILES_MAX);
    else
        source->names[source->count++] = path;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->source.feed.period;
        return 0;
    case OPTION_JSON:
        arguments->json = true;
        return 0;
    case OPTION_ALL:
        arguments->all = true;
        return 0;
    case OPTION_FOLLOW:
        arguments->follow = true;
        return 0;
    case OPTION_FILTER:
        add_filter(state, arguments, arg);
        return 0;
    case OPTION_FIELDS:
        add_fields(state, arguments, arg);
        return 0;
    case OPTION_LIST_FIELDS:
        arguments->list_fields = true;
        return 0;
    case OPTION_FORMAT:
        arguments->format = arg;
        return 0;
    case OPTION_PHP:
        arguments->php = true;
        return 0;
    case OPTION_BOTS:
        arguments->bots = true;
        return 0;
    case OPTION_LOG_FORMAT:
        arguments->source.feed.access_format = arg;
        return 0;
    case OPTION_DATA:
        arguments->source.data = arg;
        return 0;
    case OPTION_FAIL_ON:
        add_causes(state, arguments, arg ? arg : "any");
        return 0;
    case ARGP_KEY_END:
        if (arguments->follow && arguments->source.count > 0)
            argp_error(state, "--follow reads the collector's store, not files");
        return 0;
    case OPTION_FILENAME:
    case ARGP_KEY_ARG:
        add_path(state, arguments, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Why requests ended in a 5xx: each with the worker, restart, full queue or Varnish behind it, "
    "and what to do.\vFILEs are logs of nginx, PHP-FPM, PHP, the kernel and Varnish, and event "
    "streams, plain or .gz, in any order; each is recognised by its lines. '-' is standard input, "
    "'journal:' is this host's journal.\n"
    "In a pipe the rows come as TAB-separated lines. Without FILE a pipe on standard input is "
    "read, "
    "else the collector's store, else the usual places under /var/log.\n"
    "`fpmscope help verdicts` explains the causes.";

static struct slice field_value(void *ctx, struct slice name)
{
    static _Thread_local char buf[GATEWAY_FIELD_BYTES];
    const struct {
        const struct gateway_row *row;
        const char *const *files;
    } *row = ctx;

    return gateway_field_find(name)->get(row->row, row->files, buf);
}

/* Do the period and the filters want it? */
static bool is_wanted(const struct arguments *arguments, const struct gateway_row *row)
{
    const struct period *period = &arguments->source.feed.period;
    struct {
        const struct gateway_row *row;
        const char *const *files;
    } ctx = {row, arguments->source.names};

    if ((period->from_us && row->time_us < period->from_us) ||
        (period->to_us && row->time_us > period->to_us))
        return false;
    if ((arguments->php && !gateway_row_is_php(row)) ||
        (arguments->bots && !gateway_row_is_bot(row)))
        return false;
    return filter_match(arguments->filters, field_value, &ctx);
}

static bool is_listed(const struct arguments *arguments, const struct gateway_row *row)
{
    return arguments->all || gateway_row_is_listed(row);
}

static void print_fields(const struct arguments *arguments, const struct gateway_row *const *rows,
                         size_t count, bool for_people)
{
    struct table_column columns[FIELDS_MAX];
    char bufs[FIELDS_MAX][GATEWAY_FIELD_BYTES];
    struct slice cells[FIELDS_MAX];

    for (size_t k = 0; k < arguments->field_count; k++)
        columns[k] = (struct table_column){arguments->fields[k]->name, TABLE_TRUNC};
    struct table *table = table_new(columns, arguments->field_count);

    for (size_t i = 0; table && i < count; i++) {
        for (size_t k = 0; k < arguments->field_count; k++)
            cells[k] = arguments->fields[k]->get(rows[i], arguments->source.names, bufs[k]);
        table_add(table, cells);
    }
    if (table)
        table_print(table, stdout, for_people);
    table_free(table);
}

/* --format: text with {field}s. */
static void print_formatted(const struct arguments *arguments, const struct gateway_row *row)
{
    char buf[GATEWAY_FIELD_BYTES], text[FORMATTED_MAX_BYTES];

    for (const char *at = arguments->format; *at;) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;
        const struct gateway_field *field =
            close ? gateway_field_find((struct slice){at + 1, (size_t) (close - at - 1)}) : NULL;

        if (!field) {
            putchar(*at++);
            continue;
        }
        struct slice value = field->get(row, arguments->source.names, buf);

        fputs(human_text(value, text, sizeof text), stdout);
        at = close + 1;
    }
    putchar('\n');
}

static int list_fields(void)
{
    char lead[LEAD_BYTES];

    for (const struct gateway_field *field = gateway_fields; field->name; field++) {
        snprintf(lead, sizeof lead, "%-16s %-9s ", field->name, field->alias);
        paragraph_print(stdout, lead, slice_of(field->doc),
                        columns_of_terminal(stdout, FORMATTED_MAX_BYTES));
    }
    return CLI_OK;
}

/* The caller frees `rows` of it. */
static int select_rows(const struct arguments *arguments, const struct gateway_report *report,
                       struct gateway_selection *ret_selection)
{
    const struct gateway_row **rows = calloc(report->row_count + 1, sizeof(*rows));
    struct gateway_selection selection = {.rows = rows};

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < report->row_count; i++)
        if (is_listed(arguments, &report->rows[i]) && is_wanted(arguments, &report->rows[i]))
            rows[selection.listed++] = &report->rows[i];
    for (size_t i = 0; i < report->row_count; i++)
        if (!is_listed(arguments, &report->rows[i]) && is_wanted(arguments, &report->rows[i]))
            rows[selection.listed + selection.left_out++] = &report->rows[i];
    *ret_selection = selection;
    return 0;
}

static json_t *as_json(const struct arguments *arguments, const struct gateway_report *report,
                       const struct gateway_selection *selection)
{
    json_t *root =
        gateway_json_report(report, selection->rows, selection->listed, arguments->source.names);

    json_object_set_new(root, "left_out", json_integer((json_int_t) selection->left_out));
    return root;
}

static void print_rows(const struct arguments *arguments, const struct gateway_report *report,
                       const struct gateway_selection *selection)
{
    const struct gateway_row *const *rows = selection->rows;
    const size_t count = selection->listed;
    bool people = table_for_people(stdout) && arguments->field_count == 0 && !arguments->format;

    if (arguments->json) {
        json_print(as_json(arguments, report, selection));
        return;
    }
    gateway_text_summary(report, selection, arguments->source.names, people ? stdout : stderr);
    if (people) {
        gateway_text_causes(rows, count, arguments->all, stdout);
        gateway_text_deaths(report, stdout);
    } else if (arguments->format) {
        for (size_t i = 0; i < count; i++)
            print_formatted(arguments, rows[i]);
    } else {
        print_fields(arguments, rows, count, table_for_people(stdout));
    }
}

/* ---- live ------------------------------------------------------------------------------------
 */

/* The names of the store that is open now; those of the look before are gone. */
static bool wants_row(void *ctx, const struct gateway_row *row, const char *const *files)
{
    struct arguments *arguments = ctx;

    memcpy(arguments->source.names, files, sizeof arguments->source.names);
    return is_listed(arguments, row) && is_wanted(arguments, row);
}

static void show_row(void *ctx, const struct gateway_row *row, const char *const *files)
{
    const struct arguments *arguments = ctx;

    if (arguments->json)
        gateway_json_print_row(row, files);
    else if (arguments->format)
        print_formatted(arguments, row);
    else if (arguments->field_count > 0)
        print_fields(arguments, &row, 1, false);
    else
        gateway_text_row(row, stdout);
}

static int follow(struct arguments *arguments)
{
    const struct gateway_follow following = {
        .data = arguments->source.data,
        .from_us = arguments->source.feed.period.from_us,
        .to_us = arguments->source.feed.period.to_us,
        .wants = wants_row,
        .show = show_row,
        .ctx = arguments,
    };

    if (!arguments->all && isatty(STDERR_FILENO))
        fprintf(stderr, "fpmscope 502: failures of the gateway; --all follows 500s, 499s and "
                        "answers of dying workers, too\n");
    return gateway_follow(&following);
}

static bool is_failure(const struct arguments *arguments, const struct gateway_row *const *rows,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (arguments->fails[rows[i]->verdict])
            return true;
    return false;
}

static int report_rows(const struct arguments *arguments, const struct gateway_report *report)
{
    struct gateway_selection selection;
    int status;

    if (select_rows(arguments, report, &selection) < 0)
        return CLI_NO_DATA;
    print_rows(arguments, report, &selection);
    status = is_failure(arguments, selection.rows, selection.listed) ? CLI_FOUND : CLI_OK;
    free((void *) selection.rows);
    return status;
}

static int run(struct arguments *arguments)
{
    struct gateway *gateway = gateway_new(NULL);
    int status = CLI_NO_DATA;

    if (!gateway) {
        fprintf(stderr, "fpmscope 502: not enough memory\n");
        return status;
    }
    if (gateway_source_read(&arguments->source, "fpmscope 502", gateway) == 0)
        status = report_rows(arguments, gateway_finish(gateway));
    gateway_source_close(&arguments->source);
    gateway_free(gateway);
    return status;
}

int cmd_502(int argc, char **argv)
{
    static const struct argp_child children[] = {{&period_argp, 0, "Period:", 2}, {0}};
    static const struct argp argp = {options, parse_option, "[FILE...]", doc, children, NULL, NULL};
    struct arguments arguments = {.filters = filter_set_new()};
    int status;

    if (!arguments.filters)
        return CLI_NO_DATA;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.field_count == 0)
        add_fields(NULL, &arguments, table_for_people(stdout) ? "" : default_fields);
    status = arguments.list_fields ? list_fields()
             : arguments.follow    ? follow(&arguments)
                                   : run(&arguments);
    filter_set_free(arguments.filters);
    return status;
}
