/*
 * access_draft.h - an access event while it is being read: fields come in any order and under any
 * name of access_fields.def, from JSON, from a combined line or by a log_format.
 *
 *     access_draft_init(&draft, context, &event, true);
 *     access_draft_set(&draft, access_name_find(context->names, key), value);    any number of
 * times ok = access_draft_finish(&draft);
 */
#ifndef FPMSCOPE_LOGS_ACCESS_DRAFT_H
#define FPMSCOPE_LOGS_ACCESS_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "logs/log_context.h"
#include "model/log_event.h"

enum access_field {
    ACCESS_NONE, /* a name that says nothing to us */
#define ACCESS_FIELD(id, setter, member) ACCESS_##id,
#include "logs/access_fields.def"
    ACCESS_FIELD_COUNT
};

/* Name -> field, a hash table built once; names are compared as they are, case matters. */
struct access_names {
    uint8_t slots[512]; /* 1 + index into the list of names, 0: free */
};

struct access_draft {
    const struct log_context *context;
    struct log_event *event;
    bool escaped; /* values are as nginx writes them: \xNN or JSON escapes */
    struct slice rewritten_uri, args;
};

void access_names_init(struct access_names *names);

enum access_field access_name_find(const struct access_names *names, struct slice name);

/* Starts `event` as an access event about which nothing is known. */
void access_draft_init(struct access_draft *draft, const struct log_context *context,
                       struct log_event *event, bool escaped);

/* "", "-" and what does not parse leave the field unknown. */
void access_draft_set(struct access_draft *draft, enum access_field field, struct slice value);

/* Fill what follows from the rest; false: this is not an access line (no status, request or time).
 */
bool access_draft_finish(struct access_draft *draft);

/*
 * Split "GET /uri HTTP/1.1" (the uri may hold blanks); false when it is no HTTP request line.  An
 * absolute uri ("http://host/uri") is cut to its path; `ret_host` is then its host, else empty.
 */
bool access_split_request(struct slice request, struct slice *ret_method, struct slice *ret_uri,
                          struct slice *ret_protocol, struct slice *ret_host);

#endif
