/* test_tracker.c - when a request begins, is answered and is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi_bytes.h"
#include "fpmscope/wire.h"
#include "request/tracker.h"

static struct param_table table;
static struct recorder_request slots[2];
static struct tracker tracker;
static struct fcgi_stream in, out;

static int setup(void **state)
{
    (void) state;
    param_table_init(&table, "REQUEST_ID");
    memset(slots, 0, sizeof slots);
    tracker = (struct tracker){.params_wanted = &table};
    tracker_connect(&tracker, &slots[0]);
    in.len = out.len = 0;
    return 0;
}

static bool receive(void)
{
    bool begins = tracker_read(&tracker, in.bytes, in.len);

    in.len = 0;
    return begins;
}

static bool answer(const char *head)
{
    out.len = 0;
    fcgi_put_answer(&out, head);
    return tracker_wrote(&tracker, out.bytes, out.len);
}

static void test_a_plain_request_begins_with_its_last_params_record(void **state)
{
    (void) state;
    fcgi_put_begin(&in, 0);
    fcgi_put_param(&in, "REQUEST_URI", "/a");
    assert_false(receive());
    assert_false(tracker_in_request(&tracker));
    fcgi_put_record(&in, FCGI_PARAMS, NULL, 0, 0);
    assert_true(receive());
    assert_true(tracker_in_request(&tracker));
    assert_memory_equal(slots[0].uri, "/a", 2);
}

/* php-fpm asks for a header, then for the content that it announces. */
static void test_headers_that_come_alone_are_read(void **state)
{
    static const size_t reads[] = {8, 8, 8, 21, 8};
    size_t at = 0;

    (void) state;
    fcgi_put_begin(&in, 1);
    fcgi_put_param(&in, "REQUEST_URI", "/alone");
    in.bytes[16 + 6] = 2; /* with padding */
    fcgi_put(&in, "\0\0", 2);
    fcgi_put_record(&in, FCGI_PARAMS, NULL, 0, 0);
    assert_int_equal(in.len, 8 + 8 + 8 + 21 + 8);
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        assert_int_equal(tracker_read(&tracker, in.bytes + at, reads[i]), i == 4);
        at += reads[i];
    }
    assert_true(tracker.keep);
    assert_int_equal(slots[0].uri_len_bytes, 6);
    assert_memory_equal(slots[0].uri, "/alone", 6);
}

static void test_eight_bytes_that_are_content_are_no_header(void **state)
{
    (void) state;
    fcgi_put_begin(&in, 0);
    receive();
    fcgi_put(&in, "\x01\x04\0\x01\0\x0d\0\0", 8); /* PARAMS, 13 bytes */
    receive();
    fcgi_put(&in, "\x01\x04\x01\x02\x03\x04\x05\x06", 8); /* a pair like a header */
    receive();
    fcgi_put(&in, "\0\0\0\0\0", 5);
    receive();
    fcgi_put_record(&in, FCGI_PARAMS, NULL, 0, 0);
    assert_true(receive());
}

static void test_end_request_is_an_answer_and_not_the_end(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 0);
    receive();
    assert_true(answer("Status: 404 Not Found\r\n\r\n"));
    assert_int_equal(slots[0].status, 404);
    tracker_close(&tracker);
    assert_true(tracker_in_request(&tracker));
    assert_int_equal(slots[0].flags, 0);
    tracker_finish(&tracker, &slots[1]);
    assert_false(tracker_in_request(&tracker));
}

static void test_a_kept_request_is_over_at_the_next_read(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 1);
    receive();
    assert_int_equal(slots[0].flags, WIRE_REQUEST_KEPT);
    assert_false(tracker_over_at_read(&tracker, false)); /* reads its body */
    answer("A: b\r\n\r\n");
    assert_true(tracker_over_at_read(&tracker, false));
}

static void test_a_finished_response_alone_does_not_end_a_running_script(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 1);
    receive();
    answer("A: b\r\n\r\n");
    assert_false(tracker_over_at_read(&tracker, true)); /* fastcgi_finish_request() */
    tracker.script_ended = true;
    assert_true(tracker_over_at_read(&tracker, true));
}

static void test_a_plain_request_is_never_over_at_a_read(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 0);
    receive();
    answer("A: b\r\n\r\n");
    assert_false(tracker_over_at_read(&tracker, false));
}

static void test_unread_stdin_of_the_previous_request_belongs_to_nobody(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/first", 1);
    receive();
    answer("A: b\r\n\r\n");
    tracker_finish(&tracker, &slots[1]);
    fcgi_put_record(&in, FCGI_STDIN, "left over", 9, 7);
    fcgi_put_record(&in, FCGI_STDIN, NULL, 0, 0);
    fcgi_put_request(&in, "/second", 0);
    assert_true(receive());
    assert_int_equal(slots[1].uri_len_bytes, 7);
    assert_memory_equal(slots[1].uri, "/second", 7);
    assert_int_equal(slots[1].flags, 0);
    assert_memory_equal(slots[0].uri, "/first", 6);
}

