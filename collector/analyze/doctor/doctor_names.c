/* doctor_names.c - list names, and count those that find no room. */
#include "analyze/doctor/doctor_names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 96, MORE_BYTES = sizeof " and 999 more" };

void doctor_names_add(struct doctor_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return;
    if (names->count < DOCTOR_HOPS_MAX)
        names->items[names->count++] = name;
}

/* The name, or "..." and its end; no character is cut. */
static const char *shortened(const char *name, char buf[NAME_BYTES])
{
    const size_t len_bytes = strlen(name);
    const char *end;

    if (len_bytes < NAME_BYTES)
        return name;
    end = name + len_bytes - (NAME_BYTES - sizeof "...");
    while (((unsigned char) *end & 0xc0) == 0x80)
        end++;
    snprintf(buf, NAME_BYTES, "...%s", end);
    return buf;
}

const char *doctor_names_text(const struct doctor_names *names, size_t first,
                              char buf[DOCTOR_NAMES_TEXT_BYTES])
{
    char name[NAME_BYTES];
    size_t used = 0, i = first;

    buf[0] = '\0';
    for (; i < names->count; i++) {
        const char *text = shortened(names->items[i], name);

        if (used + strlen(", ") + strlen(text) + MORE_BYTES > DOCTOR_NAMES_TEXT_BYTES)
            break;
        used += (size_t) snprintf(buf + used, DOCTOR_NAMES_TEXT_BYTES - used, "%s%s",
                                  i > first ? ", " : "", text);
    }
    if (i < names->count)
        snprintf(buf + used, DOCTOR_NAMES_TEXT_BYTES - used, " and %zu more", names->count - i);
    return buf;
}
