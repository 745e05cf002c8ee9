/* test_varnish.c - varnishlog, varnishncsa and varnishd. */
#include "log_fixture.h"

#include "logs/records.h"

#define BEREQ                                                                                      \
    "**  << BeReq    >> 32775     \n"                                                              \
    "--  Begin          bereq 32774 pass\n"                                                        \
    "--  Timestamp      Start: 1795326734.524334 0.000000 0.000000\n"                              \
    "--  BereqMethod    GET\n"                                                                     \
    "--  BereqURL       /dames/jassen.html?p=7\n"                                                  \
    "--  BereqHeader    Host: www.shop.nl\n"                                                       \
    "--  BereqHeader    x-request-id: 030a8c\n"                                                    \
    "--  BereqHeader    X-Forwarded-For: 84.241.200.12, 127.0.0.1\n"                               \
    "--  BackendOpen    20 default 127.0.0.1 23081 127.0.0.1 42826 reuse\n"                        \
    "--  FetchError     overflow\n"                                                                \
    "--  BackendClose   20 default close Received buffer overflow\n"                               \
    "--  Timestamp      Error: 1795326734.618512 0.094177 0.000002\n"                              \
    "--  BerespStatus   503\n"                                                                     \
    "--  End            "

static void test_a_backend_transaction_says_why_it_failed(void **state)
{
    struct log_fixture *fixture = *state;
    const struct log_varnish *varnish = &fixture->event.varnish;

    assert_true(log_fixture_parse(fixture, varnishlog_parse, BEREQ));
    assert_int_equal(fixture->event.kind, LOG_VARNISH);
    assert_true(varnish->backend);
    assert_int_equal(varnish->vxid, 32775);
    assert_int_equal(varnish->parent_vxid, 32774);
    assert_slice(varnish->method, "GET");
    assert_slice(varnish->uri, "/dames/jassen.html?p=7");
    assert_slice(varnish->host, "www.shop.nl");
    assert_slice(varnish->request_id, "030a8c");
    assert_slice(varnish->client, "84.241.200.12");
    assert_slice(varnish->fetch_error, "overflow");
    assert_slice(varnish->backend_name, "default");
    assert_slice(varnish->received, "Received buffer overflow");
    assert_int_equal(varnish->status, 503);
    assert_int_equal(varnish->start_us, 1795326734524334);
    assert_int_equal(fixture->event.time_us, 1795326734618512);
    assert_int_equal(varnish->duration_us, 94178);
}

static void test_a_client_transaction_keeps_what_came_in_before_vcl(void **state)
{
    struct log_fixture *fixture = *state;
    const struct log_varnish *varnish = &fixture->event.varnish;

    assert_true(log_fixture_parse(fixture, varnishlog_parse,
                                  "*   << Request  >> 3\n-   ReqStart       10.0.0.9 52698 a0\n"
                                  "-   ReqURL         /a\n-   ReqURL         /b\n"
                                  "-   VCL_call       HIT\n-   RespStatus     200\n"
                                  "-   RespStatus     503\n"));
    assert_false(varnish->backend);
    assert_slice(varnish->uri, "/a");
    assert_slice(varnish->client, "10.0.0.9");
    assert_true(varnish->hit);
    assert_false(varnish->passed);
    assert_int_equal(varnish->status, 503);
    assert_int_equal(fixture->event.time_us, -1);
}

static void test_a_transaction_is_whole_with_its_end(void **state)
{
    struct slice record = SLICE(BEREQ);

    (void) state;
    assert_true(varnishlog_starts(record));
    assert_true(varnishlog_starts(SLICE("*** << Request  >> 3")));
    assert_false(varnishlog_starts(SLICE("* x")));
    assert_false(varnishlog_starts(SLICE("-   End")));
    assert_true(varnishlog_complete(record));
    assert_false(varnishlog_complete(slice_head(record, record.len_bytes - 20)));
}

static void test_a_transaction_that_is_cut_anywhere_is_no_crash(void **state)
{
    char record[] = BEREQ;

    for (size_t n = sizeof record - 1; n-- > 0;) {
        record[n] = '\0';
        (void) log_fixture_parse(*state, varnishlog_parse, record);
    }
    assert_false(log_fixture_parse(*state, varnishlog_parse, ""));
}

