/* params.c - see params.h. */
#include "request/params.h"

#include <string.h>

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
     offsetof(struct recorder_request, field), bytes},
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
};

static const struct param_wanted param_names[] = {
#define PARAM(name, field, rank) {name, sizeof(name) - 1, PARAM_FIELD_##field, rank},
#include "request/params.def"
};

/* Keeps the order of names with the same length. */
static void param_table_add(struct param_table *table, const struct param_wanted *wanted)
{
    size_t at = table->count;

    if (table->count == PARAM_WANTED_MAX || wanted->name_bytes == 0)
        return;
    for (; at > 0 && table->wanted[at - 1].name_bytes > wanted->name_bytes; at--)
        table->wanted[at] = table->wanted[at - 1];
    table->wanted[at] = *wanted;
    table->count++;
}

static void param_table_index(struct param_table *table)
{
    uint8_t at = 0;

    for (size_t len = 0; len < sizeof table->first; len++) {
        while (at < table->count && table->wanted[at].name_bytes < len)
            at++;
        table->first[len] = at;
    }
}

void param_table_init(struct param_table *table, const char *ids)
{
    uint8_t rank = 0;

    table->count = 0;
    for (size_t i = 0; i < sizeof param_names / sizeof *param_names; i++)
        param_table_add(table, &param_names[i]);
    while (*ids && rank < PARAM_IDS_MAX) {
        const char *comma = strchr(ids, ',');
        size_t len = comma ? (size_t) (comma - ids) : strlen(ids);

        if (len < PARAM_NAME_BYTES)
            param_table_add(table, &(struct param_wanted){.name = ids,
                                                          .name_bytes = (uint8_t) len,
                                                          .field = PARAM_FIELD_request_id,
                                                          .rank = rank++});
        ids += len + (comma ? 1 : 0);
    }
    param_table_index(table);
}

/* The text of `field`: where its length and its bytes are. */
static uint16_t *param_len(struct recorder_request *request, uint8_t field)
{
    return (uint16_t *) (void *) ((char *) request + param_fields[field].len_offset_bytes);
}

/* The name is complete: which fields take the value?  An empty value never replaces anything. */
static void params_choose(struct params *params, const struct param_table *table,
                          struct recorder_request *request, const void *name)
{
    params->field_count = 0;
    if (params->name_bytes > PARAM_NAME_BYTES || params->value_bytes == 0)
        return;
    for (size_t i = table->first[params->name_bytes]; i < table->first[params->name_bytes + 1];
         i++) {
        const struct param_wanted *wanted = &table->wanted[i];
        uint8_t *rank = &params->ranks[wanted->field];

        if (memcmp(wanted->name, name, params->name_bytes) != 0 ||
            (*rank > 0 && *rank - 1 <= wanted->rank) || params->field_count == 2)
            continue;
        *rank = (uint8_t) (wanted->rank + 1);
        *param_len(request, wanted->field) = 0;
        params->fields[params->field_count++] = wanted->field;
    }
}

static void params_keep(struct params *params, struct recorder_request *request,
                        const uint8_t *bytes, size_t len_bytes)
{
    for (uint8_t i = 0; i < params->field_count; i++) {
        const struct param_field *field = &param_fields[params->fields[i]];
        uint16_t *len = param_len(request, params->fields[i]);
        size_t room = (size_t) (field->cap_bytes - *len);
        size_t kept = len_bytes < room ? len_bytes : room;

        memcpy((char *) request + field->text_offset_bytes + *len, bytes, kept);
        *len = (uint16_t) (*len + kept);
        if (kept < len_bytes && params->fields[i] == PARAM_FIELD_uri)
            request->flags |= WIRE_REQUEST_URI_CUT;
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

/* The usual case, without a copy of the name: a pair with short lengths, here from end to end.  Its
 * length, or 0 when it is another case. */
static size_t params_take_pair(struct params *params, const struct param_table *table,
                               struct recorder_request *request, const uint8_t *bytes,
                               size_t len_bytes)
{
    size_t pair_bytes;

    if (len_bytes < 2 || (bytes[0] | bytes[1]) & 0x80)
        return 0;
    pair_bytes = 2 + (size_t) bytes[0] + bytes[1];
    if (pair_bytes > len_bytes)
        return 0;
    params->name_bytes = bytes[0];
    params->value_bytes = bytes[1];
    params_choose(params, table, request, bytes + 2);
    params_keep(params, request, bytes + 2 + bytes[0], bytes[1]);
    return pair_bytes;
}

void params_feed(struct params *params, const struct param_table *table,
                 struct recorder_request *request, const uint8_t *bytes, size_t len_bytes)
{
    const uint8_t *end = bytes + len_bytes;

    while (bytes < end) {
        uint32_t part;

        if (params->stage == PARAM_NAME_LENGTH && params->length_bytes == 0) {
            size_t pair_bytes =
                params_take_pair(params, table, request, bytes, (size_t) (end - bytes));

            bytes += pair_bytes;
            if (pair_bytes > 0)
                continue;
        }
        if (params->stage <= PARAM_VALUE_LENGTH) {
            if (params_length_byte(params, *bytes++))
                params_on_length(params);
        } else {
            part = (size_t) (end - bytes) < params->left_bytes ? (uint32_t) (end - bytes)
                                                               : params->left_bytes;
            params_on_bytes(params, request, bytes, part);
            bytes += part;
        }
        if (params->stage == PARAM_NAME && params->left_bytes == 0) {
            params_choose(params, table, request, params->name);
            params_enter(params, PARAM_VALUE, params->value_bytes);
        }
        if (params->stage == PARAM_VALUE && params->left_bytes == 0)
            params_enter(params, PARAM_NAME_LENGTH, 0);
    }
}
