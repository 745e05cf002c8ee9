/* uri_mask.c - userinfo, path, query and fragment, each with what it may not show. */
#include "analyze/route/uri_mask.h"

#include <stdint.h>

#include "analyze/route/segment.h"
#include "analyze/route/uri_dispatch.h"
#include "analyze/route/uri_parts.h"
#include "base/text_out.h"

enum {
    NAME_MAX_BYTES = 64, /* a longer "name" is a value */
    BARE_MAX_BYTES = 16, /* of a name without `=`, as in ?wsdl */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of which names of PHP parameters are made; brackets also as %5B and %5D. */
static bool is_name_text(struct slice name)
{
    static const char allowed[] = "_.-[]:$0123456789";

    for (size_t i = 0; i < name.len_bytes; i++) {
        const struct slice rest = slice_skip(name, i);

        if (slice_starts(rest, SLICE("%5B")) || slice_starts(rest, SLICE("%5D")) ||
            slice_starts(rest, SLICE("%5b")) || slice_starts(rest, SLICE("%5d")))
            i += 2;
        else if (!is_letter(name.ptr[i]) && !memchr(allowed, name.ptr[i], sizeof allowed - 1))
            return false;
    }
    return true;
}

static bool is_name(struct slice name)
{
    enum segment_kind kind;

    if (name.len_bytes > NAME_MAX_BYTES || !is_name_text(name))
        return false;
    kind = segment_classify(name);
    /* `?0=a&1=b` is how PHP writes lists; a long number is somebody's. */
    return kind == SEGMENT_WORD || (kind == SEGMENT_ID && name.len_bytes <= 3);
}

/* A parameter without `=` may be a flag (?wsdl) or a secret (?3f9a...): letters only, and few. */
static bool is_flag(struct slice text)
{
    if (text.len_bytes > BARE_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len_bytes; i++)
        if (!is_letter(text.ptr[i]) && text.ptr[i] != '_' && text.ptr[i] != '-')
            return false;
    return true;
}

static void mask_parameter(struct slice path, struct slice parameter, struct text_out *out)
{
    const ptrdiff_t equals = slice_index(parameter, '=');
    const struct slice name = slice_head(parameter, equals < 0 ? SIZE_MAX : (size_t) equals);
    const bool shown = equals < 0 ? is_flag(name) : is_name(name);

    if (uri_dispatch_names_page(path, parameter)) {
        text_out_add(out, parameter);
        return;
    }
    text_out_add(out, shown ? name : SLICE("*"));
    if (equals >= 0)
        text_out_add(out, SLICE("=*"));
}

static void mask_query(struct slice path, struct slice query, struct text_out *out)
{
    for (;;) {
        const ptrdiff_t amp = slice_index(query, '&');

        mask_parameter(path, slice_head(query, amp < 0 ? SIZE_MAX : (size_t) amp), out);
        if (amp < 0)
            return;
        text_out_byte(out, '&');
        query = slice_skip(query, (size_t) amp + 1);
    }
}

/* The path, with values of `;name=value` hidden. */
static void mask_path(struct slice path, struct text_out *out)
{
    for (;;) {
        const ptrdiff_t semicolon = slice_index(path, ';');
        ptrdiff_t slash, equals;
        struct slice parameter;

        if (semicolon < 0)
            break;
        text_out_printable(out, slice_head(path, (size_t) semicolon));
        path = slice_skip(path, (size_t) semicolon);
        slash = slice_index(path, '/');
        parameter = slice_head(path, slash < 0 ? SIZE_MAX : (size_t) slash);
        path = slice_skip(path, parameter.len_bytes);
        equals = slice_index(parameter, '=');
        text_out_printable(out, slice_head(parameter, equals < 0 ? SIZE_MAX : (size_t) equals));
        if (equals >= 0)
            text_out_add(out, SLICE("=*"));
    }
    text_out_printable(out, path);
}

static void mask_uri(struct slice uri, struct text_out *out)
{
    const struct uri_parts parts = uri_split(uri);

    text_out_add(out, parts.scheme);
    if (parts.userinfo.len_bytes > 0)
        text_out_add(out, SLICE("*@"));
    text_out_printable(out, parts.host);
    mask_path(parts.path, out);
    if (parts.rest.len_bytes == 0)
        return;
    text_out_byte(out, parts.rest.ptr[0]);
    if (parts.rest.ptr[0] == '?')
        mask_query(parts.path, slice_skip(parts.rest, 1), out);
    else
        text_out_byte(out, '*');
}

size_t uri_mask(struct slice uri, enum uri_values values, char *buffer, size_t size_bytes,
                bool *ret_cut)
{
    struct text_out out = text_out_into(buffer, size_bytes);

    if (values == URI_SHOW_VALUES)
        text_out_printable(&out, uri);
    else
        mask_uri(uri, &out);
    if (ret_cut)
        *ret_cut = out.cut;
    return out.len_bytes;
}
