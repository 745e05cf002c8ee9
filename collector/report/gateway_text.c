/*
 * gateway_text.c - the page that somebody reads at three in the morning: how bad, whose fault, what
 * to do; then the requests.  Rows with the same rule of the decision table form one chapter.
 */
#include "report/gateway_text.h"

#include <stdlib.h>
#include <string.h>

#include "report/columns.h"
#include "report/human.h"
#include "report/paragraph.h"
#include "report/table.h"

enum { ROWS_SHOWN = 12, RULES_MAX = 64, TEXT_BYTES = 4096, LEAD_BYTES = 64 };

static size_t rule_index(const struct gateway_row *row)
{
    return (size_t) (row->rule - gateway_rules);
}

static void print_text(FILE *out, struct slice text)
{
    char safe[TEXT_BYTES];

    fputs(human_text(text, safe, sizeof safe), out);
}

/* "05:45:48 to 05:45:53 UTC" */
static void print_period(FILE *out, int64_t from_us, int64_t to_us)
{
    char from[HUMAN_TIME_BYTES], to[HUMAN_TIME_BYTES];

    human_time(from_us, from, sizeof from);
    if (to_us - from_us < 1000000)
        fprintf(out, "at %s UTC", from);
    else
        fprintf(out, "%s to %s UTC", from, human_clock(to_us, to, sizeof to));
}

static void count_verdicts(const struct gateway_row *const *rows, size_t count,
                           size_t counts[VERDICT_COUNT], size_t innocents[VERDICT_COUNT])
{
    memset(counts, 0, VERDICT_COUNT * sizeof *counts);
    memset(innocents, 0, VERDICT_COUNT * sizeof *innocents);
    for (size_t i = 0; i < count; i++) {
        counts[rows[i]->verdict]++;
        innocents[rows[i]->verdict] += rows[i]->innocent;
    }
}

/* One line for who searches in it, but on a terminal where it would not fit. */
static void print_note(FILE *out, const char *lead, struct slice note)
{
    paragraph_print(out, lead, note, columns_of_terminal(out, TEXT_BYTES));
}

static void print_clocks(const struct gateway_report *report, const char *const *files, FILE *out)
{
    char text[TEXT_BYTES];

    for (size_t i = 0; i < report->clock_count; i++) {
        const struct gateway_clock *clock = &report->clocks[i];

        snprintf(text, sizeof text, "the clock of %s is off by %.1f s (%d entries agree): %s",
                 files[clock->file], -(double) clock->shift_us / 1e6, clock->samples,
                 clock->corrected ? "corrected"
                                  : "not sure, not corrected; causes may be missed because of it");
        print_note(out, "", slice_of(text));
    }
}

static void print_count(FILE *out, enum gateway_verdict verdict, size_t count, bool innocent)
{
    char lead[LEAD_BYTES], text[TEXT_BYTES];

    snprintf(lead, sizeof lead, "%7zu  %-27s ", count, gateway_verdict_name(verdict));
    snprintf(text, sizeof text, "%s%s", gateway_verdict_meaning(verdict),
             innocent ? " (the requests are innocent)" : "");
    print_note(out, lead, slice_of(text));
}

void gateway_text_summary(const struct gateway_report *report,
                          const struct gateway_selection *selection, const char *const *files,
                          FILE *out)
{
    const struct gateway_row *const *rows = selection->rows;
    const size_t count = selection->listed;
    size_t counts[VERDICT_COUNT], innocents[VERDICT_COUNT], alive = 0, lines = 0;

    count_verdicts(rows, count, counts, innocents);
    for (size_t i = 0; i < count; i++) {
        alive += rows[i]->client_status >= 500 && rows[i]->pid_count == 0;
        lines += (size_t) rows[i]->access_line_count;
    }
    fprintf(out, "%zu failed request%s in %zu access line%s", count, human_plural(count), lines,
            human_plural(lines));
    if (count > 0) {
        fputs(", ", out);
        print_period(out, rows[0]->time_us, rows[count - 1]->time_us);
    }
    fputc('\n', out);
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
        if (counts[verdict] > 0)
            print_count(out, (enum gateway_verdict) verdict, counts[verdict],
                        innocents[verdict] == counts[verdict]);
    fprintf(out, "%7zu  5xx without a dead worker; %zu death%s of workers without a 5xx\n", alive,
            report->death_count, human_plural(report->death_count));
    gateway_left_out_say(selection, out);
    print_clocks(report, files, out);
    for (size_t i = 0; i < report->note_count; i++)
        print_note(out, "note: ", report->notes[i]);
}

