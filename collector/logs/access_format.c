/* access_format.c - a log_format string becomes a list of (literal, value) and is walked per line.
 */
#include "logs/access_format.h"

#include <stdlib.h>

#include "logs/parsers.h"
#include "logs/scan.h"

/* What is being compiled, and the state between two parts. */
struct compiler {
    struct access_format *format;
    const struct access_names *names;
    struct scan scan;
    size_t text_bytes;    /* of format->text */
    size_t literal_bytes; /* of them, in the literal that is being collected */
    bool in_pieces;       /* 'a' 'b': as in nginx.conf */
    unsigned seen;        /* bits of enum access_field */
};

static bool put_literal(struct compiler *compiler, char byte)
{
    if (compiler->text_bytes == ACCESS_FORMAT_TEXT_BYTES)
        return false;
    compiler->format->text[compiler->text_bytes++] = byte;
    compiler->literal_bytes++;
    return true;
}

static struct slice take_literal(struct compiler *compiler)
{
    const char *end = compiler->format->text + compiler->text_bytes;
    struct slice literal = scan_between(end - compiler->literal_bytes, end);

    compiler->literal_bytes = 0;
    return literal;
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || scan_is_digit(byte) ||
           byte == '_';
}

/* $name or ${name}, its $ already taken */
static bool take_name(struct scan *scan, struct slice *ret_name)
{
    const char *first;

    if (scan_byte(scan, '{'))
        return scan_until(scan, '}', ret_name);
    first = scan->at;
    while (scan->at < scan->end && is_name_byte(*scan->at))
        scan->at++;
    *ret_name = scan_between(first, scan->at);
    return scan->at > first;
}

static enum access_part_kind kind_of(struct slice name)
{
    if (slice_equal(name, SLICE("time_local")))
        return ACCESS_PART_DATE;
    if (slice_equal(name, SLICE("request")))
        return ACCESS_PART_REQUEST;
    return slice_starts(name, SLICE("upstream_")) ? ACCESS_PART_LIST : ACCESS_PART_PLAIN;
}

/* $is_args and $args directly behind a uri belong to its value. */
static bool continues_uri(struct slice name)
{
    return slice_equal(name, SLICE("is_args")) || slice_equal(name, SLICE("args")) ||
           slice_equal(name, SLICE("query_string"));
}

static bool is_uri(enum access_field field)
{
    return field == ACCESS_REQUEST_URI || field == ACCESS_REWRITTEN_URI;
}

static const char *add_part(struct compiler *compiler, struct slice name)
{
    struct access_format *format = compiler->format;
    enum access_field field = access_name_find(compiler->names, name);
    bool touches = format->parts_count > 0 && compiler->literal_bytes == 0;

    if (touches && is_uri(format->parts[format->parts_count - 1].field) && continues_uri(name))
        return NULL;
    if (touches && !is_uri(field))
        return "two variables touch, so nobody can tell where the first one ends";
    if (format->parts_count == ACCESS_FORMAT_PARTS_MAX)
        return "too many variables";
    format->parts[format->parts_count++] = (struct access_part){
        .before = take_literal(compiler),
        .kind = kind_of(name),
        .field = field,
    };
    compiler->seen |= 1U << field;
    return NULL;
}

_Static_assert(ACCESS_FIELD_COUNT <= 32, "compiler.seen is too narrow");

/* Between the quoted pieces of nginx.conf there are blanks and newlines. */
static void next_piece(struct compiler *compiler)
{
    struct scan *scan = &compiler->scan;

    while (scan->at < scan->end && *scan->at != '\'' && *scan->at != '"')
        scan->at++;
    if (scan->at < scan->end)
        scan->at++;
}

static const char *compile_all(struct compiler *compiler, char quote)
{
    struct scan *scan = &compiler->scan;
    const char *problem;
    struct slice name;

    while (!scan_done(scan)) {
        char byte = *scan->at++;

        if (compiler->in_pieces && byte == quote) {
            next_piece(compiler);
        } else if (byte == '$' && take_name(scan, &name)) {
            problem = add_part(compiler, name);
            if (problem)
                return problem;
        } else if (!put_literal(compiler, byte)) {
            return "too long";
        }
    }
    compiler->format->tail = take_literal(compiler);
    return NULL;
}

/* "log_format NAME", "escape=json": what stands before the string in nginx.conf. */
static bool take_preamble(struct scan *scan)
{
    bool escaped = true;
    struct slice word = {0};

    scan_blanks(scan);
    if (scan_text(scan, SLICE("log_format "))) {
        scan_blanks(scan);
        (void) scan_token(scan, &word);
        scan_blanks(scan);
    }
    if (scan_text(scan, SLICE("escape="))) {
        (void) scan_token(scan, &word);
        escaped = !slice_equal(word, SLICE("none"));
        scan_blanks(scan);
    }
    return escaped;
}

