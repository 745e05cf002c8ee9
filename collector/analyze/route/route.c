/* route.c - cut the URI into segments, resolve dots, write each as a word or as a placeholder. */
#include "analyze/route/route.h"

#include <stdbool.h>
#include <stdint.h>

#include "analyze/route/segment.h"
#include "analyze/route/uri_dispatch.h"
#include "analyze/route/uri_parts.h"
#include "base/text_out.h"

enum {
    SEGMENT_MAX_BYTES = 256, /* of a decoded segment; the rest decides nothing */
    EXTENSION_MAX_BYTES = 5, /* with its dot: ".html" */
    VERSION_MAX_BYTES = 4,   /* "12.1" */
};

static const struct slice cut_mark = {.ptr = "/{...}", .len_bytes = 6};

/* The segments that are left after dots and doubled slashes are resolved. */
struct segments {
    struct slice items[ROUTE_MAX_SEGMENTS];
    size_t count;
    bool deeper;         /* there were more */
    bool trailing_slash; /* the path ended in one */
};

static struct slice without_parameters(struct slice segment)
{
    const ptrdiff_t semicolon = slice_index(segment, ';');

    return semicolon > 0 ? slice_head(segment, (size_t) semicolon) : segment;
}

static void segments_push(struct segments *list, struct slice segment)
{
    list->trailing_slash = segment.len_bytes == 0;
    if (segment.len_bytes == 0 || slice_equal(segment, SLICE("."))) {
        list->trailing_slash = true;
    } else if (slice_equal(segment, SLICE(".."))) {
        list->count -= list->count > 0;
        list->trailing_slash = true;
    } else if (list->count < ROUTE_MAX_SEGMENTS) {
        list->items[list->count++] = segment;
    } else {
        list->deeper = true;
    }
}

