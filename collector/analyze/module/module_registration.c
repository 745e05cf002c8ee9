/* module_registration.c - find the one call, or the one element, that names the component. */
#include "analyze/module/module_registration.h"

#include <stdbool.h>

/* Letters, digits, `_`, `/` and `-`: anything else is no component's name. */
static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '-' || c == '.';
}

static void set_name(struct module_claim *claim, struct slice name)
{
    if (name.len_bytes >= sizeof claim->name)
        return;
    for (size_t i = 0; i < name.len_bytes; i++)
        if (!is_name_byte(name.ptr[i]))
            return;
    memcpy(claim->name, name.ptr, name.len_bytes);
    claim->name[name.len_bytes] = '\0';
}

static struct slice skip_past(struct slice text, struct slice end)
{
    const ptrdiff_t at = slice_find(text, end);

    return at < 0 ? SLICE("") : slice_skip(text, (size_t) at + end.len_bytes);
}

/* Skip white space and comments of PHP. */
static struct slice skip_blank(struct slice php)
{
    for (;;) {
        if (slice_starts(php, SLICE("/*")))
            php = skip_past(php, SLICE("*/"));
        else if (slice_starts(php, SLICE("//")) || slice_starts(php, SLICE("#")))
            php = skip_past(php, SLICE("\n"));
        else if (php.len_bytes > 0 && memchr(" \t\r\n", php.ptr[0], 4))
            php = slice_skip(php, 1);
        else
            return php;
    }
}

/* The rest behind `register(`, outside comments and strings; empty when there is no such call. */
static struct slice find_call(struct slice php)
{
    while (php.len_bytes > 0) {
        const char c = php.ptr[0];

        if (c == '\'' || c == '"') {
            const char quote[] = {c};

            php = skip_past(slice_skip(php, 1), (struct slice){.ptr = quote, .len_bytes = 1});
        } else if (c == '/' || c == '#') {
            const struct slice after = skip_blank(php);

            php = after.len_bytes < php.len_bytes ? after : slice_skip(php, 1);
        } else if (slice_starts(php, SLICE("::register"))) {
            php = skip_blank(slice_skip(php, 10));
            if (slice_starts(php, SLICE("(")))
                return slice_skip(php, 1);
        } else {
            php = slice_skip(php, 1);
        }
    }
    return php;
}

/* The first argument: ComponentRegistrar::MODULE, or the same as a string. */
static enum module_claim_kind kind_of(struct slice argument)
{
    static const struct {
        struct slice word;
        enum module_claim_kind kind;
    } kinds[] = {
        {{.ptr = "MODULE", .len_bytes = 6}, MODULE_CLAIM_MODULE},
        {{.ptr = "THEME", .len_bytes = 5}, MODULE_CLAIM_THEME},
        {{.ptr = "LIBRARY", .len_bytes = 7}, MODULE_CLAIM_LIBRARY},
        {{.ptr = "LANGUAGE", .len_bytes = 8}, MODULE_CLAIM_LIBRARY},
        {{.ptr = "module", .len_bytes = 6}, MODULE_CLAIM_MODULE},
        {{.ptr = "theme", .len_bytes = 5}, MODULE_CLAIM_THEME},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_find(argument, kinds[i].word) >= 0)
            return kinds[i].kind;
    return MODULE_CLAIM_NONE;
}

void module_registration_parse(struct slice php, struct module_claim *ret_claim)
{
    struct slice call = skip_blank(find_call(php));
    const ptrdiff_t comma = slice_index(call, ',');
    ptrdiff_t end;

    *ret_claim = (struct module_claim){.kind = MODULE_CLAIM_NONE};
    if (comma < 0)
        return;
    ret_claim->kind = kind_of(slice_head(call, (size_t) comma));
    call = skip_blank(slice_skip(call, (size_t) comma + 1));
    if (call.len_bytes == 0 || (call.ptr[0] != '\'' && call.ptr[0] != '"'))
        return;
    end = slice_index(slice_skip(call, 1), call.ptr[0]);
    /* 'Acme_' . SUFFIX is no name */
    if (end >= 0 && slice_starts(skip_blank(slice_skip(call, (size_t) end + 2)), SLICE(",")))
        set_name(ret_claim, slice_head(slice_skip(call, 1), (size_t) end));
}

/* The value of attribute `name` in an element's text; empty when it has none. */
static struct slice attribute(struct slice element, struct slice name)
{
    for (;;) {
        const ptrdiff_t at = slice_find(element, name);
        ptrdiff_t end;

        if (at <= 0)
            return SLICE("");
        const bool whole = memchr(" \t\r\n", element.ptr[at - 1], 4) != NULL;

        element = skip_blank(slice_skip(element, (size_t) at + name.len_bytes));
        if (!whole || !slice_starts(element, SLICE("=")))
            continue;
        element = skip_blank(slice_skip(element, 1));
        if (element.len_bytes == 0 || (element.ptr[0] != '"' && element.ptr[0] != '\''))
            return SLICE("");
        end = slice_index(slice_skip(element, 1), element.ptr[0]);
        return end < 0 ? SLICE("") : slice_head(slice_skip(element, 1), (size_t) end);
    }
}

void module_xml_parse(struct slice xml, struct module_claim *ret_claim)
{
    *ret_claim = (struct module_claim){.kind = MODULE_CLAIM_NONE};
    while (xml.len_bytes > 0) {
        if (slice_starts(xml, SLICE("<!--"))) {
            xml = skip_past(xml, SLICE("-->"));
        } else if (slice_starts(xml, SLICE("<module")) && xml.len_bytes > 7 &&
                   memchr(" \t\r\n", xml.ptr[7], 4)) {
            const ptrdiff_t end = slice_index(xml, '>');

            ret_claim->kind = MODULE_CLAIM_MODULE;
            set_name(ret_claim,
                     attribute(slice_head(xml, end < 0 ? 0 : (size_t) end), SLICE("name")));
            return;
        } else {
            xml = slice_skip(xml, 1);
        }
    }
}
