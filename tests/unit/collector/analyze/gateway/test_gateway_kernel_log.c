/* test_gateway_kernel_log.c - what a SIGKILL's row says while the kernel has said nothing. */
#include "gateway_case.h"

#define URI "/a/?b=1"
#define IP  "192.0.2.7"

struct place {
    const char *path;
    bool is_readable;
};

/* The row of a request whose worker was killed, where the kernel's log was looked for there. */
static struct gateway *run(const struct place *places, const struct gateway_row **ret_row)
{
    const struct gateway_case texts = {.access = BACK("4", "502", URI, "0.120", IP),
                                       .error = FAULT("4", RESET, URI, IP, PHP_SOCKET),
                                       .events = EVENTS BEG("4", "000000", "41", URI, IP)
                                           EXIT("4", "119000", "41", "9")};
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_report *report;

    assert_non_null(gateway);
    case_feed(gateway, &texts);
    for (; places && places->path; places++)
        gateway_note_kernel_log(gateway, slice_of(places->path), places->is_readable);
    report = gateway_finish(gateway);
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_killed);
    *ret_row = &report->rows[0];
    return gateway;
}

static bool has_evidence(const struct gateway_row *row, const char *text)
{
    bool found = false;

    for (int i = 0; i < row->evidence_count; i++)
        found |= slice_find(row->evidence[i], slice_of(text)) >= 0;
    return found;
}

static void test_without_the_kernels_log_it_is_asked_for(void **state)
{
    const struct gateway_row *row;
    struct gateway *gateway = run(NULL, &row);

    (void) state;
    assert_true(slice_find(row->sentence, SLICE("cannot be said without the kernel's log")) > 0);
    assert_true(slice_find(row->advice, SLICE("give the kernel's log")) == 0);
    assert_true(has_evidence(row, "no kernel log was given"));
    gateway_free(gateway);
}

static void test_a_log_that_is_read_and_silent_is_not_asked_for(void **state)
{
    static const struct place journal[] = {{"/var/log/syslog", false}, {"the journal", true}, {0}};
    const struct gateway_row *row;
    struct gateway *gateway = run(journal, &row);

    (void) state;
    assert_true(slice_find(row->sentence, SLICE("the kernel's log, which is read from the journal, "
                                                "has told of no OOM kill")) > 0);
    assert_true(slice_find(row->advice, SLICE("give")) < 0);
    assert_true(slice_find(row->advice, SLICE("kernel's words reach the journal")) > 0);
    assert_false(has_evidence(row, "no kernel log was"));
    gateway_free(gateway);
}

static void test_a_log_that_was_not_readable_is_named(void **state)
{
    static const struct place journal[] = {{"the journal", false}, {0}};
    const struct gateway_row *row;
    struct gateway *gateway = run(journal, &row);

    (void) state;
    assert_true(slice_find(row->sentence, SLICE("(the journal) was not readable")) > 0);
    assert_true(slice_find(row->advice, SLICE("let fpmscope read the journal")) == 0);
    assert_true(has_evidence(row, "no kernel log was readable"));
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_the_kernels_log_it_is_asked_for),
        cmocka_unit_test(test_a_log_that_is_read_and_silent_is_not_asked_for),
        cmocka_unit_test(test_a_log_that_was_not_readable_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
