/* help_topics.c - `fpmscope help verdicts` from verdicts.def, `fpmscope help events` from
 * events.def. */
#include "cli/help_topics.h"

#include <stddef.h>
#include <string.h>

#include "analyze/gateway/gateway.h"
#include "report/columns.h"
#include "report/paragraph.h"

enum {
    LEAD_BYTES = 64,
    TEXT_BYTES = 256,
    ROW_COLUMNS_UNKNOWN = 1000 /* a row of a table is one line in a pipe */
};

static void print_prose(FILE *out, const char *lead, const char *text)
{
    paragraph_print(out, lead, slice_of(text), paragraph_columns(out));
}

static void print_row(FILE *out, const char *lead, const char *text)
{
    paragraph_print(out, lead, slice_of(text), columns_of_terminal(out, ROW_COLUMNS_UNKNOWN));
}

static void print_rule(FILE *out, const struct gateway_rule *rule)
{
    char lead[LEAD_BYTES], text[TEXT_BYTES];

    snprintf(lead, sizeof lead, "%2d. ", (int) (rule - gateway_rules) + 1);
    snprintf(text, sizeof text, "%s -> %s%s%s%s", rule->condition,
             gateway_verdict_name(rule->verdict), rule->reason ? ", " : "",
             gateway_reason_name(rule->reason), rule->blame == INNOCENT ? " (innocent)" : "");
    /* "backlog_was_full" -> "backlog was full" */
    for (size_t i = 0; i < strlen(rule->condition) && text[i]; i++)
        if (text[i] == '_')
            text[i] = ' ';
    fputc('\n', out);
    print_prose(out, lead, text);
    print_prose(out, "  why      ", rule->sentence);
    print_prose(out, "  do       ", rule->advice);
}

static void print_verdicts(FILE *out)
{
    char lead[LEAD_BYTES];

    fputs("Why a request ended in a 5xx.\n\n", out);
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        snprintf(lead, sizeof lead, "  %-27s ",
                 gateway_verdict_name((enum gateway_verdict) verdict));
        print_row(out, lead, gateway_verdict_meaning((enum gateway_verdict) verdict));
    }
    fputc('\n', out);
    print_prose(out, "",
                "The decision table: rules are tried from top to bottom, the first whose "
                "condition holds decides.");
    print_prose(out, "", "Words in {braces} are filled in from the evidence.");
    for (const struct gateway_rule *rule = gateway_rules; rule->condition; rule++)
        print_rule(out, rule);
}

static const struct {
    const char *name, *doc;
} kinds[] = {
#define EVENT_KIND(name, doc) {#name, doc},
#include "model/events.def"
};

static const struct {
    const char *name, *type, *doc;
} keys[] = {
#define EVENT_KEY(json, field, type, doc) {json, #type, doc},
#include "model/events.def"
};

static void print_events(FILE *out)
{
    char lead[LEAD_BYTES];

    print_prose(out, "",
                "The event stream: what `fpmscope export` writes and `analyze`, `502` and "
                "`import` read.");
    fputs("One flat JSON object a line; \"e\" names the kind:\n\n", out);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(lead, sizeof lead, "  %-8s ", kinds[i].name);
        print_row(out, lead, kinds[i].doc);
    }
    fputs("\nKeys (a missing key means \"not known\"; times are microseconds):\n\n", out);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(lead, sizeof lead, "  %-14s %-8s ", keys[i].name, keys[i].type);
        print_row(out, lead, keys[i].doc);
    }
}

const struct help_topic help_topics[] = {
    {"verdicts", "the decision table behind `502`", print_verdicts},
    {"events", "the format of the event stream", print_events},
    {NULL, NULL, NULL},
};

const struct help_topic *help_topic_find(const char *name)
{
    for (const struct help_topic *topic = help_topics; topic->name; topic++)
        if (strcmp(topic->name, name) == 0)
            return topic;
    return NULL;
}
