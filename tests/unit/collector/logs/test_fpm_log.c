/* test_fpm_log.c - php-fpm's own log. */
#include "log_fixture.h"

#define AT "[22-Nov-2026 05:38:44] "

static const struct log_fpm *parse(void **state, const char *line)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, fpm_log_parse, line));
    return &fixture->event.fpm;
}

static void test_a_child_that_died_gives_pid_signal_and_age(void **state)
{
    const struct log_fpm *fpm =
        parse(state, AT "WARNING: [pool www] child 14490 exited on signal 11 "
                        "(SIGSEGV) after 2.099902 seconds from start");

    assert_int_equal(fpm->what, FPM_CHILD_SIGNAL);
    assert_slice(fpm->level, "WARNING");
    assert_slice(fpm->pool, "www");
    assert_int_equal(fpm->pid, 14490);
    assert_int_equal(fpm->signo, 11);
    assert_int_equal(fpm->age_us, 2099902);
    assert_false(fpm->core);
    assert_int_equal(fpm->code, -1);
    assert_int_equal(((struct log_fixture *) *state)->event.time_us, 1795325924000000);
}

static void test_a_core_dump_is_seen(void **state)
{
    const struct log_fpm *fpm =
        parse(state, AT "WARNING: [pool www] child 2663814 exited on signal 11 "
                        "(SIGSEGV - core dumped) after 1109.895754 seconds from start");

    assert_int_equal(fpm->what, FPM_CHILD_SIGNAL);
    assert_true(fpm->core);
    assert_int_equal(fpm->age_us, 1109895754);
}

static void test_a_timeout_gives_script_and_request_even_a_hostile_one(void **state)
{
    const struct log_fpm *fpm = parse(
        state,
        AT "WARNING: [pool www] child 15378, script '/data/it's/index.php' (request: "
           "\"GET /index.php?x=\") execution\") execution timed out (3.359630 sec), terminating");

    assert_int_equal(fpm->what, FPM_TIMEOUT);
    assert_slice(fpm->script, "/data/it's/index.php");
    assert_slice(fpm->request, "GET /index.php?x=\") execution");
    assert_int_equal(fpm->age_us, 3359630);
}

static void test_every_message_is_known(void **state)
{
    static const struct {
        const char *line;
        enum log_fpm_what what;
        int64_t pid;
    } cases[] = {
        {AT "NOTICE: [pool www] child 14503 started", FPM_STARTED, 14503},
        {AT "NOTICE: [pool www] child 5 exited with code 0 after 1.5 seconds from start",
         FPM_CHILD_EXIT, 5},
        {AT "WARNING: [pool a b] child 6, script '/x' (request: \"GET /x\") executing too slow "
            "(2.026532 sec), logging",
         FPM_SLOW, 6},
        {AT "NOTICE: fpm is running, pid 14487", FPM_RUNNING, 14487},
        {AT "NOTICE: ready to handle connections", FPM_READY, -1},
        {AT "NOTICE: Reloading in progress ...", FPM_RELOADING, -1},
        {AT "NOTICE: reloading: execvp(\"php-fpm8.2\", {\"php-fpm8.2\"})", FPM_REEXEC, -1},
        {AT "NOTICE: Terminating ...", FPM_TERMINATING, -1},
        {AT "NOTICE: Finishing ...", FPM_FINISHING, -1},
        {AT "NOTICE: exiting, bye-bye!", FPM_BYE, -1},
        {AT "NOTICE: child 7 stopped for tracing", FPM_STOPPED_TRACE, 7},
        {AT "NOTICE: about to trace 8", FPM_STOPPED_TRACE, 8},
        {AT "NOTICE: finished trace of 9", FPM_STOPPED_TRACE, 9},
        {AT "WARNING: [pool www] child 9 said into stderr: \"child 1 exited on signal 9\"",
         FPM_STDERR, 9},
        {AT "NOTICE: systemd monitor interval set to 10000ms", FPM_OTHER, -1},
        {AT "ERROR: unable to bind listening socket for address '/run/x'", FPM_OTHER, -1},
        {"[22-Nov-2026 05:44:20.283753] DEBUG: pid 27224, fpm_pctl_kill_all(), line 81: [pool www] "
         "sending signal 15 SIGTERM to child 27232",
         FPM_KILLING, 27232},
        {"[22-Nov-2026 05:44:20.283753] WARNING: pid 27224, fpm_children_bury(), line 2: [pool "
         "www] "
         "child 4 exited on signal 9 (SIGKILL) after 1.0 seconds from start",
         FPM_CHILD_SIGNAL, 4},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct log_fpm *fpm = parse(state, cases[i].line);

        assert_int_equal(fpm->what, cases[i].what);
        assert_int_equal(fpm->pid, cases[i].pid);
    }
}

static void test_limits_are_numbers(void **state)
{
    const struct log_fpm *fpm = parse(
        state,
        AT "WARNING: [pool www] server reached pm.max_children setting (20), consider raising it");

    assert_int_equal(fpm->what, FPM_MAX_CHILDREN);
    assert_int_equal(fpm->limit, 20);
    assert_slice(fpm->pool, "www");
    fpm = parse(state, AT
                "WARNING: failed processes threshold (3 in 60 sec) is reached, initiating reload");
    assert_int_equal(fpm->what, FPM_EMERGENCY);
    assert_int_equal(fpm->limit, 3);
}

static void test_a_number_that_does_not_fit_makes_the_message_unknown(void **state)
{
    assert_int_equal(parse(state, AT "NOTICE: [pool www] child 99999999999999999999 started")->what,
                     FPM_OTHER);
}

static void test_lines_of_other_logs_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "[22-Nov-2026 05:39:20 UTC] PHP Fatal error:  x in y on line 1",
        "[22-Nov-2026 05:39:31]  [pool www] pid 15378",
        "[22-Nov-2026 05:39:31] SHOUT: x",
        "[22-Nov-2026 05:39",
        "WARNING: [pool www] child 1 started",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(log_fixture_parse(*state, fpm_log_parse, lines[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_child_that_died_gives_pid_signal_and_age),
        log_test(test_a_core_dump_is_seen),
        log_test(test_a_timeout_gives_script_and_request_even_a_hostile_one),
        log_test(test_every_message_is_known),
        log_test(test_limits_are_numbers),
        log_test(test_a_number_that_does_not_fit_makes_the_message_unknown),
        log_test(test_lines_of_other_logs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
