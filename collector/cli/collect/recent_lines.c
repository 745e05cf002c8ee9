/* recent_lines.c - a list of copies, oldest first. */
#include "cli/collect/recent_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct recent_line {
    struct recent_line *next;
    struct store_log_line line; /* its text is behind it */
    char text[];
};

struct recent_lines {
    struct recent_line *first, **last;
    size_t used_bytes, limit_bytes;
};

int recent_lines_new(size_t limit_bytes, struct recent_lines **ret_lines)
{
    struct recent_lines *lines = calloc(1, sizeof *lines);

    if (!lines)
        return -ENOMEM;
    lines->limit_bytes = limit_bytes;
    lines->last = &lines->first;
    *ret_lines = lines;
    return 0;
}

static size_t size_of(const struct recent_line *line)
{
    return sizeof *line + line->line.line.len_bytes;
}

/* Unlink and free the line at `at`. */
static void drop(struct recent_lines *lines, struct recent_line **at)
{
    struct recent_line *line = *at;

    *at = line->next;
    if (!*at)
        lines->last = at;
    lines->used_bytes -= size_of(line);
    free(line);
}

void recent_lines_free(struct recent_lines *lines)
{
    while (lines && lines->first)
        drop(lines, &lines->first);
    free(lines);
}

void recent_lines_add(struct recent_lines *lines, const struct store_log_line *line)
{
    const size_t need = sizeof(struct recent_line) + line->line.len_bytes;

    if (need > lines->limit_bytes)
        return;
    while (lines->used_bytes + need > lines->limit_bytes)
        drop(lines, &lines->first);
    struct recent_line *copy = malloc(need);
    if (!copy)
        return;
    copy->next = NULL;
    copy->line = *line;
    copy->line.line.ptr = copy->text;
    if (line->line.len_bytes > 0)
        memcpy(copy->text, line->line.ptr, line->line.len_bytes);
    *lines->last = copy;
    lines->last = &copy->next;
    lines->used_bytes += need;
}

/* Lines of several logs lie here in the order of arrival, so all are looked at. */
void recent_lines_take(struct recent_lines *lines, int64_t from_us, int64_t to_us,
                       recent_line_fn on_line, void *ctx)
{
    struct recent_line **at = &lines->first;

    while (*at) {
        if ((*at)->line.time_us < from_us || (*at)->line.time_us > to_us) {
            at = &(*at)->next;
            continue;
        }
        on_line(ctx, &(*at)->line);
        drop(lines, at);
    }
}

void recent_lines_expire(struct recent_lines *lines, int64_t before_us)
{
    while (lines->first && lines->first->line.time_us < before_us)
        drop(lines, &lines->first);
}
