/* doctor_varnish_words.c - addresses out of options and VCL. */
#include "analyze/doctor/doctor_varnish_words.h"

#include "analyze/doctor/doctor_proc.h"

static bool put_host(struct slice text, struct varnish_address *address)
{
    if (text.len_bytes >= sizeof address->host || slice_index(text, '\0') >= 0)
        return false;
    memcpy(address->host, text.ptr ? text.ptr : "", text.len_bytes);
    address->host[text.len_bytes] = '\0';
    return true;
}

static bool put_port(struct slice text, struct varnish_address *address)
{
    const int64_t port = doctor_number(text);

    if (port < 0 || port > 65535)
        return false;
    address->port = (int) port;
    return true;
}

bool varnish_parse_address(struct slice text, struct varnish_address *ret_address)
{
    const ptrdiff_t comma = slice_index(text, ','), equals = slice_index(text, '=');
    struct varnish_address address = {.port = 0};
    ptrdiff_t colon;
    bool good;

    if (comma >= 0)
        text = slice_head(text, (size_t) comma);
    if (equals >= 0 && (size_t) equals < text.len_bytes)
        text = slice_skip(text, (size_t) equals + 1);
    if (slice_starts(text, SLICE("["))) {
        const ptrdiff_t end = slice_index(text, ']');

        if (end < 0 || !put_host(slice_skip(slice_head(text, (size_t) end), 1), &address))
            return false;
        text = slice_skip(text, (size_t) end + 1);
        good =
            text.len_bytes == 0 || (text.ptr[0] == ':' && put_port(slice_skip(text, 1), &address));
    } else {
        colon = slice_index(text, ':');
        good = put_host(colon < 0 ? text : slice_head(text, (size_t) colon), &address) &&
               (colon < 0 || put_port(slice_skip(text, (size_t) colon + 1), &address));
    }
    if (!good || (address.host[0] == '\0' && address.port == 0))
        return false;
    *ret_address = address;
    return true;
}

bool varnish_next_listener(struct slice *rest, struct varnish_address *ret_address)
{
    struct slice word;

    while (doctor_next_word(rest, &word)) {
        if (!slice_starts(word, SLICE("-a")))
            continue;
        word = slice_skip(word, 2);
        if ((word.len_bytes > 0 || doctor_next_word(rest, &word)) &&
            varnish_parse_address(word, ret_address))
            return true;
    }
    return false;
}

/* Behind a comment that begins at `text`, or 0 when none does. */
static size_t comment_bytes(struct slice text)
{
    ptrdiff_t end;

    if (slice_starts(text, SLICE("#")) || slice_starts(text, SLICE("//")))
        end = slice_index(text, '\n');
    else if (slice_starts(text, SLICE("/*")))
        end = slice_find(text, SLICE("*/")) + 1;
    else
        return 0;
    return end <= 0 ? text.len_bytes : (size_t) end + 1;
}

/* The next token: a word, a string without its quotes, or one character; false at the end. */
static bool next_token(struct slice *rest, struct slice *ret_token)
{
    static const char single[] = "{}=;\"";

    while (rest->len_bytes > 0) {
        const size_t comment = comment_bytes(*rest);
        const char byte = rest->ptr[0];

        if (comment == 0 && byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r')
            break;
        *rest = slice_skip(*rest, comment ? comment : 1);
    }
    if (rest->len_bytes == 0)
        return false;
    if (rest->ptr[0] == '"') {
        const struct slice behind = slice_skip(*rest, 1);
        const ptrdiff_t end = slice_index(behind, '"');

        *ret_token = end < 0 ? behind : slice_head(behind, (size_t) end);
        *rest = slice_skip(behind, ret_token->len_bytes + 1);
        return true;
    }
    size_t length = 1;
    if (!strchr(single, rest->ptr[0]))
        while (length < rest->len_bytes && rest->ptr[length] > ' ' &&
               !memchr(single, rest->ptr[length], sizeof single - 1))
            length++;
    *ret_token = slice_head(*rest, length);
    *rest = slice_skip(*rest, length);
    return true;
}

/* Inside of a backend's braces, up to the closing one: .host and .port. */
static void take_backend(struct slice *rest, struct varnish_address *address)
{
    struct slice name, token;
    int depth = 1;

    while (depth > 0 && next_token(rest, &name)) {
        depth += slice_equal(name, SLICE("{"));
        depth -= slice_equal(name, SLICE("}"));
        if (depth != 1 || !slice_starts(name, SLICE(".")))
            continue;
        if (!next_token(rest, &token) || !slice_equal(token, SLICE("=")) ||
            !next_token(rest, &token))
            continue;
        if (slice_equal(name, SLICE(".host")))
            (void) put_host(token, address);
        else if (slice_equal(name, SLICE(".port")))
            (void) put_port(token, address);
        else
            depth += slice_equal(token, SLICE("{")); /* .probe = { ... } */
    }
}

bool varnish_next_backend(struct slice *rest, struct varnish_address *ret_address)
{
    struct slice token;

    while (next_token(rest, &token)) {
        struct varnish_address address = {.port = 0};

        if (!slice_equal(token, SLICE("backend")) || !next_token(rest, &token) ||
            !next_token(rest, &token) || !slice_equal(token, SLICE("{")))
            continue;
        take_backend(rest, &address);
        if (address.host[0] == '\0')
            continue; /* "backend default none;", a unix socket */
        if (address.port == 0)
            address.port = 80;
        *ret_address = address;
        return true;
    }
    return false;
}

int64_t varnish_parse_bytes(struct slice text)
{
    static const char units[] = "kmg";
    int shift = 0;

    if (text.len_bytes > 0 && (text.ptr[text.len_bytes - 1] | 32) == 'b')
        text.len_bytes--;
    for (int i = 0; units[i] && text.len_bytes > 0; i++)
        if ((text.ptr[text.len_bytes - 1] | 32) == units[i])
            shift = 10 * (i + 1);
    if (shift > 0)
        text.len_bytes--;
    const int64_t number = doctor_number(text);
    return number < 0 || number > (INT64_C(1) << 30) ? -1 : number << shift;
}

struct slice varnish_parameter(struct slice command_line, const char *name)
{
    struct slice word;

    while (doctor_next_word(&command_line, &word)) {
        if (slice_equal(word, SLICE("-p")) && !doctor_next_word(&command_line, &word))
            break;
        if (slice_starts(word, SLICE("-p")))
            word = slice_skip(word, 2);
        const size_t length = strlen(name);
        if (slice_starts(word, slice_of(name)) && word.len_bytes > length &&
            word.ptr[length] == '=')
            return slice_skip(word, length + 1);
    }
    return (struct slice){0};
}
