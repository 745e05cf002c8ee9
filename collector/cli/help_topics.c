/* help_topics.c - `fpmscope help verdicts` from verdicts.def, `fpmscope help events` from
 * events.def. */
#include "cli/help_topics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "analyze/gateway/gateway.h"

enum { TEXT_COLUMNS = 96 };

/* `text` in lines of at most TEXT_COLUMNS, the second and later ones indented. */
static void print_wrapped(const char *label, const char *text)
{
    int column = printf("  %-8s", label);

    while (*text) {
        int n = (int) strcspn(text, " ");

        if (column + 1 + n > TEXT_COLUMNS)
            column = printf("\n%10s", "") - 1;
        column += printf(" %.*s", n, text);
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

/* "backlog_was_full" -> "backlog was full" */
static void print_condition(const char *name)
{
    for (; *name; name++)
        putchar(*name == '_' ? ' ' : *name);
}

static void print_verdicts(void)
{
    puts("Why a request ended in a 5xx.\n");
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
        printf("  %-27s %s\n", gateway_verdict_name((enum gateway_verdict) verdict),
               gateway_verdict_meaning((enum gateway_verdict) verdict));
    puts(
        "\nThe decision table: rules are tried from top to bottom, the first whose condition holds "
        "decides.\nWords in {braces} are filled in from the evidence.");
    for (const struct gateway_rule *rule = gateway_rules; rule->condition; rule++) {
        printf("\n%2d. ", (int) (rule - gateway_rules) + 1);
        print_condition(rule->condition);
        printf(" -> %s%s%s%s\n", gateway_verdict_name(rule->verdict), rule->reason ? ", " : "",
               gateway_reason_name(rule->reason), rule->blame == INNOCENT ? " (innocent)" : "");
        print_wrapped("why", rule->sentence);
        print_wrapped("do", rule->advice);
    }
}

static void print_events(void)
{
    puts("The event stream: what `fpmscope export` writes and `analyze`, `502` and `import` read.\n"
         "One flat JSON object a line; \"e\" names the kind:\n");
#define EVENT_KIND(name, doc) printf("  %-8s %s\n", #name, doc);
#include "model/events.def"
    puts("\nKeys (a missing key means \"not known\"; times are microseconds):\n");
#define EVENT_KEY(json, field, type, doc) printf("  %-14s %-8s %s\n", json, #type, doc);
#include "model/events.def"
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
