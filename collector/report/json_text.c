/* json_text.c - hostile texts as JSON strings. */
#include "report/json_text.h"

#include <errno.h>
#include <stdio.h>

#include "report/human.h"

enum { JSON_TEXT_BYTES = 16384 };

json_t *json_text(struct slice text)
{
    char buf[JSON_TEXT_BYTES];
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len_bytes);

    return value ? value : json_string(human_text(text, buf, sizeof buf));
}

json_t *json_frames(const struct summary_frames *frames)
{
    json_t *list = json_array();

    for (size_t i = 0; i < frames->count; i++)
        json_array_append_new(list, json_text(frames->items[i]));
    return list;
}

/* ASCII alone: JSON is looked at on terminals, too, and these obey some of the rest. */
int json_print(json_t *root)
{
    int r = root ? json_dumpf(root, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII)
                 : -1;

    json_decref(root);
    putchar('\n');
    return r < 0 || ferror(stdout) ? -EIO : 0;
}
