/* test_gateway_restarts.c - which restart cut off which request, when restarts come close together.
 */
#include "gateway_case.h"

#define IP "192.0.2.7"
#define KILL_ALL(s, us, pid)                                                                       \
    KILL(s, us "00", pid, "3") KILL(s, us "20", pid, "15") EXIT(s, us "90", pid, "15")
#define STOP_ALL(s, us, pid)                                                                       \
    KILL(s, us "00", pid, "15") KILL(s, us "20", pid, "9") EXIT(s, us "90", pid, "15")

static const struct gateway_row *row_of(const struct gateway_report *report, const char *uri)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].uri, slice_of(uri)))
            return &report->rows[i];
    fail_msg("no row of %s", uri);
    return NULL;
}

static void expect_reason(const struct gateway_report *report, const char *uri,
                          enum gateway_reason reason)
{
    const struct gateway_row *row = row_of(report, uri);

    assert_int_equal(row->verdict, VERDICT_pool_restart);
    assert_int_equal(row->reason, reason);
    assert_true(row->innocent);
}

#define CUT(s, uri)       BACK(s, "502", uri, "0.101", IP)
#define CUT_ERROR(s, uri) FAULT(s, RESET, uri, IP, PHP_SOCKET)

/* A reload, an emergency restart, a reload that waited, a stop: all within two seconds. */
static void test_each_of_four_restarts_in_a_row_keeps_its_own_reason(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = CUT("3", "/a") CUT("3", "/crash") CUT("3", "/b") CUT("4", "/c"),
            .error = CUT_ERROR("3", "/a") CUT_ERROR("3", "/crash") CUT_ERROR("3", "/b")
                CUT_ERROR("4", "/c"),
            .fpm = FPM("3", "NOTICE: Reloading in progress ...")
                FPM("3", "NOTICE: reloading: execvp(\"php-fpm\", {\"php-fpm\"})")
                    FPM("3", "WARNING: [pool www] child 42 exited on signal 11 (SIGSEGV) after "
                             "0.3 seconds from start")
                        FPM("3", "WARNING: failed processes threshold (1 in 60 sec) is reached, "
                                 "initiating reload")
                            FPM("3", "NOTICE: reloading: execvp(\"php-fpm\", {\"php-fpm\"})")
                                FPM("4", "NOTICE: Reloading in progress ...")
                                    FPM("4", "NOTICE: reloading: execvp(\"php-fpm\", "
                                             "{\"php-fpm\"})") FPM("4", "NOTICE: Terminating ...")
                                        FPM("4", "NOTICE: exiting, bye-bye!"),
            .events = EVENTS BEG("3", "000000", "41", "/a", IP) KILL_ALL("3", "1000", "41")
                MASTER("3", "110000", "900") BEG("3", "300000", "42", "/crash", IP)
                    CRASH("3", "400000", "42", SEGV) BEG("3", "410000", "43", "/b", IP)
                        EXIT("3", "420000", "42", "11") KILL_ALL("3", "5100", "43")
                            MASTER("3", "600000", "900") MASTER("4", "400000", "900")
                                BEG("4", "800000", "44", "/c", IP) STOP_ALL("4", "9000", "44")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 4);
    expect_reason(report, "/a", REASON_RELOAD);
    expect_reason(report, "/b", REASON_EMERGENCY_RESTART);
    expect_reason(report, "/c", REASON_RESTART);
    assert_int_equal(row_of(report, "/crash")->verdict, VERDICT_worker_crash);
    gateway_free(gateway);
}

/* The master is slow: half a second between its signals to the first and to the last worker. */
static void test_signals_far_apart_are_one_reload_until_the_master_is_back(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = CUT("3", "/a") CUT("3", "/b"),
                              .error = CUT_ERROR("3", "/a") CUT_ERROR("3", "/b"),
                              .events = EVENTS BEG("3", "000000", "41", "/a", IP)
                                  BEG("3", "000000", "42", "/b", IP) KILL_ALL("3", "1000", "41")
                                      KILL_ALL("3", "6000", "42") MASTER("3", "900000", "900")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    expect_reason(report, "/a", REASON_RELOAD);
    expect_reason(report, "/b", REASON_RELOAD);
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_of_four_restarts_in_a_row_keeps_its_own_reason),
        cmocka_unit_test(test_signals_far_apart_are_one_reload_until_the_master_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