static void segments_split(struct slice path, struct segments *list)
{
    for (;;) {
        const ptrdiff_t slash = slice_index(path, '/');

        segments_push(list,
                      without_parameters(slice_head(path, slash < 0 ? SIZE_MAX : (size_t) slash)));
        if (slash < 0)
            break;
        path = slice_skip(path, (size_t) slash + 1);
    }
    if (list->count > 1 && slice_equal(list->items[0], SLICE("index.php"))) {
        list->count--;
        memmove(list->items, list->items + 1, list->count * sizeof list->items[0]);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode %XX once; a `%` that begins no escape stays.  Cuts at the buffer's end. */
static struct slice percent_decode(struct slice text, char buffer[SEGMENT_MAX_BYTES])
{
    size_t n = 0;

    while (text.len_bytes > 0 && n < SEGMENT_MAX_BYTES) {
        const bool escape = text.ptr[0] == '%' && text.len_bytes > 2 &&
                            hex_value(text.ptr[1]) >= 0 && hex_value(text.ptr[2]) >= 0;

        const int byte =
            escape ? hex_value(text.ptr[1]) * 16 + hex_value(text.ptr[2]) : text.ptr[0];

        buffer[n++] = (char) byte;
        text = slice_skip(text, escape ? 3 : 1);
    }
    return (struct slice){.ptr = buffer, .len_bytes = n};
}

/* Bytes of ".html" at the end of `text`: a dot and up to four letters or digits, one a letter. */
static size_t extension_length(struct slice text)
{
    bool letter = false;

    for (size_t n = 1; n <= EXTENSION_MAX_BYTES && n < text.len_bytes; n++) {
        const char c = text.ptr[text.len_bytes - n];

        if (c == '.')
            return letter ? n : 0;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return 0;
        letter = letter || c > '9';
    }
    return 0;
}

/* A word of the URI: decoded, but nothing that could be read as structure or as a placeholder. */
static void add_word(struct text_out *out, struct slice word)
{
    for (size_t i = 0; i < word.len_bytes && !out->cut;) {
        const struct slice rest = slice_skip(word, i);
        const size_t n = utf8_printable(rest);

        if (n == 0 || memchr("/?#%{} ", rest.ptr[0], 7))
            text_out_escape(out, rest.ptr[0]);
        else
            text_out_add(out, slice_head(rest, n));
        i += n > 0 ? n : 1;
    }
}

/* Bytes of a long number behind letters, as in version1700000000 and INV000000123; else 0. */
static size_t number_length(struct slice piece)
{
    size_t letters = 0;

    while (letters < piece.len_bytes && ((piece.ptr[letters] | 0x20) >= 'a') &&
           ((piece.ptr[letters] | 0x20) <= 'z'))
        letters++;
    return segment_classify_piece(slice_skip(piece, letters)) == SEGMENT_ID
               ? piece.len_bytes - letters
               : 0;
}

static void add_piece(struct text_out *out, struct slice piece)
{
    const enum segment_kind kind = segment_classify_piece(piece);
    const size_t number = kind == SEGMENT_WORD ? number_length(piece) : 0;

    if (kind == SEGMENT_WORD)
        add_word(out, slice_head(piece, piece.len_bytes - number));
    text_out_add(out, segment_placeholder(number > 0 ? SEGMENT_ID : kind));
}

/* A word with a long number or hash between its dashes: order-000123456-invoice. */
static void add_pieces(struct text_out *out, struct slice word)
{
    while (word.len_bytes > 0) {
        size_t n = 0;

        while (n < word.len_bytes && !memchr("-_.", word.ptr[n], 3))
            n++;
        add_piece(out, slice_head(word, n));
        if (n < word.len_bytes)
            text_out_byte(out, word.ptr[n]);
        word = slice_skip(word, n + 1);
    }
}

/* What follows a segment called `name`, or SEGMENT_WORD when that says nothing. */
static enum segment_kind kind_after(struct slice name)
{
    static const struct {
        struct slice name;
        enum segment_kind kind;
    } keys[] = {
#define ROUTE_KEY(text, kind) {{.ptr = (text), .len_bytes = sizeof(text) - 1}, SEGMENT_##kind},
#define ROUTE_INTERFACE(text)
#include "analyze/route/route_keys.def"
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (slice_equal(keys[i].name, name))
            return keys[i].kind;
    return SEGMENT_WORD;
}

/*
 * Magento's /id/42/s/the-products-title and /s/the-categorys-title/id/7: the only places where a
 * lone `s` means a title.
 */
static bool is_title(const struct segments *list, size_t i)
{
    return i >= 1 && slice_equal(list->items[i - 1], SLICE("s")) &&
           ((i >= 3 && slice_equal(list->items[i - 3], SLICE("id"))) ||
            (i + 1 < list->count && slice_equal(list->items[i + 1], SLICE("id"))));
}

/* /api/2/..., /rest/1.0/...: the version of an interface; its pages are not those of another. */
static bool is_version(const struct segments *list, size_t i, struct slice text)
{
    static const struct slice interfaces[] = {
#define ROUTE_KEY(text, kind)
#define ROUTE_INTERFACE(text) {.ptr = (text), .len_bytes = sizeof(text) - 1},
#include "analyze/route/route_keys.def"
    };
    bool versioned = false;

    for (size_t k = 0; i > 0 && k < sizeof interfaces / sizeof interfaces[0]; k++)
        versioned = versioned || slice_equal(list->items[i - 1], interfaces[k]);
    for (size_t k = 0; k < text.len_bytes; k++)
        versioned = versioned && ((text.ptr[k] >= '0' && text.ptr[k] <= '9') || text.ptr[k] == '.');
    return versioned && (text.len_bytes <= 2 ||
                         (text.len_bytes <= VERSION_MAX_BYTES && slice_index(text, '.') > 0));
}

/* /token/refresh names an action, /token/Kd83hQ does not. */
static bool is_lower_word(struct slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++)
        if (!(text.ptr[i] >= 'a' && text.ptr[i] <= 'z') && text.ptr[i] != '-' && text.ptr[i] != '_')
            return false;
    return true;
}

static void add_segment(struct text_out *out, const struct segments *list, size_t i)
{
    char buffer[SEGMENT_MAX_BYTES];
    const struct slice text = percent_decode(list->items[i], buffer);
    const size_t extension = extension_length(text);
    const struct slice stem = slice_head(text, text.len_bytes - extension);
    enum segment_kind kind = segment_classify(text);

    if (is_version(list, i, text)) {
        add_word(out, text);
        return;
    }
    if (kind != SEGMENT_WORD) {
        text_out_add(out, segment_placeholder(kind));
        return;
    }
    kind = segment_classify(stem);
    if (kind == SEGMENT_WORD && is_title(list, i))
        kind = SEGMENT_SLUG;
    else if (kind == SEGMENT_WORD && i > 0 && !is_lower_word(stem))
        kind = kind_after(list->items[i - 1]);
    if (kind == SEGMENT_WORD)
        add_pieces(out, stem);
    else
        text_out_add(out, segment_placeholder(kind));
    add_word(out, slice_skip(text, stem.len_bytes));
}

static void add_segments(struct text_out *out, const struct segments *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const size_t before = out->len_bytes;

        text_out_byte(out, '/');
        add_segment(out, list, i);
        if (out->cut) {
            out->len_bytes = before; /* half a segment would be a route of its own */
            return;
        }
    }
}

/* ?action=heartbeat, when it is part of the page's name and has room. */
static void add_dispatch(struct text_out *out, struct slice rest)
{
    const struct slice query = slice_starts(rest, SLICE("?")) ? slice_skip(rest, 1) : SLICE("");
    const struct slice parameter = uri_dispatch_find(text_out_slice(out), query);

    if (parameter.len_bytes == 0 || out->len_bytes + parameter.len_bytes + 2 > out->size_bytes)
        return;
    text_out_byte(out, '?');
    text_out_add(out, parameter);
}

void route_of_uri(struct slice uri, struct route *ret_route)
{
    const struct uri_parts parts = uri_split(uri);
    const struct slice path = parts.path;
    struct segments list = {.count = 0};
    struct text_out out =
        text_out_into(ret_route->text, sizeof ret_route->text - cut_mark.len_bytes);

    if (slice_equal(path, SLICE("*"))) { /* OPTIONS * */
        text_out_byte(&out, '*');
    } else {
        segments_split(path.len_bytes > 0 && path.ptr[0] == '/' ? slice_skip(path, 1) : path,
                       &list);
        add_segments(&out, &list);
    }
    out.size_bytes += cut_mark.len_bytes;
    if (out.cut || list.deeper) {
        out.cut = false;
        text_out_add(&out, cut_mark);
    } else if (list.trailing_slash || out.len_bytes == 0) {
        text_out_byte(&out, '/');
    }
    add_dispatch(&out, parts.rest);
    ret_route->len_bytes = out.len_bytes;
}
