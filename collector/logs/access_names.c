/* access_names.c - the names of access_fields.def as a hash table, and the request line's parts. */
#include "logs/access_draft.h"

#include <assert.h>

#include "logs/scan.h"

static const struct {
    struct slice name;
    enum access_field field;
} names_list[] = {
#define ACCESS_NAME(text, id)                                                                      \
    {.name = {.ptr = (text), .len_bytes = sizeof(text) - 1}, .field = ACCESS_##id},
#include "logs/access_fields.def"
};

enum {
    NAMES_COUNT = sizeof names_list / sizeof names_list[0],
    SLOTS_COUNT = sizeof(((struct access_names *) NULL)->slots),
};

/* Half empty, so that a name that is not there is refused after a probe or two. */
_Static_assert(NAMES_COUNT * 2 <= SLOTS_COUNT && NAMES_COUNT < 255, "access_names is too full");

/* Length and three bytes tell these names apart well; a multiplication per byte was half the
 * parser. */
static size_t slot_of(struct slice name)
{
    const unsigned char *bytes = (const unsigned char *) name.ptr;
    size_t len_bytes = name.len_bytes;

    if (len_bytes == 0)
        return 0;
    return (len_bytes * 37 + bytes[0] * 5U + bytes[len_bytes / 2] * 67U +
            bytes[len_bytes - 1] * 211U) %
           SLOTS_COUNT;
}

void access_names_init(struct access_names *names)
{
    *names = (struct access_names){0};
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        size_t slot = slot_of(names_list[i].name);

        while (names->slots[slot])
            slot = (slot + 1) % SLOTS_COUNT;
        names->slots[slot] = (uint8_t) (i + 1);
    }
}

enum access_field access_name_find(const struct access_names *names, struct slice name)
{
    size_t slot;

    assert(names != NULL);
    if (name.len_bytes > 64)
        return ACCESS_NONE;
    for (slot = slot_of(name); names->slots[slot]; slot = (slot + 1) % SLOTS_COUNT) {
        size_t i = (size_t) names->slots[slot] - 1;

        if (slice_equal(names_list[i].name, name))
            return names_list[i].field;
    }
    return ACCESS_NONE;
}

static bool is_method(struct slice text)
{
    if (text.len_bytes == 0 || text.len_bytes > 32)
        return false;
    for (size_t i = 0; i < text.len_bytes; i++) {
        char byte = text.ptr[i];

        if (!((byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_'))
            return false;
    }
    return true;
}

/* http://host/path -> /path and host */
static void cut_origin(struct slice *uri, struct slice *ret_host)
{
    struct scan scan = scan_of(*uri);
    ptrdiff_t slash;

    *ret_host = (struct slice){0};
    if (!scan_text(&scan, SLICE("http://")) && !scan_text(&scan, SLICE("https://")))
        return;
    slash = slice_index(scan_rest(&scan), '/');
    *ret_host = slash < 0 ? scan_rest(&scan) : slice_head(scan_rest(&scan), (size_t) slash);
    *uri = slash < 0 ? SLICE("/") : slice_skip(scan_rest(&scan), (size_t) slash);
}

bool access_split_request(struct slice request, struct slice *ret_method, struct slice *ret_uri,
                          struct slice *ret_protocol, struct slice *ret_host)
{
    struct scan scan = scan_of(request);
    struct slice method, uri, protocol = {0};
    const char *last;

    if (!scan_until(&scan, ' ', &method) || !is_method(method))
        return false;
    uri = scan_rest(&scan);
    last = uri.len_bytes ? memrchr(uri.ptr, ' ', uri.len_bytes) : NULL;
    if (last && slice_starts(scan_between(last + 1, scan.end), SLICE("HTTP/"))) {
        protocol = scan_between(last + 1, scan.end);
        uri = scan_between(uri.ptr, last);
    }
    if (uri.len_bytes == 0)
        return false;
    cut_origin(&uri, ret_host);
    *ret_method = method;
    *ret_uri = uri;
    *ret_protocol = protocol;
    return true;
}
