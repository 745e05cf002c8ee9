/* columns.c - the width of terminals and texts. */
#include "report/columns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { COLUMNS_LEAST = 40, COLUMNS_MOST = 10000, DOTS = 3 };

size_t columns_of_terminal(FILE *out, size_t unknown)
{
    const char *wish = getenv("COLUMNS");
    struct winsize size = {0};
    long columns = wish ? strtol(wish, NULL, 10) : 0;

    if (columns <= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns <= 0)
        return unknown;
    if (columns > COLUMNS_MOST)
        return COLUMNS_MOST;
    return columns < COLUMNS_LEAST ? COLUMNS_LEAST : (size_t) columns;
}

/* Bytes of the character that `at` begins with; perhaps fewer are there. */
static size_t character(const char *at, size_t *ret_columns)
{
    const unsigned char lead = (unsigned char) *at;

    *ret_columns = lead >= 0xe0 ? 2 : 1;
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

size_t columns_fit(const char *text, size_t len_bytes, size_t room, size_t *ret_columns)
{
    size_t used = 0, at = 0;

    while (at < len_bytes) {
        size_t columns, bytes = character(text + at, &columns);

        if (used + columns > room)
            break;
        used += columns;
        at += bytes < len_bytes - at ? bytes : len_bytes - at;
    }
    *ret_columns = used;
    return at;
}

size_t columns_of_text(const char *text)
{
    size_t columns;

    columns_fit(text, strlen(text), SIZE_MAX, &columns);
    return columns;
}

/* Where the end of `text` begins that fits into `room` columns. */
static const char *tail_of(const char *text, size_t room)
{
    size_t left = columns_of_text(text);

    while (left > room) {
        size_t columns, bytes = character(text, &columns);

        text += strnlen(text, bytes); /* the last one may be half a character */
        left -= columns;
    }
    return text;
}

const char *columns_elide(const char *text, size_t columns, char *buf, size_t cap)
{
    const size_t room = columns > DOTS ? columns - DOTS : 0;
    size_t used, head;

    if (columns_of_text(text) <= columns) {
        snprintf(buf, cap, "%s", text);
        return buf;
    }
    head = columns_fit(text, strlen(text), room * 2 / 5, &used);
    snprintf(buf, cap, "%.*s...%s", (int) head, text, tail_of(text, room - used));
    return buf;
}

const char *columns_cut(const char *text, size_t columns, char *buf, size_t cap)
{
    size_t used, head;

    if (columns_of_text(text) <= columns) {
        snprintf(buf, cap, "%s", text);
        return buf;
    }
    head = columns_fit(text, strlen(text), columns > DOTS ? columns - DOTS : 0, &used);
    snprintf(buf, cap, "%.*s...", (int) head, text);
    return buf;
}

/* Append to the text in `buf`; what does not fit is cut. */
static void append(char *buf, size_t cap, const char *text, size_t len_bytes)
{
    const size_t used = strlen(buf);

    snprintf(buf + used, cap - used, "%.*s", (int) len_bytes, text);
}

const char *columns_wrap(const char *text, size_t columns, char *buf, size_t cap)
{
    size_t line = 0;

    buf[0] = '\0';
    while (*text) {
        const size_t word_bytes = strcspn(text, " ");
        size_t width;
        const size_t fits = columns_fit(text, word_bytes, columns, &width);

        if (line > 0)
            append(buf, cap, line + 1 + width > columns ? "\n" : " ", 1);
        line = line > 0 && line + 1 + width <= columns ? line + 1 + width : width;
        append(buf, cap, text, fits);
        text += fits > 0 ? fits : 1;
        text += strspn(text, " ");
    }
    return buf;
}
