/* test_event_write.c - events become lines that read back as the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "model/event_parse.h"
#include "model/event_write.h"

#define HAS(field) (UINT64_C(1) << EVENT_HAS_##field)

static char line[EVENT_LINE_MAX_BYTES];

static struct slice formatted(const struct event *event)
{
    size_t len_bytes = 0;

    assert_int_equal(event_format(event, sizeof line, line, &len_bytes), 0);
    return (struct slice){.ptr = line, .len_bytes = len_bytes};
}

static void assert_line(const struct event *event, const char *expected)
{
    const struct slice actual = formatted(event);

    assert_int_equal(actual.len_bytes, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len_bytes);
}

static void test_lines_of_every_shape_survive_a_round_trip_byte_for_byte(void **state)
{
    static const char *const lines[] = {
        "{\"e\":\"hdr\",\"v\":1,\"trace\":\"p01\",\"interval\":65536,\"workers\":6,\"max_"
        "requests\":500,\"routes\":20}\n",
        "{\"e\":\"req\",\"ts\":4300,\"pid\":3508,\"seq\":1,\"uri\":\"/api/"
        "user\",\"dur\":20000,\"st\":200,\"l0\":-1,\"l1\":0}\n",
        "{\"e\":\"stk\",\"id\":2,\"mod\":\"icu\",\"nat\":[\"icu_locale_load\",\"ures_open\"],"
        "\"php\":[]}\n",
        "{\"e\":\"fre\",\"pid\":1202,\"seq\":230,\"id\":164,\"re\":0}\n",
        "{\"e\":\"kill\",\"ts\":1,\"pid\":32580,\"sig\":15,\"master\":true,\"target\":32584}\n",
        "{\"e\":\"exit\",\"ts\":1,\"pid\":32583,\"sig\":9,\"core\":false,\"master\":32580}\n",
        "{\"e\":\"crash\",\"pid\":1,\"addr\":\"(nil)\",\"ip\":\"0x7f00deadbeef\"}\n",
        "{\"e\":\"mark\",\"name\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\xc3\xa9\"}\n",
        "{\"e\":\"mark\",\"name\":"
        "\"\\u009b\\u202a\\u202e\\u2066\\u2069\\u2028\xc2\xa0\xe2\x80\xa6\"}\n",
    };
    struct event_parser *parser = event_parser_new();

    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct event event;

        assert_int_equal(event_parse(parser, slice_of(lines[i]), &event), 0);
        assert_line(&event, lines[i]);
    }
    event_parser_free(parser);
}

static void test_bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    const struct event event = {
        .kind = EVENT_mark,
        .has = HAS(name),
        .name = SLICE("a\xff\xc0\xaf\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82"),
    };

    (void) state;
#define FFFD "\xef\xbf\xbd"
    assert_line(&event, "{\"e\":\"mark\",\"name\":\"a" FFFD FFFD FFFD FFFD FFFD FFFD
                        "\xf0\x9f\x98\x80" FFFD FFFD "\"}\n");
}

static void test_a_line_that_does_not_fit_is_refused_whole(void **state)
{
    const struct event event = {.kind = EVENT_mark, .has = HAS(name), .name = SLICE("release")};
    size_t len_bytes = 77;

    (void) state;
    for (size_t capacity = 0; capacity < sizeof "{\"e\":\"mark\",\"name\":\"release\"}\n" - 1;
         capacity++)
        assert_int_equal(event_format(&event, capacity, line, &len_bytes), -EMSGSIZE);
    assert_int_equal(len_bytes, 77);
}

static void test_a_kind_that_does_not_exist_is_refused(void **state)
{
    const struct event event = {.kind = EVENT_KIND_COUNT};
    size_t len_bytes;

    (void) state;
    assert_int_equal(event_format(&event, sizeof line, line, &len_bytes), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_every_shape_survive_a_round_trip_byte_for_byte),
        cmocka_unit_test(test_bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(test_a_line_that_does_not_fit_is_refused_whole),
        cmocka_unit_test(test_a_kind_that_does_not_exist_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
