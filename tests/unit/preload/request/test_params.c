/* test_params.c - which parameters end up where, and that nothing overflows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fpmscope/wire.h"
#include "fcgi_bytes.h"
#include "request/params.h"

static struct param_table table;
static struct recorder_request request;
static struct params params;

static int setup(void **state)
{
    (void) state;
    param_table_init(&table, "REQUEST_ID,HTTP_X_REQUEST_ID,UNIQUE_ID");
    memset(&request, 0, sizeof request);
    memset(&params, 0, sizeof params);
    return 0;
}

static void feed(const char *name, const char *value)
{
    uint8_t pair[8192];

    params_feed(&params, &table, &request, pair, fcgi_pair(pair, name, value));
}

#define assert_text(field, expected)                                                               \
    do {                                                                                           \
        assert_int_equal(request.field##_len_bytes, strlen(expected));                             \
        assert_memory_equal(request.field, expected, strlen(expected));                            \
    } while (0)

static void test_wanted_values_are_kept_and_others_skipped(void **state)
{
    (void) state;
    feed("QUERY_STRING", "secret=1");
    feed("REQUEST_METHOD", "POST");
    feed("HTTP_COOKIE", "REQUEST_URI/x");
    feed("REQUEST_URI", "/a?b");
    feed("", "nameless");
    feed("REQUEST_URIX", "/no");
    feed("REQUEST_UR", "/no");
    feed("HTTP_HOST", "shop");
    assert_text(method, "POST");
    assert_text(uri, "/a?b");
    assert_text(host, "shop");
    assert_text(document_uri, "");
}

static void test_the_better_name_wins_in_either_order(void **state)
{
    (void) state;
    feed("SCRIPT_NAME", "/index.php");
    feed("DOCUMENT_URI", "/doc");
    assert_text(document_uri, "/doc");
    feed("SCRIPT_NAME", "/later");
    assert_text(document_uri, "/doc");
}

static void test_request_ids_follow_the_configured_order(void **state)
{
    (void) state;
    feed("UNIQUE_ID", "third");
    assert_text(request_id, "third");
    feed("HTTP_X_REQUEST_ID", "second");
    assert_text(request_id, "second");
    feed("REQUEST_ID", "first");
    feed("UNIQUE_ID", "again");
    assert_text(request_id, "first");
    assert_text(x_request_id, "second");
}

static void test_an_empty_value_replaces_nothing(void **state)
{
    (void) state;
    feed("UNIQUE_ID", "third");
    feed("REQUEST_ID", "");
    assert_text(request_id, "third");
}

static void test_a_long_uri_is_cut_and_marked(void **state)
{
    char uri[5001];

    (void) state;
    memset(uri, 'u', sizeof uri - 1);
    uri[sizeof uri - 1] = '\0';
    feed("REQUEST_URI", uri);
    assert_int_equal(request.uri_len_bytes, LIMIT_URI_BYTES);
    assert_int_equal(request.flags, WIRE_REQUEST_URI_CUT);
    assert_int_equal(request.document_uri_len_bytes, 0); /* its neighbour in memory */
    feed("REQUEST_METHOD", "GET");
    assert_text(method, "GET");
}

static void test_other_long_values_are_cut_without_a_mark(void **state)
{
    char agent[2000];

    (void) state;
    memset(agent, 'a', sizeof agent - 1);
    agent[sizeof agent - 1] = '\0';
    feed("HTTP_USER_AGENT", agent);
    assert_int_equal(request.user_agent_len_bytes, LIMIT_TEXT_BYTES);
    assert_int_equal(request.flags, 0);
}

static void test_values_of_every_length_are_kept_as_far_as_there_is_room(void **state)
{
    char value[64] = "";

    for (size_t len = 1; len < sizeof value; len++) {
        const size_t kept = len < sizeof request.port ? len : sizeof request.port;

        value[len - 1] = (char) ('A' + len % 60);
        setup(state);
        memset(request.port, '?', sizeof request.port);
        feed("HTTP_HOST", value);
        feed("SERVER_PORT", value);
        assert_text(host, value);
        assert_int_equal(request.port_len_bytes, kept);
        assert_memory_equal(request.port, value, kept);
        for (size_t i = kept; i < sizeof request.port; i++)
            assert_int_equal(request.port[i], '?');
    }
}

static void test_pairs_may_be_cut_at_any_byte(void **state)
{
    uint8_t bytes[1024];
    size_t len = fcgi_pair(bytes, "REQUEST_URI", "/split/here");

    (void) state;
    len += fcgi_pair(bytes + len, "HTTP_HOST", "h");
    for (size_t cut = 0; cut <= len; cut++) {
        setup(NULL);
        params_feed(&params, &table, &request, bytes, cut);
        params_feed(&params, &table, &request, bytes + cut, len - cut);
        assert_text(uri, "/split/here");
        assert_text(host, "h");
    }
}

static void test_huge_lengths_skip_and_do_not_wrap(void **state)
{
    const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x', 'y', 'z'};

    (void) state;
    params_feed(&params, &table, &request, huge, sizeof huge);
    feed("REQUEST_URI", "/inside the huge name");
    assert_text(uri, "");
}

static void test_a_list_of_ids_with_odd_entries_is_read(void **state)
{
    char long_name[200];

    (void) state;
    memset(long_name, 'n', sizeof long_name);
    long_name[0] = ',';
    long_name[sizeof long_name - 1] = '\0';
    param_table_init(&table, long_name);
    param_table_init(&table, "A,,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z");
    assert_true(table.count <= PARAM_WANTED_MAX);
    feed("B", "b");
    assert_text(request_id, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_wanted_values_are_kept_and_others_skipped, setup),
        cmocka_unit_test_setup(test_the_better_name_wins_in_either_order, setup),
        cmocka_unit_test_setup(test_request_ids_follow_the_configured_order, setup),
        cmocka_unit_test_setup(test_an_empty_value_replaces_nothing, setup),
        cmocka_unit_test_setup(test_a_long_uri_is_cut_and_marked, setup),
        cmocka_unit_test_setup(test_other_long_values_are_cut_without_a_mark, setup),
        cmocka_unit_test_setup(test_values_of_every_length_are_kept_as_far_as_there_is_room, setup),
        cmocka_unit_test_setup(test_pairs_may_be_cut_at_any_byte, setup),
        cmocka_unit_test_setup(test_huge_lengths_skip_and_do_not_wrap, setup),
        cmocka_unit_test_setup(test_a_list_of_ids_with_odd_entries_is_read, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
