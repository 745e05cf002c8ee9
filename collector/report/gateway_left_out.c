/* gateway_left_out.c - the line about failed requests that are not listed. */
#include "report/gateway_left_out.h"

#include "report/columns.h"
#include "report/human.h"
#include "report/paragraph.h"
#include "report/text_sink.h"

enum { LEAD_BYTES = 32, TEXT_BYTES = 1024 };

bool gateway_row_is_listed(const struct gateway_row *row)
{
    return row->client_status > 500 && row->verdict != VERDICT_php_fatal &&
           row->verdict != VERDICT_php_memory_limit;
}

static bool is_500(const struct gateway_row *row)
{
    return row->client_status == 500;
}

static bool is_php_error(const struct gateway_row *row)
{
    return row->client_status > 500;
}

static bool is_given_up(const struct gateway_row *row)
{
    return row->client_status == 499;
}

static bool is_hidden(const struct gateway_row *row)
{
    return row->client_status < 499;
}

/* Every row that is not listed is of exactly one kind. */
static const struct kind {
    bool (*is)(const struct gateway_row *row);
    const char *text;
} kinds[] = {
    {is_500, "answered 500"},
    {is_php_error, "ended by an error of PHP"},
    {is_given_up, "given up by the client (499)"},
    {is_hidden, "logged as answered although the worker died or the answer was cut"},
};

static void say_kinds(FILE *out, const struct gateway_row *const *rows, size_t count)
{
    const char *before = " (";

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t members = 0;

        for (size_t i = 0; i < count; i++)
            members += kinds[k].is(rows[i]);
        if (members == 0)
            continue;
        fprintf(out, "%s%zu %s", before, members, kinds[k].text);
        before = ", ";
    }
}

void gateway_left_out_say(const struct gateway_selection *selection, FILE *out)
{
    const size_t count = selection->left_out;
    char lead[LEAD_BYTES], text[TEXT_BYTES];
    FILE *sink = count > 0 ? text_sink_open(text, sizeof text) : NULL;

    if (!sink)
        return;
    fprintf(sink, "further failed request%s of other kinds", human_plural(count));
    say_kinds(sink, selection->rows + selection->listed, count);
    fprintf(sink, "): --all shows %s", count == 1 ? "it" : "them");
    snprintf(lead, sizeof lead, "%7zu  ", count);
    paragraph_print(out, lead, slice_of(text_sink_close(sink, text, sizeof text)),
                    columns_of_terminal(out, TEXT_BYTES));
}