static void test_ncsa_columns_are_read_for_both_sides(void **state)
{
    struct log_fixture *fixture = *state;
    const struct log_varnish *varnish = &fixture->event.varnish;

    assert_true(
        log_fixture_parse(fixture, varnishncsa_parse,
                          "2026-11-22T05:38:43+0000 b GET \"/a?p=2\" 503 12866 66497 d945 hit=- "
                          "handling=- vxid=32771"));
    assert_int_equal(fixture->event.kind, LOG_NCSA);
    assert_true(varnish->backend);
    assert_slice(varnish->uri, "/a?p=2");
    assert_int_equal(varnish->status, 503);
    assert_int_equal(varnish->body_bytes, 12866);
    assert_int_equal(varnish->duration_us, 66497);
    assert_slice(varnish->request_id, "d945");
    assert_int_equal(varnish->vxid, 32771);
    assert_int_equal(fixture->event.time_us, 1795325923000000);
    assert_true(log_fixture_parse(
        fixture, varnishncsa_parse,
        "2026-11-22T05:50:28+0000 c GET \"/\" - - 0 - hit=hit handling=hit vxid=3"));
    assert_false(varnish->backend);
    assert_true(varnish->hit);
    assert_int_equal(varnish->status, -1);
    assert_int_equal(varnish->body_bytes, -1);
    assert_slice(varnish->request_id, "");
}

static void test_default_ncsa_is_told_from_an_access_log_by_its_url(void **state)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(
        fixture, varnishncsa_parse,
        "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET http://shop.nl/a HTTP/1.1\" "
        "503 278 \"-\" \"curl\""));
    assert_int_equal(fixture->event.kind, LOG_NCSA);
    assert_slice(fixture->event.varnish.host, "shop.nl");
    assert_slice(fixture->event.varnish.uri, "/a");
    assert_int_equal(fixture->event.varnish.status, 503);
    assert_false(
        log_fixture_parse(fixture, varnishncsa_parse,
                          "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET /a HTTP/1.1\" 503 278 "
                          "\"http://shop.nl/\" \"curl\""));
}

static void test_a_panic_gives_pid_signal_time_and_reason(void **state)
{
    static const char record[] =
        "Error: Child (9902) died signal=6\n"
        "Error: Child (9902) Panic at: Sun, 22 Nov 2026 05:50:28 GMT\n"
        "Assert error in VBO_GetBusyObj(), cache/cache_busyobj.c line 124:\n"
        "  Condition(p < bo->end) not true.\n"
        "version = varnish-7.1.1 revision 7cee";
    struct log_fixture *fixture = *state;

    assert_true(varnishd_starts(slice_of(record))); /* whole, as the store gives it back */
    assert_true(varnishd_complete(slice_of(record)));
    assert_false(varnishd_complete(slice_head(slice_of(record), 120)));
    assert_true(log_fixture_parse(fixture, varnishd_parse, record));
    assert_int_equal(fixture->event.varnishd.what, VARNISHD_PANIC);
    assert_int_equal(fixture->event.varnishd.pid, 9902);
    assert_int_equal(fixture->event.varnishd.signo, 6);
    assert_int_equal(fixture->event.time_us, 1795326628000000);
    assert_slice(fixture->event.varnishd.message,
                 "Assert error in VBO_GetBusyObj(), cache/cache_busyobj.c line 124:\n"
                 "  Condition(p < bo->end) not true.");
}

static void test_a_death_without_panic_has_no_time(void **state)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, varnishd_parse, "Error: Child (77) died signal=9"));
    assert_int_equal(fixture->event.varnishd.what, VARNISHD_CHILD_DIED);
    assert_int_equal(fixture->event.varnishd.signo, 9);
    assert_int_equal(fixture->event.time_us, -1);
    assert_true(log_fixture_parse(fixture, varnishd_parse, "Debug: Child (14463) Started"));
    assert_int_equal(fixture->event.varnishd.what, VARNISHD_CHILD_STARTED);
    assert_true(log_fixture_parse(fixture, varnishd_parse, "Error: Manager got SIGTERM"));
    assert_int_equal(fixture->event.varnishd.what, VARNISHD_STOPPED);
    assert_false(log_fixture_parse(fixture, varnishd_parse, "Children are nice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_backend_transaction_says_why_it_failed),
        log_test(test_a_client_transaction_keeps_what_came_in_before_vcl),
        log_test(test_a_transaction_is_whole_with_its_end),
        log_test(test_a_transaction_that_is_cut_anywhere_is_no_crash),
        log_test(test_ncsa_columns_are_read_for_both_sides),
        log_test(test_default_ncsa_is_told_from_an_access_log_by_its_url),
        log_test(test_a_panic_gives_pid_signal_time_and_reason),
        log_test(test_a_death_without_panic_has_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