static const struct table_column columns[] = {
    {"TIME", 0}, {"STATUS", TABLE_RIGHT}, {"CLIENT", 0}, {"REQUEST", TABLE_TRUNC}, {"WORKER", 0},
    {"TIED", 0},
};

static void add_row(struct table *table, const struct gateway_row *row)
{
    char clock[HUMAN_TIME_BYTES], status[16] = "-", request[TEXT_BYTES], pids[128] = "";
    size_t used = 0;

    human_clock(row->time_us, clock, sizeof clock);
    if (row->client_status > 0)
        snprintf(status, sizeof status, "%d", row->client_status);
    snprintf(request, sizeof request, "%.*s %.*s", (int) row->method.len_bytes,
             row->method.len_bytes ? row->method.ptr : "",
             (int) (row->uri.len_bytes < 2048 ? row->uri.len_bytes : 2048),
             row->uri.len_bytes ? row->uri.ptr : "");
    for (int i = 0; i < row->pid_count && used < sizeof pids - 24; i++)
        used += (size_t) snprintf(pids + used, sizeof pids - used, "%s%lld", i ? "," : "",
                                  (long long) row->pids[i]);
    /* One address of many candidates would be an accusation by chance. */
    const struct slice cells[] = {
        slice_of(clock),
        slice_of(status),
        row->join == JOIN_AMBIGUOUS ? SLICE("?") : row->remote_addr,
        slice_of(request),
        slice_of(pids),
        row->pid_count ? slice_of(gateway_join_name(row->join)) : SLICE(""),
    };

    table_add(table, cells);
}

struct chapter {
    const struct gateway_row *const *rows;
    size_t count; /* of all rows */
    const struct gateway_row *first, *last;
    size_t members;
    bool one_sentence;
};

static bool find_chapter(const struct gateway_row *const *rows, size_t count, size_t rule,
                         struct chapter *ret_chapter)
{
    *ret_chapter = (struct chapter){.rows = rows, .count = count, .one_sentence = true};
    for (size_t i = 0; i < count; i++) {
        if (rule_index(rows[i]) != rule)
            continue;
        if (!ret_chapter->first)
            ret_chapter->first = rows[i];
        ret_chapter->last = rows[i];
        ret_chapter->members++;
        ret_chapter->one_sentence &= slice_equal(rows[i]->sentence, ret_chapter->first->sentence);
    }
    return ret_chapter->members > 0;
}

static void print_head(const struct chapter *chapter, FILE *out)
{
    const struct gateway_row *first = chapter->first;
    const size_t columns_max = paragraph_columns(out);

    fprintf(out, "\n%s: %zu request%s, ", gateway_verdict_name(first->verdict), chapter->members,
            human_plural(chapter->members));
    print_period(out, first->time_us, chapter->last->time_us);
    fputc('\n', out);
    paragraph_print(out, chapter->one_sentence ? "  why   " : "  first ", first->sentence,
                    columns_max);
    paragraph_print(out, "  do    ", first->advice, columns_max);
    for (int i = 0; i < first->evidence_count; i++)
        paragraph_print(out, i == 0 ? "  seen  " : "        ", first->evidence[i], columns_max);
    if (first->innocent && first->culprit.len_bytes > 0)
        paragraph_print(out, "  fault ", first->culprit, columns_max);
}

