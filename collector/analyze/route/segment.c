/* segment.c - one test per kind of value, tried in the order of the table at the end. */
#include "analyze/route/segment.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HASH_MIN = 8, /* hex digits of a whole segment: a short git or asset hash */
    HASH_LETTERS_MIN =
        16, /* without any digit, "deadbeef" may be a name; 16 such letters are not */
    TOKEN_MIN = 16,
    WORD_MIN = 3,
    WORD_MAX = 96,        /* longer ones are titles */
    PIECE_DIGITS_MIN = 9, /* an order number; shorter ones are left to the route table */
    PIECE_HASH_MIN = 20,
};

/* How many bytes of each sort a text has; what the tests below decide on. */
struct census {
    size_t digits, lower, upper, hex_letters, other;
    size_t changes; /* places where two neighbours are of different sorts */
};

enum sort { SORT_DIGIT, SORT_LOWER, SORT_UPPER, SORT_OTHER };

static enum sort sort_of(char c)
{
    if (c >= '0' && c <= '9')
        return SORT_DIGIT;
    if (c >= 'a' && c <= 'z')
        return SORT_LOWER;
    return c >= 'A' && c <= 'Z' ? SORT_UPPER : SORT_OTHER;
}

static bool is_digit(char c)
{
    return sort_of(c) == SORT_DIGIT;
}

static bool is_hex_letter(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static struct census census_of(struct slice text)
{
    struct census n = {0};

    for (size_t i = 0; i < text.len_bytes; i++) {
        const enum sort sort = sort_of(text.ptr[i]);

        n.digits += sort == SORT_DIGIT;
        n.lower += sort == SORT_LOWER;
        n.upper += sort == SORT_UPPER;
        n.other += sort == SORT_OTHER;
        n.hex_letters += is_hex_letter(text.ptr[i]);
        n.changes += i > 0 && sort != sort_of(text.ptr[i - 1]);
    }
    return n;
}

/* Does `text` have the form of `shape`: 'd' a digit, 'x' a hex digit, others themselves? */
static bool has_shape(struct slice text, struct slice shape)
{
    if (text.len_bytes != shape.len_bytes)
        return false;
    for (size_t i = 0; i < text.len_bytes; i++) {
        const char c = text.ptr[i];
        const bool fits = shape.ptr[i] == 'd'   ? is_digit(c)
                          : shape.ptr[i] == 'x' ? is_digit(c) || is_hex_letter(c)
                                                : c == shape.ptr[i];

        if (!fits)
            return false;
    }
    return true;
}

static bool is_uuid(struct slice text)
{
    return has_shape(text, SLICE("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"));
}

static bool is_date(struct slice text)
{
    if (has_shape(text, SLICE("dddd-dd")) || has_shape(text, SLICE("dddd-dd-dd")))
        return slice_starts(text, SLICE("19")) || slice_starts(text, SLICE("20"));
    return text.len_bytes >= 13 && has_shape(slice_head(text, 10), SLICE("dddd-dd-dd")) &&
           (text.ptr[10] == 'T' || text.ptr[10] == ' ' || text.ptr[10] == '+') &&
           is_digit(text.ptr[11]);
}

static bool is_number(struct slice text)
{
    bool digit = false;

    for (size_t i = 0; i < text.len_bytes; i++) {
        if (is_digit(text.ptr[i]))
            digit = true;
        else if (!memchr(".,:_-", text.ptr[i], 5))
            return false;
    }
    return digit;
}

static bool is_hash(struct slice text, size_t min_bytes)
{
    const struct census n = census_of(text);

    if (text.len_bytes < min_bytes || n.digits + n.hex_letters != text.len_bytes)
        return false;
    return n.hex_letters > 0 && (n.digits > 0 || text.len_bytes >= HASH_LETTERS_MIN);
}

static bool is_base64_url(struct slice text)
{
    /* base64 of "http", which is how every uenc begins, and of a list of strings (["...) */
    return text.len_bytes >= TOKEN_MIN &&
           (slice_starts(text, SLICE("aHR0c")) || slice_starts(text, SLICE("WyJ")));
}

/* Is there a plain word between dashes, as in "order-3f9ac1d2"?  Then a human named it. */
static bool has_word(struct slice text)
{
    while (text.len_bytes > 0) {
        size_t n = 0, letters = 0;

        for (; n < text.len_bytes && !memchr("-_.", text.ptr[n], 3); n++)
            letters += sort_of(text.ptr[n]) == SORT_LOWER;
        if (n >= WORD_MIN && letters == n)
            return true;
        text = slice_skip(text, n + 1);
    }
    return false;
}

/*
 * Made by a machine: letters and digits change places all the time.  Camel case changes too, but
 * has no digits; "iphone15promax256gb" has digits, but changes too rarely.
 */
static bool is_token(struct slice text)
{
    const struct census n = census_of(text);
    size_t odd = 0;

    if (text.len_bytes < TOKEN_MIN || n.digits < 2 || n.lower + n.upper < 2 || has_word(text))
        return false;
    for (size_t i = 0; i < text.len_bytes; i++)
        odd += sort_of(text.ptr[i]) == SORT_OTHER && !memchr("-_=~,+/.", text.ptr[i], 8);
    return odd == 0 && n.other * 6 <= text.len_bytes && n.changes * 10 >= text.len_bytes * 3;
}

static bool is_jwt(struct slice text)
{
    return text.len_bytes >= TOKEN_MIN && slice_starts(text, SLICE("eyJ"));
}

static bool is_email(struct slice text)
{
    const ptrdiff_t at = slice_index(text, '@');

    return at > 0 && (size_t) at + 1 < text.len_bytes;
}

struct slice segment_placeholder(enum segment_kind kind)
{
    static const struct slice placeholders[] = {
        [SEGMENT_WORD] = {.ptr = "", .len_bytes = 0},
#define SEGMENT_KIND(name, text, doc)                                                              \
    [SEGMENT_##name] = {.ptr = (text), .len_bytes = sizeof(text) - 1},
#include "analyze/route/segment_kinds.def"
    };

    return placeholders[kind];
}

enum segment_kind segment_classify(struct slice text)
{
    if (text.len_bytes == 0)
        return SEGMENT_WORD;
    if (is_uuid(text))
        return SEGMENT_UUID;
    if (is_date(text))
        return SEGMENT_DATE;
    if (is_number(text))
        return SEGMENT_ID;
    if (is_hash(text, HASH_MIN))
        return SEGMENT_HASH;
    if (is_email(text))
        return SEGMENT_EMAIL;
    if (is_base64_url(text))
        return SEGMENT_BASE64;
    if (is_jwt(text) || is_token(text))
        return SEGMENT_TOKEN;
    return text.len_bytes > WORD_MAX ? SEGMENT_SLUG : SEGMENT_WORD;
}

enum segment_kind segment_classify_piece(struct slice piece)
{
    if (piece.len_bytes >= PIECE_DIGITS_MIN && census_of(piece).digits == piece.len_bytes)
        return SEGMENT_ID;
    if (is_hash(piece, PIECE_HASH_MIN))
        return SEGMENT_HASH;
    return piece.len_bytes >= PIECE_HASH_MIN && is_token(piece) ? SEGMENT_TOKEN : SEGMENT_WORD;
}
