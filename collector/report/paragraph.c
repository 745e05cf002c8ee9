/* paragraph.c - break prose at blanks. */
#include "report/paragraph.h"

#include <string.h>

#include "report/columns.h"
#include "report/human.h"

enum { TEXT_BYTES = 4096, COLUMNS_UNKNOWN = 96, ROOM_MIN = 20 };

size_t paragraph_columns(FILE *out)
{
    const size_t columns = columns_of_terminal(out, COLUMNS_UNKNOWN);

    return columns < PARAGRAPH_COLUMNS_MAX ? columns : PARAGRAPH_COLUMNS_MAX;
}

static void new_line(FILE *out, size_t indent)
{
    fprintf(out, "\n%*s", (int) indent, "");
}

/* A word, at the place `*used` of a line with `room` columns; begins new lines as it needs them. */
static void print_word(FILE *out, const char *word, size_t len_bytes, size_t indent, size_t room,
                       size_t *used)
{
    size_t columns, fits = columns_fit(word, len_bytes, room, &columns);

    if (*used > 0 && (fits < len_bytes || *used + 1 + columns > room)) {
        new_line(out, indent);
        *used = 0;
    } else if (*used > 0) {
        fputc(' ', out);
        ++*used;
    }
    while (fits < len_bytes && fits > 0) {
        fwrite(word, 1, fits, out);
        new_line(out, indent);
        word += fits;
        len_bytes -= fits;
        fits = columns_fit(word, len_bytes, room, &columns);
    }
    fwrite(word, 1, len_bytes, out);
    *used += columns;
}

void paragraph_print(FILE *out, const char *lead, struct slice text, size_t columns)
{
    const size_t indent = strlen(lead);
    const size_t room = columns > indent + ROOM_MIN ? columns - indent : ROOM_MIN;
    char safe[TEXT_BYTES];
    const char *at = human_text(text, safe, sizeof safe);
    size_t used = 0;

    fputs(lead, out);
    while (*at) {
        const size_t len_bytes = strcspn(at, " ");

        if (len_bytes > 0)
            print_word(out, at, len_bytes, indent, room, &used);
        at += len_bytes;
        at += strspn(at, " ");
    }
    fputc('\n', out);
}
