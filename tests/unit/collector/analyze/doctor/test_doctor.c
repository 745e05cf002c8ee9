/* test_doctor.c - every check has its row, a healthy host passes all, an unknown one passes none.
 */
#include "doctor_case.h"

static void test_a_healthy_host_has_nothing_to_repair(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_report report;

    (void) state;
    assert_int_equal(doctor_examine(host, &report), 0);
    for (size_t i = 0; i < report.count; i++)
        if (report.findings[i].state >= DOCTOR_WARN)
            fail_msg("%s: %s", report.findings[i].id, report.findings[i].evidence[0]);
    assert_int_equal(report.states[DOCTOR_OK] + report.states[DOCTOR_SKIPPED], report.count);
    doctor_report_release(&report);
    doctor_host_free(host);
}

static void test_whatever_is_not_ok_says_why_and_what_is_bad_says_what_to_do(void **state)
{
    struct doctor_host *host = doctor_host_new();
    struct doctor_report report;

    (void) state;
    assert_int_equal(doctor_examine(host, &report), 0);
    for (size_t i = 0; i < report.count; i++) {
        const struct doctor_finding *finding = &report.findings[i];

        assert_true(finding->evidence_count > 0);
        assert_true(finding->state < DOCTOR_WARN || finding->fix[0] != '\0');
    }
    assert_string_equal(doctor_state_name(doctor_report_find(&report, "fpm_running")->state),
                        "fail");
    doctor_report_release(&report);
    doctor_host_free(host);
}

static void test_ids_are_unique(void **state)
{
    struct doctor_host *host = doctor_host_new();
    struct doctor_report report;

    (void) state;
    assert_int_equal(doctor_examine(host, &report), 0);
    for (size_t i = 0; i < report.count; i++)
        assert_ptr_equal(doctor_report_find(&report, report.findings[i].id), &report.findings[i]);
    doctor_report_release(&report);
    doctor_host_free(host);
}

static void test_evidence_above_its_ceiling_is_counted(void **state)
{
    struct doctor_finding finding = {0};

    (void) state;
    for (int i = 0; i < DOCTOR_EVIDENCE_MAX + 3; i++)
        doctor_say(&finding, "%d", i);
    assert_int_equal(finding.evidence_count, DOCTOR_EVIDENCE_MAX);
    assert_int_equal(finding.evidence_left_out, 3);
}

static void test_a_state_is_only_ever_raised_and_the_first_fix_stays(void **state)
{
    struct doctor_finding finding = {0};

    (void) state;
    doctor_raise(&finding, DOCTOR_FAIL, "bad");
    doctor_raise(&finding, DOCTOR_WARN, "less");
    doctor_skip(&finding, "nothing");
    assert_int_equal(finding.state, DOCTOR_FAIL);
    doctor_fix(&finding, "first");
    doctor_fix(&finding, "second");
    assert_string_equal(finding.fix, "first");
}

static void test_one_fix_for_many_places_names_them_all(void **state)
{
    struct doctor_finding finding = {0};

    (void) state;
    doctor_fix_in(&finding, "www", "timeout = %d in pool ", 70);
    doctor_fix_in(&finding, "api", "timeout = %d in pool ", 70);
    doctor_fix_in(&finding, "cron", "timeout = %d in pool ", 600);
    doctor_fix_in(&finding, "feed", "timeout = %d in pool ", 600);
    doctor_fix_also(&finding, "or wait");
    assert_string_equal(finding.fix, "timeout = 70 in pool www, api; timeout = 600 in pool cron, "
                                     "feed; or wait");
}

static void test_a_fix_that_finds_no_room_is_left_out_whole(void **state)
{
    struct doctor_finding finding = {0};
    char name[80];

    (void) state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < 2 * DOCTOR_FIX_BYTES / (int) sizeof name; i++)
        doctor_fix_in(&finding, name, "in ");
    assert_true(strlen(finding.fix) < DOCTOR_FIX_BYTES);
    assert_string_equal(finding.fix + strlen(finding.fix) - strlen(name), name);
}

static void test_amounts_are_in_the_units_of_the_guide(void **state)
{
    char buf[DOCTOR_AMOUNT_BYTES];

    (void) state;
    assert_string_equal(doctor_amount(INT64_C(63) << 20, buf, sizeof buf), "63 MB");
    assert_string_equal(doctor_amount(INT64_C(2747269120), buf, sizeof buf), "2.6 GB");
    assert_string_equal(doctor_amount(4300000, buf, sizeof buf), "4.1 MB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_healthy_host_has_nothing_to_repair),
        cmocka_unit_test(test_whatever_is_not_ok_says_why_and_what_is_bad_says_what_to_do),
        cmocka_unit_test(test_ids_are_unique),
        cmocka_unit_test(test_evidence_above_its_ceiling_is_counted),
        cmocka_unit_test(test_a_state_is_only_ever_raised_and_the_first_fix_stays),
        cmocka_unit_test(test_one_fix_for_many_places_names_them_all),
        cmocka_unit_test(test_a_fix_that_finds_no_room_is_left_out_whole),
        cmocka_unit_test(test_amounts_are_in_the_units_of_the_guide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