static void print_chapter(const struct chapter *chapter, bool all, FILE *out)
{
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    size_t shown = 0;

    print_head(chapter, out);
    for (size_t i = 0; table && i < chapter->count; i++) {
        if (chapter->rows[i]->rule != chapter->first->rule)
            continue;
        if (!all && shown == ROWS_SHOWN)
            break;
        add_row(table, chapter->rows[i]);
        shown++;
    }
    if (table)
        table_print(table, out, true);
    table_free(table);
    if (shown < chapter->members)
        fprintf(out, "  ... and %zu more: --filter cause=%s --all, or a pipe, shows them\n",
                chapter->members - shown, gateway_verdict_name(chapter->first->verdict));
}

/* The guilty before the innocent, the many before the few. */
static int compare_chapters(const void *a, const void *b)
{
    const struct chapter *x = a, *y = b;

    if (x->first->innocent != y->first->innocent)
        return x->first->innocent ? 1 : -1;
    return x->members > y->members ? -1 : x->members < y->members;
}

void gateway_text_causes(const struct gateway_row *const *rows, size_t count, bool all, FILE *out)
{
    struct chapter chapters[RULES_MAX];
    size_t n = 0;

    for (size_t rule = 0; gateway_rules[rule].condition && n < RULES_MAX; rule++)
        n += find_chapter(rows, count, rule, &chapters[n]);
    qsort(chapters, n, sizeof chapters[0], compare_chapters);
    for (size_t i = 0; i < n; i++)
        print_chapter(&chapters[i], all, out);
}

static void print_death(const struct gateway_row *row, FILE *out)
{
    char clock[HUMAN_TIME_BYTES], lead[HUMAN_TIME_BYTES + 8], text[TEXT_BYTES];

    snprintf(lead, sizeof lead, "  %s  ", human_clock(row->time_us, clock, sizeof clock));
    snprintf(text, sizeof text, "%.*s%s%.*s %.*s", (int) row->sentence.len_bytes, row->sentence.ptr,
             row->uri.len_bytes > 0 ? "; serving " : "", (int) row->method.len_bytes,
             row->method.len_bytes ? row->method.ptr : "",
             (int) (row->uri.len_bytes < 2048 ? row->uri.len_bytes : 2048),
             row->uri.len_bytes ? row->uri.ptr : "");
    paragraph_print(out, lead, slice_of(text), paragraph_columns(out));
}

void gateway_text_deaths(const struct gateway_report *report, FILE *out)
{
    if (report->death_count == 0)
        return;
    fprintf(out, "\nworkers that died without a 5xx: %zu\n", report->death_count);
    for (size_t i = 0; i < report->death_count && i < ROWS_SHOWN; i++)
        print_death(&report->deaths[i], out);
    if (report->death_count > ROWS_SHOWN)
        fprintf(out, "  ... and %zu more: --json shows them\n", report->death_count - ROWS_SHOWN);
}

/* A live view has no headings and no width to keep: three lines that can be read alone. */
void gateway_text_row(const struct gateway_row *row, FILE *out)
{
    char clock[HUMAN_TIME_BYTES];

    fprintf(out, "%s  %d  ", human_clock(row->time_us, clock, sizeof clock), row->client_status);
    print_text(out, row->method);
    fputc(' ', out);
    print_text(out, row->uri);
    fprintf(out, "  %s", gateway_verdict_name(row->verdict));
    for (int i = 0; i < row->pid_count; i++)
        fprintf(out, "%s%lld", i ? "," : "  worker ", (long long) row->pids[i]);
    if (row->pid_count > 0)
        fprintf(out, " (%s)", gateway_join_name(row->join));
    fputs("\n          why  ", out);
    print_text(out, row->sentence);
    fputs("\n          do   ", out);
    print_text(out, row->advice);
    fputc('\n', out);
}
