/* test_system_log.c - stamps of dmesg, syslog and the journal, and who wrote the line. */
#include <stdio.h>

#include "log_fixture.h"

#define SEGFAULT                                                                                   \
    "php-fpm8.2[14490]: segfault at 0 ip 00007f3a0952cad8 sp 00007ffcdcff5188 error 4 in "         \
    "libc.so.6[167ad8,7f3a093eb000+156000] likely on CPU 0 (core 0, socket 0)"

static const struct log_event *parse(void **state, const char *line)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, system_log_parse, line));
    return &fixture->event;
}

static void test_every_stamp_leads_to_the_same_segfault(void **state)
{
    static const struct {
        const char *stamp;
        int64_t time_us, uptime_us;
    } stamps[] = {
        {"[ 1320.067615] ", 1320067615, 1320067615},
        {"<6>[ 1320.067615] ", 1320067615, 1320067615},
        {"kern  :info  : [ 1320.067615] ", 1320067615, 1320067615},
        {"[ 1320.067615][ T1234] ", 1320067615, 1320067615},
        {"[ 1320.067615][    C0] ", 1320067615, 1320067615},
        {"[Sun Nov 22 05:38:44 2026] ", 1795325924000000, -1},
        {"Sun 2026-11-22 05:38:44 UTC shop kernel: ", 1795325924000000, -1},
        {"2026-11-22T05:38:44,067615+00:00 ", 1795325924067615, -1},
        {"Nov 22 05:38:44 shop kernel: [ 1320.067615] ", 1795325924000000, 1320067615},
        {"Nov 22 05:38:44 shop kernel: ", 1795325924000000, -1},
        {"2026-11-22T05:38:44.067615+00:00 shop kernel: ", 1795325924067615, -1},
        {"2026-11-22T05:38:44+0000 shop kernel: ", 1795325924000000, -1},
        {"1795325924.067615 shop kernel: ", 1795325924067615, -1},
    };
    char line[512];

    for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
        const struct log_event *event;

        snprintf(line, sizeof line, "%s" SEGFAULT, stamps[i].stamp);
        event = parse(state, line);
        assert_int_equal(event->kind, LOG_KERNEL);
        assert_int_equal(event->kernel.what, KERNEL_SEGFAULT);
        assert_int_equal(event->kernel.pid, 14490);
        assert_int_equal(event->time_us, stamps[i].time_us);
        assert_int_equal(event->kernel.uptime_us, stamps[i].uptime_us);
        assert_int_equal(event->kernel.uptime_clock, stamps[i].time_us == stamps[i].uptime_us);
    }
}

static void test_a_row_of_the_task_dump_is_not_a_stamp(void **state)
{
    const struct log_event *event = parse(state, "[ 2013.145311] [   9687]    33  9687   190864    "
                                                 "67223  1220608        0     0 php-fpm8.2");

    assert_int_equal(event->kernel.what, KERNEL_OOM_TASK);
    assert_int_equal(event->time_us, 2013145311);
}

static void test_systemd_says_how_a_unit_ended(void **state)
{
    static const struct {
        const char *message;
        enum log_kernel_what what;
        int signo;
    } cases[] = {
        {"php8.2-fpm.service: A process of this unit has been killed by the OOM killer.",
         KERNEL_UNIT_OOM, -1},
        {"php8.2-fpm.service: Failed with result 'oom-kill'.", KERNEL_UNIT_OOM, -1},
        {"php8.2-fpm.service: Main process exited, code=killed, status=9/KILL", KERNEL_UNIT_EXITED,
         9},
        {"php8.2-fpm.service: Main process exited, code=dumped, status=11/SEGV", KERNEL_UNIT_EXITED,
         11},
        {"php8.2-fpm.service: Main process exited, code=exited, status=78/CONFIG",
         KERNEL_UNIT_EXITED, -1},
        {"php8.2-fpm.service: Scheduled restart job, restart counter is at 1.", KERNEL_UNIT_RESTART,
         -1},
        {"Reloading php8.2-fpm.service - The PHP 8.2 FastCGI Process Manager...",
         KERNEL_UNIT_RELOAD, -1},
        {"Stopping php8.2-fpm.service - The PHP 8.2 FastCGI Process Manager...",
         KERNEL_UNIT_RESTART, -1},
    };
    char line[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct log_event *event;

        snprintf(line, sizeof line, "Nov 22 05:50:17 shop systemd[1]: %s", cases[i].message);
        event = parse(state, line);
        assert_int_equal(event->kernel.what, cases[i].what);
        assert_int_equal(event->kernel.signo, cases[i].signo);
        assert_slice(event->kernel.unit, "php8.2-fpm.service");
    }
}

