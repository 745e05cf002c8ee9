/* crash_groups_text.c - deaths by what they share, in words and as JSON. */
#include "report/crash_groups_text.h"

#include <inttypes.h>

#include "analyze/summary/crash_groups.h"
#include "report/crash_text.h"
#include "report/human.h"
#include "report/json_text.h"
#include "report/milestone_text.h"
#include "report/paragraph.h"
#include "report/text_sink.h"

enum { GROUPS_SHOWN = 12, HEAD_BYTES = 48 };

static const char *killed_from(struct slice killer)
{
    return slice_equal(killer, SLICE("outside")) ? ", sent from " : ", sent by the ";
}

static void say_what(FILE *out, const struct crash_group *group)
{
    const struct summary_crash *example = group->example;

    if (example->stack_overflow)
        fputs("endless recursion (stack overflow)", out);
    else if (example->signo == 0)
        fprintf(out, "exit with code %d", example->code);
    else
        fputs(crash_signal_name(example->signo), out);
    text_sink_say(out, " in ", group->function, "");
    if (!slice_equal(example->killer, SLICE("self")))
        text_sink_say(out, killed_from(example->killer), example->killer, "");
}

static void say_frame(FILE *out, const struct crash_group *group)
{
    text_sink_say(out, "", group->frame, "");
}

static void say_module(FILE *out, const struct crash_group *group)
{
    text_sink_say(out, "", group->example->module, "");
}

static void say_routes(FILE *out, const struct crash_group *group)
{
    for (size_t i = 0; i < group->route_count; i++) {
        text_sink_say(out, i ? ", " : "", group->routes[i].route, "");
        fprintf(out, " (%zu)", group->routes[i].count);
    }
    if (group->routes_not_kept > 0)
        fprintf(out, ", others (%zu)", group->routes_not_kept);
}

static void say_when(FILE *out, const struct crash_group *group)
{
    char from[HUMAN_TIME_BYTES], to[HUMAN_TIME_BYTES];

    fputs(human_time(group->first_us, from, sizeof from), out);
    if (group->count > 1)
        fprintf(out, " to %s", human_time(group->last_us, to, sizeof to));
    fputs(" UTC", out);
}

/* "first seen 40 s after mark 'release-12' (07:25:00); none in 4210 requests before it" */
static void say_new(FILE *out, const struct crash_group *group, const struct milestone *milestone)
{
    char clock[HUMAN_TIME_BYTES];

    if (!milestone)
        return;
    fputs("first seen ", out);
    milestone_say(out, milestone, group->first_us);
    fprintf(out, " (%s UTC), never in the %" PRIu64 " request%s before it",
            human_clock(milestone->time_us, clock, sizeof clock), milestone->requests_before,
            human_plural(milestone->requests_before));
}

static void say_new_since_mark(FILE *out, const struct crash_group *group)
{
    say_new(out, group, group->after_mark);
}

static void say_new_since_restart(FILE *out, const struct crash_group *group)
{
    say_new(out, group, group->after_restart);
}

static void say_advice(FILE *out, const struct crash_group *group)
{
    char advice[CRASH_TEXT_BYTES];

    fputs(crash_advice(group->example, advice, sizeof advice), out);
}

typedef void (*say_fn)(FILE *, const struct crash_group *);

/* `lead` and what `say` has to say, within the terminal; nothing when that is nothing. */
static void print_line(FILE *out, const char *lead, say_fn say, const struct crash_group *group)
{
    char text[CRASH_TEXT_BYTES];
    FILE *sink = text_sink_open(text, sizeof text);

    if (!sink)
        return;
    say(sink, group);
    text_sink_close(sink, text, sizeof text);
    if (text[0] != '\0')
        paragraph_print(out, lead, slice_of(text), paragraph_columns(out));
}

static void print_group(FILE *out, const struct crash_group *group)
{
    const struct {
        const char *lead;
        say_fn say;
    } lines[] = {
        {"  php     ", say_frame},
        {"  module  ", say_module},
        {group->route_count == 1 ? "  route   " : "  routes  ", say_routes},
        {"  seen    ", say_when},
        {"  new     ", say_new_since_mark},
        {"  new     ", say_new_since_restart},
        {"  do      ", say_advice},
    };
    char head[HEAD_BYTES];

    snprintf(head, sizeof head, "%5zu death%s  ", group->count, human_plural(group->count));
    fputc('\n', out);
    print_line(out, head, say_what, group);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        print_line(out, lines[i].lead, lines[i].say, group);
}

int crash_groups_print(FILE *out, const struct summary_result *result)
{
    struct crash_groups groups;
    int r = crash_groups_make(result, &groups);

    if (r < 0)
        return r;
    if (groups.count > 0)
        fprintf(out, "%zu death%s of workers, %zu kind%s\n", result->crash_count,
                human_plural(result->crash_count), groups.count, human_plural(groups.count));
    for (size_t i = 0; i < groups.count && i < GROUPS_SHOWN; i++)
        print_group(out, &groups.items[i]);
    if (groups.count > GROUPS_SHOWN)
        fprintf(out, "  ... and %zu more kinds: --json shows them\n", groups.count - GROUPS_SHOWN);
    if (groups.count > 0)
        fputc('\n', out);
    crash_groups_release(&groups);
    return 0;
}

static json_t *routes_json(const struct crash_group *group)
{
    json_t *list = json_array();

    for (size_t i = 0; i < group->route_count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:I}", "route", json_text(group->routes[i].route),
                                        "count", (json_int_t) group->routes[i].count));
    return list;
}

static json_t *group_json(const struct crash_group *group)
{
    const struct summary_crash *example = group->example;
    char advice[CRASH_TEXT_BYTES];
    json_t *row = json_object();

    json_object_set_new(row, "count", json_integer((json_int_t) group->count));
    json_object_set_new(row, "signal", json_string(crash_signal_name(example->signo)));
    json_object_set_new(row, "code", json_integer(example->code));
    json_object_set_new(row, "killer", json_text(example->killer));
    json_object_set_new(row, "stack_overflow", json_boolean(example->stack_overflow));
    json_object_set_new(row, "function", json_text(group->function));
    json_object_set_new(row, "faulting", json_text(example->faulting));
    json_object_set_new(row, "culprit_library", json_text(example->culprit_library));
    json_object_set_new(row, "php_frame", json_text(group->frame));
    json_object_set_new(row, "module", json_text(example->module));
    json_object_set_new(row, "routes", routes_json(group));
    json_object_set_new(row, "routes_not_kept", json_integer((json_int_t) group->routes_not_kept));
    json_object_set_new(row, "first_seen_us", json_integer((json_int_t) group->first_us));
    json_object_set_new(row, "last_seen_us", json_integer((json_int_t) group->last_us));
    json_object_set_new(row, "after_mark", milestone_json(group->after_mark));
    json_object_set_new(row, "after_restart", milestone_json(group->after_restart));
    json_object_set_new(row, "advice",
                        json_text(slice_of(crash_advice(example, advice, sizeof advice))));
    return row;
}

json_t *crash_groups_json(const struct summary_result *result)
{
    struct crash_groups groups;
    json_t *list = json_array();

    if (crash_groups_make(result, &groups) < 0)
        return list;
    for (size_t i = 0; i < groups.count; i++)
        json_array_append_new(list, group_json(&groups.items[i]));
    crash_groups_release(&groups);
    return list;
}
