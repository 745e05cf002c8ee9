/* test_doctor_text.c - findings are printed worst first and cannot move the reader's cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/doctor_text.h"

static char *print(bool all, bool for_people)
{
    struct doctor_finding findings[] = {
        {.id = "a", .title = "A", .state = DOCTOR_OK},
        {.id = "b", .title = "B", .state = DOCTOR_WARN, .fix = "mend\x1b[2J"},
        {.id = "c", .title = "C", .state = DOCTOR_FAIL},
    };
    const struct doctor_report report = {
        .findings = findings,
        .count = 3,
        .states = {[DOCTOR_OK] = 1, [DOCTOR_WARN] = 1, [DOCTOR_FAIL] = 1}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    doctor_say(&findings[1], "one\ttwo");
    doctor_text_print(out, &report, all, for_people);
    fclose(out);
    return text;
}

static void test_people_see_the_worst_first_and_what_is_ok_in_one_line(void **state)
{
    char *text;

    (void) state;
    setenv("NO_COLOR", "1", 1);
    text = print(false, true);
    assert_true(strstr(text, "C (c)") < strstr(text, "B (b)"));
    assert_null(strstr(text, "A (a)"));
    assert_non_null(
        strstr(text, "3 checks: 1 fail, 1 warn, 0 skipped, 1 ok (a; --all shows them)"));
    assert_null(strchr(text, '\x1b'));
    free(text);
    text = print(true, true);
    assert_non_null(strstr(text, "A (a)"));
    free(text);
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
    struct doctor_finding finding = {.id = "a", .title = "A", .state = DOCTOR_WARN};
    const struct doctor_report report = {
        .findings = &finding, .count = 1, .states = {[DOCTOR_WARN] = 1}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void) state;
    for (int i = 0; i < 30; i++)
        doctor_fix_also(&finding, "step %d of many", i);
    doctor_say(&finding, "%s", finding.fix);
    setenv("COLUMNS", "80", 1);
    doctor_text_print(out, &report, true, true);
    unsetenv("COLUMNS");
    fclose(out);
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 80);
    assert_non_null(strstr(text, "      -> step 0 of many; step 1"));
    free(text);
}

static void test_a_pipe_gets_one_line_of_five_cells_for_each_check(void **state)
{
    char *text = print(false, false);

    (void) state;
    assert_string_equal(text,
                        "fail\tc\tC\t\t\nwarn\tb\tB\tone\\x09two\tmend\\x1b[2J\nok\ta\tA\t\t\n");
    free(text);
}

static void test_json_has_the_contracts_keys(void **state)
{
    struct doctor_host *host = doctor_host_new();
    struct doctor_report report;
    json_t *root, *check;

    (void) state;
    assert_int_equal(doctor_examine(host, &report), 0);
    root = doctor_json(&report, host);
    check = json_array_get(json_object_get(root, "checks"), 0);
    assert_string_equal(json_string_value(json_object_get(check, "id")), "fpm_running");
    assert_string_equal(json_string_value(json_object_get(check, "state")), "fail");
    assert_true(json_is_string(json_object_get(check, "title")));
    assert_true(json_is_array(json_object_get(check, "evidence")));
    assert_true(json_is_string(json_object_get(check, "fix")));
    assert_true(json_is_integer(json_object_get(json_object_get(root, "summary"), "fail")));
    json_decref(root);
    doctor_report_release(&report);
    doctor_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people_see_the_worst_first_and_what_is_ok_in_one_line),
        cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
        cmocka_unit_test(test_a_pipe_gets_one_line_of_five_cells_for_each_check),
        cmocka_unit_test(test_json_has_the_contracts_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
