/* log_fixture.h - a parser's context for tests, and assertions about slices. */
#ifndef FPMSCOPE_TESTS_LOG_FIXTURE_H
#define FPMSCOPE_TESTS_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logs/access_draft.h"
#include "logs/log_context.h"
#include "logs/log_time.h"
#include "logs/parsers.h"

enum { LOG_FIXTURE_SCRATCH_BYTES = 1 << 18 };

/* 2026-11-22 12:00:00 UTC */
#define LOG_FIXTURE_NOW_US 1795348800000000LL

struct log_fixture {
    struct log_context context;
    struct log_scratch scratch;
    struct access_names names;
    char room[LOG_FIXTURE_SCRATCH_BYTES];
    char *copy; /* of the text that was parsed last */
    struct log_event event;
};

/* A fixture on the heap, so that a sanitizer sees what is read behind it; UTC where no zone is. */
static inline struct log_fixture *log_fixture_new(void)
{
    struct log_fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    access_names_init(&fixture->names);
    fixture->scratch =
        (struct log_scratch){.ptr = fixture->room, .size_bytes = sizeof fixture->room};
    fixture->context = (struct log_context){
        .reference_us = LOG_FIXTURE_NOW_US,
        .scratch = &fixture->scratch,
        .names = &fixture->names,
    };
    return fixture;
}

static inline void log_fixture_free(struct log_fixture *fixture)
{
    free(fixture->copy);
    free(fixture);
}

/* Parse a copy of `text` that ends where its block of memory ends; it lives until the next one. */
static inline bool log_fixture_parse(struct log_fixture *fixture, log_parse_fn parse,
                                     const char *text)
{
    size_t len_bytes = strlen(text);

    free(fixture->copy);
    fixture->copy = malloc(len_bytes ? len_bytes : 1);
    assert_non_null(fixture->copy);
    memcpy(fixture->copy, text, len_bytes);
    fixture->scratch.used_bytes = 0;
    return parse((struct slice){.ptr = fixture->copy, .len_bytes = len_bytes}, &fixture->context,
                 &fixture->event);
}

/* Setup and teardown for cmocka_unit_test_setup_teardown. */
static inline int log_fixture_setup(void **state)
{
    *state = log_fixture_new();
    return 0;
}

static inline int log_fixture_teardown(void **state)
{
    log_fixture_free(*state);
    return 0;
}

#define log_test(function)                                                                         \
    cmocka_unit_test_setup_teardown(function, log_fixture_setup, log_fixture_teardown)

#define assert_slice(actual, text)                                                                 \
    do {                                                                                           \
        const struct slice slice_ = (actual);                                                      \
        assert_int_equal(slice_.len_bytes, strlen(text));                                          \
        if (slice_.len_bytes > 0)                                                                  \
            assert_memory_equal(slice_.ptr, text, slice_.len_bytes);                               \
    } while (0)

#endif