static const char *what_is_missing(unsigned seen)
{
    if (!(seen & 1U << ACCESS_STATUS))
        return "it has no $status";
    if (!(seen & 1U << ACCESS_TIME))
        return "it has no time ($msec, $time_iso8601 or $time_local)";
    if (!(seen & (1U << ACCESS_REQUEST | 1U << ACCESS_REQUEST_URI | 1U << ACCESS_REWRITTEN_URI)))
        return "it has no $request and no $request_uri";
    return NULL;
}

const char *access_format_compile(struct access_format *format, const struct access_names *names,
                                  const char *log_format)
{
    struct compiler compiler = {
        .format = format,
        .names = names,
        .scan = scan_of(slice_of(log_format)),
    };
    const char *problem;
    char quote;

    format->parts_count = 0;
    format->escaped = take_preamble(&compiler.scan);
    quote = scan_peek(&compiler.scan);
    compiler.in_pieces = quote == '\'' || (quote == '"' && scan_left(&compiler.scan) > 1 &&
                                           compiler.scan.end[-1] == ';');
    if (compiler.in_pieces)
        compiler.scan.at++;
    problem = compile_all(&compiler, quote);
    return problem ? problem : what_is_missing(compiler.seen);
}

/* Offset of the literal that ends a value; a quote behind a backslash is part of the value. */
static ptrdiff_t find_end(struct slice rest, struct slice literal)
{
    ptrdiff_t from = 0, at;

    while ((at = slice_find(slice_skip(rest, (size_t) from), literal)) >= 0) {
        ptrdiff_t end = from + at, slashes = 0;

        while (literal.ptr[0] == '"' && slashes < end && rest.ptr[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end;
        from = end + 1;
    }
    return -1;
}

/* Length of "22/Nov/2026:05:38:43 +0000" and of "GET /a b HTTP/1.1": they hold the blank that ends
 * them. */
static ptrdiff_t inner_blanks(enum access_part_kind kind, struct slice rest)
{
    enum { TIME_LOCAL_BYTES = 26 };
    struct scan scan = scan_of(rest);
    ptrdiff_t at;

    switch (kind) {
    case ACCESS_PART_DATE:
        return rest.len_bytes >= TIME_LOCAL_BYTES && rest.ptr[20] == ' ' ? TIME_LOCAL_BYTES : 0;
    case ACCESS_PART_REQUEST:
        at = slice_find(rest, SLICE(" HTTP/"));
        return at < 0 ? 0 : at + 1;
    case ACCESS_PART_LIST:
        for (struct slice element; scan_token(&scan, &element);) {
            bool goes_on = element.ptr[element.len_bytes - 1] == ',' && scan_byte(&scan, ' ');

            if (!goes_on && !scan_text(&scan, SLICE(" : ")))
                return element.ptr - rest.ptr;
        }
        return 0;
    case ACCESS_PART_PLAIN:
        break;
    }
    return 0;
}

static bool take_value(struct scan *scan, const struct access_part *part, struct slice after,
                       bool last, struct slice *ret_value)
{
    struct slice rest = scan_rest(scan);
    ptrdiff_t inner = 0, end;

    if (after.len_bytes == 0 && last)
        end = (ptrdiff_t) rest.len_bytes;
    else if (after.len_bytes == 0) /* the next one is a uri */
        end = slice_index(rest, '/');
    else {
        if (after.ptr[0] == ' ')
            inner = inner_blanks(part->kind, rest);
        end = find_end(slice_skip(rest, (size_t) inner), after);
        end = end < 0 ? end : end + inner;
    }
    if (end < 0)
        return false;
    *ret_value = slice_head(rest, (size_t) end);
    scan->at += end;
    return true;
}

bool access_custom_parse(struct slice record, const struct log_context *context,
                         struct log_event *ret_event)
{
    const struct access_format *format = context->format;
    struct scan scan = scan_of(record);
    struct access_draft draft;
    struct slice value;

    access_draft_init(&draft, context, ret_event, format->escaped);
    for (size_t i = 0; i < format->parts_count; i++) {
        const struct access_part *part = &format->parts[i];
        bool last = i + 1 == format->parts_count;

        if (!scan_text(&scan, part->before) ||
            !take_value(&scan, part, last ? format->tail : part[1].before, last, &value))
            return false;
        access_draft_set(&draft, part->field, value);
    }
    return scan_text(&scan, format->tail) && scan_done(&scan) && access_draft_finish(&draft);
}

const char *access_format_problem(const char *log_format)
{
    struct access_format *format = malloc(sizeof *format);
    struct access_names *names = malloc(sizeof *names);
    const char *problem = "out of memory";

    if (strlen(log_format) >= ACCESS_FORMAT_TEXT_BYTES) {
        problem = "too long";
    } else if (format && names) {
        access_names_init(names);
        problem = access_format_compile(format, names, log_format);
    }
    free(names);
    free(format);
    return problem;
}
