/* php_class_scan.c - words of a PHP file, one after the other. */
#include "analyze/module/php_class_scan.h"

#include <stdio.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '\\' || (unsigned char) c >= 0x80;
}

static size_t behind(struct slice text, struct slice end)
{
    const ptrdiff_t at = slice_find(text, end);

    return at < 0 ? text.len_bytes : (size_t) at + end.len_bytes;
}

/* Bytes of the string that `text` begins with, its quotes included. */
static size_t string_length(struct slice text)
{
    size_t i = 1;

    while (i < text.len_bytes && text.ptr[i] != text.ptr[0])
        i += text.ptr[i] == '\\' ? 2 : 1;
    return i + 1;
}

/* How much of `text` is no word: a comment, a string, or one byte. */
static size_t step(struct slice text)
{
    if (slice_starts(text, SLICE("//")) || (text.ptr[0] == '#' && !slice_starts(text, SLICE("#["))))
        return behind(text, SLICE("\n"));
    if (slice_starts(text, SLICE("/*")))
        return behind(text, SLICE("*/"));
    return text.ptr[0] == '"' || text.ptr[0] == '\'' ? string_length(text) : 1;
}

/* The next word; empty at the end.  `before`: the last byte in front of it that is no blank. */
static struct slice next_word(struct slice *text, char *before)
{
    while (text->len_bytes > 0 && !is_word(text->ptr[0])) {
        if (!slice_is_blank(text->ptr[0]) && text->ptr[0] != '\n' && text->ptr[0] != '\r')
            *before = text->ptr[0];
        *text = slice_skip(*text, step(*text));
    }
    size_t n = 0;

    while (n < text->len_bytes && is_word(text->ptr[n]))
        n++;
    const struct slice word = slice_head(*text, n);

    *text = slice_skip(*text, n);
    return word;
}

static bool declares_class(struct slice word)
{
    return slice_equal(word, SLICE("class")) || slice_equal(word, SLICE("trait")) ||
           slice_equal(word, SLICE("interface")) || slice_equal(word, SLICE("enum"));
}

struct slice php_class_scan(struct slice text, char name[PHP_CLASS_NAME_BYTES])
{
    struct slice space = SLICE(""), last = SLICE(""), word;
    char before = '\0';
    int n = 0;

    while ((word = next_word(&text, &before)).len_bytes > 0) {
        /* Not X::class, not `new class`. */
        if (slice_equal(word, SLICE("namespace")) && text.len_bytes > 0) {
            space = next_word(&text, &before);
        } else if (declares_class(word) && before != ':' && !slice_equal(last, SLICE("new"))) {
            const struct slice own = next_word(&text, &before);

            n = snprintf(name, PHP_CLASS_NAME_BYTES, "%.*s%s%.*s", (int) space.len_bytes,
                         space.len_bytes > 0 ? space.ptr : "", space.len_bytes > 0 ? "\\" : "",
                         (int) own.len_bytes, own.len_bytes > 0 ? own.ptr : "");
            break;
        }
        last = word;
        before = '\0';
    }
    return (struct slice){.ptr = name,
                          .len_bytes = n > 0 && n < PHP_CLASS_NAME_BYTES ? (size_t) n : 0};
}