static void test_php_fpm_and_nginx_may_write_to_syslog(void **state)
{
    const struct log_event *event = parse(
        state, "Nov 22 05:38:44 shop php-fpm8.2[99]: [WARNING] [pool www] child 14490 exited on "
               "signal 11 (SIGSEGV) after 2.0 seconds from start");

    assert_int_equal(event->kind, LOG_FPM);
    assert_int_equal(event->fpm.what, FPM_CHILD_SIGNAL);
    assert_int_equal(event->time_us, 1795325924000000);
    assert_slice(event->fpm.level, "WARNING");
    event = parse(state,
                  "Nov 22 06:00:00 shop php-fpm[99]: [22-Nov-2026 05:38:44.5] NOTICE: [pool www] "
                  "child 1 started");
    assert_int_equal(event->fpm.what, FPM_STARTED);
    assert_int_equal(event->time_us, 1795325924500000);
    event = parse(
        state, "<187>Nov 22 05:38:44 shop nginx: 2026/11/22 05:38:44 [error] 5#5: *6 upstream "
               "sent too big header while reading response header from upstream, client: 1.2.3.4");
    assert_int_equal(event->kind, LOG_NGINX_ERROR);
    assert_int_equal(event->nginx.cause, NGINX_HEADER_TOO_BIG);
    event =
        parse(state, "<190>Nov 22 05:38:44 shop nginx: 1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] "
                     "\"GET / HTTP/1.1\" 502 5 \"-\" \"-\"");
    assert_int_equal(event->kind, LOG_ACCESS);
    assert_int_equal(event->access.status, 502);
    event = parse(state, "Nov 22 05:38:44 shop varnishd[7]: Child (9902) died signal=6");
    assert_int_equal(event->kind, LOG_VARNISHD);
    assert_int_equal(event->varnishd.what, VARNISHD_CHILD_DIED);
    assert_int_equal(event->time_us, 1795325924000000);
}

static void test_other_programs_give_an_event_without_news(void **state)
{
    const struct log_event *event = parse(state, "Nov 22 05:38:44 shop sshd[5]: " SEGFAULT);

    assert_int_equal(event->kind, LOG_KERNEL);
    assert_int_equal(event->kernel.what, KERNEL_OTHER);
    assert_int_equal(event->time_us, 1795325924000000);
}

static void test_logs_without_a_program_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "[ 1320] x",
        "[Sun Nov 22 05:38:44.123456 2026] [mpm_event:notice] [pid 1] AH00489: Apache",
        "[Sun Nov 22 05:38:44 2026] [error] [client 1.2.3.4] File does not exist",
        "2026-11-22T05:38:43.123456Z 0 [Note] InnoDB: started",
        "2026-11-22 05:38:43.123 UTC [1] LOG:  database system is ready",
        "[2026-11-22T05:38:43.123+00:00] main.CRITICAL: x [] []",
        "Nov 22 05:38:44",
        "Nov 22 05:38:44 shop",
        "Nov 22 05:38:44 shop :",
        "Nov 22 05:38:44 shop []:",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(log_fixture_parse(*state, system_log_parse, lines[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_every_stamp_leads_to_the_same_segfault),
        log_test(test_a_row_of_the_task_dump_is_not_a_stamp),
        log_test(test_systemd_says_how_a_unit_ended),
        log_test(test_php_fpm_and_nginx_may_write_to_syslog),
        log_test(test_other_programs_give_an_event_without_news),
        log_test(test_logs_without_a_program_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
