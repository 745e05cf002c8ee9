/* paragraph.c - break prose at blanks. */
#include "report/paragraph.h"

#include <string.h>
#include <sys/ioctl.h>

#include "report/human.h"

enum { TEXT_BYTES = 4096, COLUMNS_UNKNOWN = 96, COLUMNS_MIN = 40, ROOM_MIN = 20 };

size_t paragraph_columns(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return COLUMNS_UNKNOWN;
    if (size.ws_col < COLUMNS_MIN)
        return COLUMNS_MIN;
    return size.ws_col < PARAGRAPH_COLUMNS_MAX ? size.ws_col : PARAGRAPH_COLUMNS_MAX;
}

/* Bytes of the character that `at` begins with, and how wide it is at most. */
static size_t character(const char *at, size_t *ret_columns)
{
    const unsigned char lead = (unsigned char) *at;

    *ret_columns = lead >= 0xe0 ? 2 : 1;
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

/* How many bytes of the word fit into `room` columns, and how many columns they take. */
static size_t fitting(const char *word, size_t len_bytes, size_t room, size_t *ret_columns)
{
    size_t used = 0, at = 0;

    while (at < len_bytes) {
        size_t columns, bytes = character(word + at, &columns);

        if (used + columns > room)
            break;
        used += columns;
        at += bytes < len_bytes - at ? bytes : len_bytes - at;
    }
    *ret_columns = used;
    return at;
}

static void new_line(FILE *out, size_t indent)
{
    fprintf(out, "\n%*s", (int) indent, "");
}

/* A word, at the place `*used` of a line with `room` columns; begins new lines as it needs them. */
static void print_word(FILE *out, const char *word, size_t len_bytes, size_t indent, size_t room,
                       size_t *used)
{
    size_t columns, fits = fitting(word, len_bytes, room, &columns);

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
        fits = fitting(word, len_bytes, room, &columns);
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
