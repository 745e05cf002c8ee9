/* filter.c - parse field, operator and value; compare; regular expressions by PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "cli/filter.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILTERS_MAX = 64 };

struct filter {
    char *text; /* owns what the slices point into */
    struct slice field, value;
    bool negated;
    pcre2_code *pattern; /* NULL: plain comparison */
};

struct filter_set {
    struct filter filters[FILTERS_MAX];
    size_t count;
};

/* Longer operators first. */
static const struct {
    const char *text;
    bool regex, negated;
} operators[] = {{"!=", false, true}, {"!~", true, true}, {"=", false, false}, {"~", true, false}};

struct filter_set *filter_set_new(void)
{
    return calloc(1, sizeof(struct filter_set));
}

void filter_set_free(struct filter_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        free(set->filters[i].text);
        pcre2_code_free(set->filters[i].pattern);
    }
    free(set);
}

static int compile(struct filter *filter, char message[FILTER_MESSAGE_BYTES])
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR reason[160];

    filter->pattern = pcre2_compile((PCRE2_SPTR) filter->value.ptr, filter->value.len_bytes, 0,
                                    &code, &offset, NULL);
    if (filter->pattern)
        return 0;
    pcre2_get_error_message(code, reason, sizeof reason);
    snprintf(message, FILTER_MESSAGE_BYTES, "bad regular expression '%.60s' at %zu: %s",
             filter->value.ptr, (size_t) offset, (const char *) reason);
    return -EINVAL;
}

/* Where the first operator begins: the field's name ends there. */
static int split(struct filter *filter, bool *ret_regex)
{
    size_t at = strcspn(filter->text, "!=~");

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t n = strlen(operators[i].text);

        if (at == 0 || strncmp(filter->text + at, operators[i].text, n) != 0)
            continue;
        filter->field = (struct slice){filter->text, at};
        filter->value = slice_of(filter->text + at + n);
        filter->negated = operators[i].negated;
        *ret_regex = operators[i].regex;
        return 0;
    }
    return -EINVAL;
}

int filter_add(struct filter_set *set, const char *text, struct slice *ret_field,
               char message[FILTER_MESSAGE_BYTES])
{
    bool regex = false;
    int r = 0;

    message[0] = '\0';
    if (set->count == FILTERS_MAX) {
        snprintf(message, FILTER_MESSAGE_BYTES, "more than %d filters", FILTERS_MAX);
        return -ENOSPC;
    }
    struct filter filter = {.text = strdup(text)};

    if (!filter.text)
        return -ENOMEM;
    if (split(&filter, &regex) < 0) {
        snprintf(message, FILTER_MESSAGE_BYTES,
                 "bad filter '%.100s': write field=value, field!=value, field~regex or "
                 "field!~regex",
                 text);
        r = -EINVAL;
    } else if (regex) {
        r = compile(&filter, message);
    }
    if (r < 0) {
        free(filter.text);
        return r;
    }
    *ret_field = filter.field;
    set->filters[set->count++] = filter;
    return 0;
}

static bool value_fits(const struct filter *filter, struct slice value)
{
    if (!filter->pattern)
        return slice_equal(value, filter->value);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);

    if (!match)
        return false;
    int n = pcre2_match(filter->pattern, (PCRE2_SPTR) (value.ptr ? value.ptr : ""), value.len_bytes,
                        0, 0, match, NULL);

    pcre2_match_data_free(match);
    return n >= 0;
}

/* The whole value, or one of a list. */
static bool any_fits(const struct filter *filter, struct slice value)
{
    ptrdiff_t comma;

    if (value_fits(filter, value))
        return true;
    while ((comma = slice_find(value, SLICE(", "))) >= 0) {
        if (value_fits(filter, slice_head(value, (size_t) comma)))
            return true;
        value = slice_skip(value, (size_t) comma + 2);
        if (slice_find(value, SLICE(", ")) < 0)
            return value_fits(filter, value);
    }
    return false;
}

bool filter_match(const struct filter_set *set, filter_value_fn value, void *ctx)
{
    for (size_t i = 0; i < set->count; i++)
        if (any_fits(&set->filters[i], value(ctx, set->filters[i].field)) ==
            set->filters[i].negated)
            return false;
    return true;
}