static void test_nothing_of_the_last_request_is_left_in_the_next(void **state)
{
    (void) state;
    fcgi_put_begin(&in, 1);
    fcgi_put_param(&in, "REQUEST_URI", "/first");
    fcgi_put_param(&in, "HTTP_HOST", "secret");
    fcgi_put_record(&in, FCGI_PARAMS, NULL, 0, 0);
    receive();
    answer("Status: 500\r\n\r\n");
    tracker_finish(&tracker, &slots[0]); /* the same slot again */
    fcgi_put_request(&in, "/2", 0);
    receive();
    assert_int_equal(slots[0].host_len_bytes, 0);
    assert_int_equal(slots[0].status, 0);
    assert_int_equal(slots[0].uri_len_bytes, 2);
}

static void test_a_closed_connection_without_an_answer_is_an_abort(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 0);
    receive();
    tracker_close(&tracker);
    assert_int_equal(slots[0].flags, WIRE_REQUEST_ABORTED);
}

static void test_incomplete_params_are_no_request(void **state)
{
    (void) state;
    fcgi_put_begin(&in, 0);
    fcgi_put_param(&in, "REQUEST_URI", "/a");
    assert_false(receive());
    tracker_close(&tracker);
    assert_false(tracker_in_request(&tracker));
    tracker_connect(&tracker, &slots[0]);
    fcgi_put_request(&in, "/b", 0);
    assert_true(receive());
}

static void test_garbage_on_one_connection_does_not_reach_the_next(void **state)
{
    (void) state;
    fcgi_put(&in, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    assert_false(receive());
    tracker_close(&tracker);
    tracker_connect(&tracker, &slots[1]);
    fcgi_put_request(&in, "/b", 0);
    assert_true(receive());
}

static void test_garbage_in_the_body_marks_the_request(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 0);
    receive();
    fcgi_put(&in, "\x07garbage", 8);
    receive();
    assert_int_equal(slots[0].flags, WIRE_REQUEST_MALFORMED);
    assert_true(tracker_in_request(&tracker));
}

static void test_a_second_begin_does_not_disturb_the_request_in_flight(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 0);
    receive();
    fcgi_put_request(&in, "/intruder", 1);
    assert_false(receive());
    assert_memory_equal(slots[0].uri, "/a", 2);
    assert_int_equal(slots[0].uri_len_bytes, 2);
}

static void test_flags_are_read_when_the_begin_record_is_cut_before_them(void **state)
{
    (void) state;
    fcgi_put_request(&in, "/a", 1);
    for (size_t i = 0; i < in.len; i++)
        tracker_read(&tracker, in.bytes + i, 1);
    assert_true(tracker_in_request(&tracker));
    assert_int_equal(slots[0].flags, WIRE_REQUEST_KEPT);
}

static void test_without_a_uri_the_script_name_stands_in(void **state)
{
    (void) state;
    fcgi_put_begin(&in, 0);
    fcgi_put_param(&in, "SCRIPT_NAME", "/ping");
    fcgi_put_record(&in, FCGI_PARAMS, NULL, 0, 0);
    assert_true(receive());
    assert_memory_equal(slots[0].uri, "/ping", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_plain_request_begins_with_its_last_params_record, setup),
        cmocka_unit_test_setup(test_headers_that_come_alone_are_read, setup),
        cmocka_unit_test_setup(test_eight_bytes_that_are_content_are_no_header, setup),
        cmocka_unit_test_setup(test_end_request_is_an_answer_and_not_the_end, setup),
        cmocka_unit_test_setup(test_a_kept_request_is_over_at_the_next_read, setup),
        cmocka_unit_test_setup(test_a_finished_response_alone_does_not_end_a_running_script, setup),
        cmocka_unit_test_setup(test_a_plain_request_is_never_over_at_a_read, setup),
        cmocka_unit_test_setup(test_unread_stdin_of_the_previous_request_belongs_to_nobody, setup),
        cmocka_unit_test_setup(test_nothing_of_the_last_request_is_left_in_the_next, setup),
        cmocka_unit_test_setup(test_a_closed_connection_without_an_answer_is_an_abort, setup),
        cmocka_unit_test_setup(test_incomplete_params_are_no_request, setup),
        cmocka_unit_test_setup(test_garbage_on_one_connection_does_not_reach_the_next, setup),
        cmocka_unit_test_setup(test_garbage_in_the_body_marks_the_request, setup),
        cmocka_unit_test_setup(test_a_second_begin_does_not_disturb_the_request_in_flight, setup),
        cmocka_unit_test_setup(test_flags_are_read_when_the_begin_record_is_cut_before_them, setup),
        cmocka_unit_test_setup(test_without_a_uri_the_script_name_stands_in, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
