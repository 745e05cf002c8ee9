/* params.c - see params.h. */
#include "request/params.h"

#include <string.h>

#include "base/marks.h"
#include "fpmscope/short_copy.h"
#include "fpmscope/wire.h"
#include "banned.h"

enum param_field_index {
#define RECORDER_TEXT(field, bytes) PARAM_FIELD_##field,
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
        PARAM_FIELD_COUNT
};
_Static_assert((int) PARAM_FIELD_COUNT <= (int) PARAM_FIELDS_MAX, "params.ranks[] is too short");

static const struct param_field param_fields[] = {
#define RECORDER_TEXT(field, bytes)                                                                \
    {offsetof(struct recorder_request, field##_len_bytes),                                         \
     offsetof(struct recorder_request, field), bytes,                                              \
     PARAM_FIELD_##field == PARAM_FIELD_uri ? WIRE_REQUEST_URI_CUT : 0},
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
};

enum { PARAM_STRONGEST = UINT8_MAX };

static const struct param_name {
    const char *name;
    uint8_t field, rank;
} param_names[] = {
#define PARAM(name, field, rank) {name, PARAM_FIELD_##field, rank},
#include "request/params.def"
};

static uint64_t param_word(const void *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Names that are too short for a word have their length as class. */
static size_t param_class(const uint8_t *name, size_t name_bytes)
{
    if (name_bytes < sizeof(uint64_t))
        return name_bytes;
    return (size_t) (param_word(name + name_bytes - sizeof(uint64_t)) *
                         UINT64_C(0x9e3779b97f4a7c15) >>
                     (64 - PARAM_CLASS_BITS));
}

/* Names of up to 16 bytes are two overlapping words. */
static inline bool param_name_is(const struct param_wanted *wanted, const uint8_t *name,
                                 size_t name_bytes)
{
    if (wanted->name_bytes != name_bytes)
        return false;
    if (name_bytes >= sizeof(uint64_t)) {
        if (param_word(name) != wanted->head ||
            param_word(name + name_bytes - sizeof(uint64_t)) != wanted->tail)
            return false;
        if (name_bytes <= 2 * sizeof(uint64_t))
            return true;
    }
    return memcmp(wanted->name, name, name_bytes) == 0;
}

/* See struct param_wanted; the table's own are asked of the first of a class only. */
static uint32_t param_alone_bytes(const struct param_wanted *wanted)
{
    const bool is_alone = !wanted->next && wanted->name_bytes >= sizeof(uint64_t) &&
                          wanted->name_bytes <= 2 * sizeof(uint64_t);

    return is_alone ? wanted->name_bytes : UINT32_MAX;
}

static void param_table_add(struct param_table *table, const struct param_name *name,
                            size_t name_bytes)
{
    struct param_wanted *wanted = &table->wanted[table->count];
    const struct param_wanted **first;

    if (table->count == PARAM_WANTED_MAX || name_bytes == 0 || name_bytes > PARAM_NAME_BYTES)
        return;
    first = &table->first[param_class((const uint8_t *) name->name, name_bytes)];
    *wanted = (struct param_wanted){
        .next = *first,
        .name = name->name,
        .name_bytes = (uint8_t) name_bytes,
        .field = name->field,
        .strength = (uint8_t) (PARAM_STRONGEST - name->rank),
        .target = param_fields[name->field],
    };
    if (name_bytes >= sizeof(uint64_t)) {
        wanted->head = param_word(name->name);
        wanted->tail = param_word(name->name + name_bytes - sizeof(uint64_t));
    }
    wanted->alone_bytes = param_alone_bytes(wanted);
    *first = wanted;
    table->count++;
}

void param_table_init(struct param_table *table, const char *ids)
{
    uint8_t rank = 0;

    memset(table, 0, sizeof *table);
    for (size_t i = 0; i < sizeof param_names / sizeof *param_names; i++)
        param_table_add(table, &param_names[i], strlen(param_names[i].name));
    while (*ids && rank < PARAM_IDS_MAX) {
        const char *comma = strchr(ids, ',');
        size_t len = comma ? (size_t) (comma - ids) : strlen(ids);
        const struct param_name name = {ids, PARAM_FIELD_request_id, rank};

        if (len > 0 && len < PARAM_NAME_BYTES) {
            param_table_add(table, &name, len);
            rank++;
        }
        ids += len + (comma ? 1 : 0);
    }
}

/* The length of a text. */
static uint16_t *param_len(struct recorder_request *request, const struct param_field *field)
{
    return (uint16_t *) (void *) ((char *) request + field->len_offset_bytes);
}

/* Append to the text of a field, as far as there is room behind its first `at_bytes`. */
static inline void param_keep(struct recorder_request *request, const struct param_field *field,
                              size_t at_bytes, const uint8_t *bytes, size_t len_bytes)
{
    size_t room = field->cap_bytes - at_bytes;
    size_t kept = len_bytes;

    if (unlikely(len_bytes > room)) {
        kept = room;
        request->flags |= field->cut_flag;
    }
    *param_len(request, field) = (uint16_t) (at_bytes + kept);
    short_copy((char *) request + field->text_offset_bytes + at_bytes, (const char *) bytes, kept);
}

/* May this name have its field?  Not when a better one has been there. */
static bool params_claim(struct params *params, const struct param_wanted *wanted)
{
    uint8_t *strength = &params->strengths[wanted->field];

    if (*strength >= wanted->strength)
        return false;
    *strength = wanted->strength;
    return true;
}

/* The name is complete: which fields take the value?  An empty value never replaces anything. */
static void params_choose(struct params *params, const struct param_table *table,
                          struct recorder_request *request)
{
    const uint8_t *name = (const uint8_t *) params->name;
    const struct param_wanted *wanted;

    params->field_count = 0;
    if (params->name_bytes > PARAM_NAME_BYTES || params->value_bytes == 0)
        return;
    for (wanted = table->first[param_class(name, params->name_bytes)]; wanted;
         wanted = wanted->next) {
        if (!param_name_is(wanted, name, params->name_bytes) || params->field_count == 2 ||
            !params_claim(params, wanted))
            continue;
        *param_len(request, &wanted->target) = 0;
        params->fields[params->field_count++] = wanted->field;
    }
}

/* One byte of a length; true when the length is complete. */
static bool params_length_byte(struct params *params, uint8_t byte)
{
    if (params->length_bytes == 0 && byte < 0x80) {
        params->length = byte;
        return true;
    }
    params->length = params->length_bytes == 0 ? byte & 0x7fu : params->length << 8 | byte;
    if (++params->length_bytes < 4)
        return false;
    params->length_bytes = 0;
    return true;
}

static void params_enter(struct params *params, enum param_stage stage, uint32_t left_bytes)
{
    params->stage = (uint8_t) stage;
    params->left_bytes = left_bytes;
}

static void params_on_length(struct params *params)
{
    if (params->stage == PARAM_NAME_LENGTH) {
        params->name_bytes = params->length;
        params_enter(params, PARAM_VALUE_LENGTH, 0);
    } else {
        params->value_bytes = params->length;
        params_enter(params, PARAM_NAME, params->name_bytes);
    }
}

/* Part of a value. */
static void params_keep(struct params *params, struct recorder_request *request,
                        const uint8_t *bytes, size_t len_bytes)
{
    for (uint8_t i = 0; i < params->field_count; i++) {
        const struct param_field *field = &param_fields[params->fields[i]];

        param_keep(request, field, *param_len(request, field), bytes, len_bytes);
    }
}

/* Part of a name or of a value. */
static void params_on_bytes(struct params *params, struct recorder_request *request,
                            const uint8_t *bytes, uint32_t len_bytes)
{
    uint32_t at = params->name_bytes - params->left_bytes;

    if (params->stage == PARAM_VALUE)
        params_keep(params, request, bytes, len_bytes);
    else if (params->name_bytes <= PARAM_NAME_BYTES)
        memcpy(params->name + at, bytes, len_bytes);
    params->left_bytes -= len_bytes;
}

/* A pair that is here from end to end: name and value, one behind the other. */
struct param_pair {
    const uint8_t *name; /* NULL: it is not */
    size_t name_bytes, value_bytes;
};

/* A length of any size; where it ends, or NULL when it is not complete. */
static const uint8_t *param_take_length(const uint8_t *at, const uint8_t *end, size_t *ret_length)
{
    if (at < end && at[0] < 0x80) {
        *ret_length = at[0];
        return at + 1;
    }
    if (end - at < 4)
        return NULL;
    *ret_length = (at[0] & 0x7fu) << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
    return at + 4;
}

static __attribute__((noinline)) struct param_pair param_take_long(const uint8_t *at,
                                                                   const uint8_t *end)
{
    struct param_pair pair = {.name = NULL};

    at = param_take_length(at, end, &pair.name_bytes);
    if (at)
        at = param_take_length(at, end, &pair.value_bytes);
    if (at && pair.name_bytes + pair.value_bytes <= (size_t) (end - at))
        pair.name = at;
    return pair;
}

/* Nearly always both lengths are short; their bytes are looked at together. */
static inline struct param_pair param_take(const uint8_t *at, const uint8_t *end)
{
    struct param_pair pair = {.name = at + 2};

    if (unlikely(pair.name > end || (at[0] | at[1]) & 0x80))
        return param_take_long(at, end);
    pair.name_bytes = at[0];
    pair.value_bytes = at[1];
    if (unlikely(pair.name + pair.name_bytes + pair.value_bytes > end))
        return param_take_long(at, end);
    return pair;
}

/* Every name of the class that begins with `wanted`. */
static __attribute__((noinline)) void params_keep_of_class(struct params *params,
                                                           const struct param_wanted *wanted,
                                                           struct recorder_request *request,
                                                           const uint8_t *name, size_t name_bytes,
                                                           size_t value_bytes)
{
    for (; wanted; wanted = wanted->next)
        if (param_name_is(wanted, name, name_bytes) && params_claim(params, wanted))
            param_keep(request, &wanted->target, 0, name + name_bytes, value_bytes);
}

static __attribute__((noinline)) void param_keep_long(struct recorder_request *request,
                                                      const struct param_field *field,
                                                      const uint8_t *bytes, size_t len_bytes)
{
    param_keep(request, field, 0, bytes, len_bytes);
}

/* `wanted` begins the class of the name.  An empty value never replaces anything.  Calls nothing
 * but as its end, so that it needs no frame. */
static __attribute__((noinline)) void params_keep_pair(struct params *params,
                                                       const struct param_wanted *wanted,
                                                       struct recorder_request *request,
                                                       const uint8_t *name, size_t name_bytes,
                                                       size_t value_bytes)
{
    const struct param_field *field = &wanted->target;

    if (value_bytes == 0)
        return;
    if (name_bytes != wanted->alone_bytes) {
        params_keep_of_class(params, wanted, request, name, name_bytes, value_bytes);
        return;
    }
    if (param_word(name) != wanted->head ||
        param_word(name + name_bytes - sizeof(uint64_t)) != wanted->tail ||
        !params_claim(params, wanted))
        return;
    if (value_bytes > SHORT_COPY_BYTES || value_bytes > field->cap_bytes) {
        param_keep_long(request, field, name + name_bytes, value_bytes);
        return;
    }
    *param_len(request, field) = (uint16_t) value_bytes;
    short_copy((char *) request + field->text_offset_bytes, (const char *) name + name_bytes,
               value_bytes);
}

/* All pairs that are here from end to end; where they stop. */
static const uint8_t *params_take_pairs(struct params *params, const struct param_table *table,
                                        struct recorder_request *request, const uint8_t *bytes,
                                        const uint8_t *end)
{
    for (;;) {
        const struct param_pair pair = param_take(bytes, end);
        const struct param_wanted *wanted;

        if (!pair.name)
            return bytes;
        wanted = table->first[param_class(pair.name, pair.name_bytes)];
        if (unlikely(wanted))
            params_keep_pair(params, wanted, request, pair.name, pair.name_bytes, pair.value_bytes);
        bytes = pair.name + pair.name_bytes + pair.value_bytes;
    }
}

/* What did not come from end to end: a byte of a length, or part of a name or a value.  Where to go
 * on. */
static __attribute__((noinline)) const uint8_t *
params_take_part(struct params *params, const struct param_table *table,
                 struct recorder_request *request, const uint8_t *bytes, const uint8_t *end)
{
    if (params->stage <= PARAM_VALUE_LENGTH) {
        if (params_length_byte(params, *bytes++))
            params_on_length(params);
    } else {
        uint32_t part = (size_t) (end - bytes) < params->left_bytes ? (uint32_t) (end - bytes)
                                                                    : params->left_bytes;

        params_on_bytes(params, request, bytes, part);
        bytes += part;
    }
    if (params->stage == PARAM_NAME && params->left_bytes == 0) {
        params_choose(params, table, request);
        params_enter(params, PARAM_VALUE, params->value_bytes);
    }
    if (params->stage == PARAM_VALUE && params->left_bytes == 0)
        params_enter(params, PARAM_NAME_LENGTH, 0);
    return bytes;
}

void params_feed(struct params *params, const struct param_table *table,
                 struct recorder_request *request, const uint8_t *bytes, size_t len_bytes)
{
    const uint8_t *end = bytes + len_bytes;

    while (bytes < end) {
        if (params->stage == PARAM_NAME_LENGTH && params->length_bytes == 0)
            bytes = params_take_pairs(params, table, request, bytes, end);
        if (bytes < end)
            bytes = params_take_part(params, table, request, bytes, end);
    }
}
