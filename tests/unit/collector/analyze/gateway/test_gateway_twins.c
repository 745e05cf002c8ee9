/* test_gateway_twins.c - equal requests at one moment: told apart by what differs, else ambiguous.
 */
#include "gateway_case.h"

static const struct gateway_row *row_with_client(const struct gateway_report *report,
                                                 const char *ip)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].remote_addr, slice_of(ip)))
            return &report->rows[i];
    return NULL;
}

static void test_twins_share_their_verdict_but_not_their_workers(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = TWINS_ACCESS, .error = TWINS_ERROR, .events = TWINS_EVENTS},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(report->rows[i].verdict, VERDICT_worker_crash);
        assert_int_equal(report->rows[i].join, JOIN_AMBIGUOUS);
        assert_int_equal(report->rows[i].candidates, 2);
        assert_int_equal(report->rows[i].pid_count, 2);
    }
    assert_int_equal(report->death_count, 0);
    gateway_free(gateway);
}

static void test_twins_that_died_of_different_causes_are_not_decided(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = TWINS_ACCESS,
                                       .error = TWINS_ERROR,
                                       .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7")
                                           BEG("4", "101000", "42", CART, "192.0.2.7")
                                               CRASH("4", "400000", "41", SEGV)
                                                   EXIT("4", "401000", "42", "9")},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    assert_int_equal(report->rows[1].verdict, VERDICT_unknown);
    gateway_free(gateway);
}

static void test_addresses_tell_equal_requests_apart(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", CART, "0.301", "192.0.2.7")
                                           BACK("4", "502", CART, "0.302", "192.0.2.8"),
                                       .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET)
                                           FAULT("4", RESET, CART, "192.0.2.8", PHP_SOCKET),
                                       .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.8")
                                           BEG("4", "101000", "42", CART, "192.0.2.7")
                                               CRASH("4", "400000", "41", SEGV)
                                                   CRASH("4", "401000", "42", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(row_with_client(report, "192.0.2.7")->pids[0], 42);
    assert_int_equal(row_with_client(report, "192.0.2.8")->pids[0], 41);
    assert_int_equal(row_with_client(report, "192.0.2.8")->join, JOIN_STRONG);
    gateway_free(gateway);
}

static void test_request_ids_tell_twins_apart(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case) TWINS_WITH_IDS("id-a", "id-b"), &report);

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        bool is_a = slice_equal(report->rows[i].request_id, SLICE("id-a"));

        assert_int_equal(report->rows[i].join, JOIN_EXACT);
        assert_int_equal(report->rows[i].pids[0], is_a ? 41 : 42);
    }
    gateway_free(gateway);
}

static void test_a_forged_request_id_proves_nothing(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            /* The same id again, half a minute of other work later, and on another page. */
            .access = HOP_ID("1", "502", CART, "0.301", "phpfpm", "8081", "192.0.2.7", "forged")
                HOP_ID("4", "200", "/home", "0.010", "phpfpm", "8081", "192.0.2.9", "forged"),
            .error = FAULT("1", RESET, CART, "192.0.2.7", PHP_SOCKET),
            .events = EVENTS BEG_ID("4", "000000", "43", "/home", "192.0.2.9", "forged")
                CRASH("4", "008000", "43", SEGV)},
        &report);

    (void) state;
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].uri, SLICE(CART)))
            assert_int_equal(report->rows[i].pid_count, 0);
    gateway_free(gateway);
}

static void test_a_repeated_request_id_is_ambiguous(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case) TWINS_WITH_IDS("same", "same"), &report);

    (void) state;
    assert_int_equal(report->rows[0].join, JOIN_AMBIGUOUS);
    assert_int_equal(report->rows[0].candidates, 2);
    gateway_free(gateway);
}

/* One worker crashed in the second of a reload that cut off another, equal request. */
static void test_a_crash_beside_a_restart_is_not_given_to_both(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = TWINS_ACCESS,
            .error = TWINS_ERROR,
            .fpm = FPM("3", "NOTICE: fpm is running, pid 900")
                FPM("4", "WARNING: [pool www] child 41 exited on signal 11 (SIGSEGV) after 2.0 "
                         "seconds from start") FPM("4", "NOTICE: Reloading in progress ...")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    assert_int_equal(report->rows[1].verdict, VERDICT_unknown);
    gateway_free(gateway);
}

/* Three equal pages went out well, one of them by a cache after its worker had crashed. */
static void test_one_masked_crash_makes_one_row_of_many_equal_pages(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "200", CART, "0.105", "192.0.2.7")
                                           BACK("4", "200", CART, "0.105", "192.0.2.7")
                                               BACK("4", "200", CART, "0.106", "192.0.2.7"),
                                       .events = EVENTS BEG("4", "300000", "41", CART, "192.0.2.7")
                                           CRASH("4", "402000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].candidates, 3);
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twins_share_their_verdict_but_not_their_workers),
        cmocka_unit_test(test_twins_that_died_of_different_causes_are_not_decided),
        cmocka_unit_test(test_addresses_tell_equal_requests_apart),
        cmocka_unit_test(test_request_ids_tell_twins_apart),
        cmocka_unit_test(test_a_forged_request_id_proves_nothing),
        cmocka_unit_test(test_a_repeated_request_id_is_ambiguous),
        cmocka_unit_test(test_a_crash_beside_a_restart_is_not_given_to_both),
        cmocka_unit_test(test_one_masked_crash_makes_one_row_of_many_equal_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
