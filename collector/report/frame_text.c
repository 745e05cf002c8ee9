/* frame_text.c - shorten a stack frame where it says least. */
#include "report/frame_text.h"

#include <stdio.h>
#include <string.h>

#include "report/columns.h"

enum { NAME_COLUMNS_LEAST = 16 };

/* " (Writer.php:41)", " (libc.so.6)", or the empty end of the text. */
static const char *place_of(const char *text)
{
    const size_t len_bytes = strlen(text);
    const char *place = text + len_bytes;

    if (len_bytes == 0 || text[len_bytes - 1] != ')')
        return place;
    for (const char *at = strstr(text, " ("); at; at = strstr(at + 1, " ("))
        place = at;
    return place;
}

/* `name` without the middle of its namespace when "\Class::method" fits, else of all. */
static const char *name_fit(const char *name, size_t columns, char buf[FRAME_TEXT_BYTES])
{
    const char *class_name = strrchr(name, '\\');
    const size_t kept = class_name ? strlen("...") + columns_of_text(class_name) : 0;
    size_t used, head;

    if (kept == 0 || kept > columns || columns_of_text(name) <= columns)
        return columns_elide(name, columns, buf, FRAME_TEXT_BYTES);
    head = columns_fit(name, (size_t) (class_name - name), columns - kept, &used);
    snprintf(buf, FRAME_TEXT_BYTES, "%.*s...%s", (int) head, name, class_name);
    return buf;
}

const char *frame_text_fit(const char *text, size_t columns, char buf[FRAME_TEXT_BYTES])
{
    const char *place = place_of(text);
    char name[FRAME_TEXT_BYTES], shown[FRAME_TEXT_BYTES];
    size_t used;

    if (columns_of_text(text) <= columns || columns < 2 * NAME_COLUMNS_LEAST || *place == '\0')
        return name_fit(text, columns, buf);
    columns_elide(place, columns - NAME_COLUMNS_LEAST, shown, sizeof shown);
    snprintf(name, sizeof name, "%.*s", (int) (place - text), text);
    name_fit(name, columns - columns_of_text(shown), buf);
    used = strlen(buf);
    snprintf(buf + used, FRAME_TEXT_BYTES - used, "%s", shown);
    return buf;
}
