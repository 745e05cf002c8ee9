/* line_mask.c - find the query strings and stack traces of a line. */
#include "cli/collect/line_mask.h"

#include <string.h>

#include "base/text_out.h"

enum { QUERY_MAX_BYTES = 8192 }; /* nginx takes no longer ones by default */

static const char trace_mark[] = "Stack trace:";

/* What ends a URI in every log: a space, a quote, or what JSON writes before one. */
static size_t query_length(struct slice text)
{
    size_t n = 0;

    while (n < text.len_bytes && !strchr(" \t\r\n\"'<>,", text.ptr[n]))
        n++;
    return n;
}

static void add_query(struct text_out *out, struct slice query, enum uri_values values)
{
    char shown[QUERY_MAX_BYTES];
    size_t length = uri_mask(query, values, shown, sizeof shown, NULL);

    text_out_add(out, (struct slice){shown, length});
}

/* `args` logged alone have no `?` in front: JSON names them. */
static bool is_query_field(struct slice before)
{
    static const char *const fields[] = {"\"args\":\"", "\"query_string\":\"", "\"query\":\""};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const size_t length = strlen(fields[i]);

        if (before.len_bytes >= length &&
            memcmp(before.ptr + before.len_bytes - length, fields[i], length) == 0)
            return true;
    }
    return false;
}

/* The length of a stack trace that begins here: nginx goes on behind it with its own words. */
static size_t trace_length(struct slice text)
{
    if (!slice_starts(text, slice_of(trace_mark)))
        return 0;
    const ptrdiff_t end = slice_find(text, SLICE("\" while "));
    return end < 0 ? text.len_bytes : (size_t) end;
}

static void add_field(struct text_out *out, struct slice field, enum uri_values values)
{
    char query[QUERY_MAX_BYTES];
    struct text_out whole = text_out_into(query, sizeof query);
    char shown[QUERY_MAX_BYTES];

    text_out_byte(&whole, '?');
    text_out_add(&whole, slice_head(field, sizeof query - 2));
    const size_t length = uri_mask(text_out_slice(&whole), values, shown, sizeof shown, NULL);
    if (length > 1)
        text_out_add(out, (struct slice){shown + 1, length - 1});
}

struct slice line_mask(struct slice line, enum uri_values values, char *buffer, size_t size_bytes)
{
    struct text_out out = text_out_into(buffer, size_bytes);
    size_t plain = 0; /* bytes that were passed and not yet written */

    for (size_t at = 0; at < line.len_bytes && !out.cut;) {
        const struct slice rest = slice_skip(line, at);
        const bool is_field =
            at > 0 && line.ptr[at - 1] == '"' && is_query_field(slice_head(line, at));
        const size_t skipped = line.ptr[at] == 'S' ? trace_length(rest) : 0;
        const size_t query = line.ptr[at] == '?' || is_field ? query_length(rest) : 0;

        if (query == 0 && skipped == 0) {
            at++;
            continue;
        }
        text_out_add(&out, slice_head(slice_skip(line, plain), at - plain));
        if (is_field && query > 0)
            add_field(&out, slice_head(rest, query), values);
        else if (query > 0)
            add_query(&out, slice_head(rest, query), values);
        at += query + skipped;
        plain = at;
    }
    text_out_add(&out, slice_skip(line, plain));
    return text_out_slice(&out);
}
