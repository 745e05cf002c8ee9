/* test_crash_text.c - a death in words: who did it, and whom to ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "report/crash_text.h"

static struct summary_crash dead(int signo, const char *killer)
{
    return (struct summary_crash){
        .pid = 41,
        .signo = signo,
        .killer = slice_of(killer),
        .in_request = true,
        .has_report = true,
        .method = slice_of("GET"),
        .uri = slice_of("/export/"),
        .faulting = slice_of("libc.so.6+0xcf503"),
        .culprit_library = slice_of("php-fpm8.2"),
        .module = slice_of("Acme_Feed"),
        .blamed_frame = slice_of("Acme\\Feed\\Writer::write (Writer.php:9)"),
    };
}

static void expect(const struct summary_crash *crash, const char *sentence, const char *advice)
{
    char text[CRASH_TEXT_BYTES];

    assert_string_equal(crash_sentence(crash, text, sizeof text), sentence);
    assert_string_equal(crash_advice(crash, text, sizeof text), advice);
}

static void test_a_fault_blames_the_library_and_the_module(void **state)
{
    const struct summary_crash crash = dead(SIGSEGV, "self");

    (void) state;
    expect(&crash,
           "worker 41 died of SIGSEGV in libc.so.6+0xcf503 while serving GET /export/: in "
           "Acme_Feed, at Acme\\Feed\\Writer::write (Writer.php:9)",
           "update php-fpm8.2 or disable Acme_Feed, the module that called it");
}

static void test_a_signal_that_somebody_sent_blames_neither(void **state)
{
    const struct summary_crash crash = dead(SIGSEGV, "outside");

    (void) state;
    expect(&crash,
           "worker 41 died of SIGSEGV, sent from outside, while serving GET /export/; it was at "
           "Acme\\Feed\\Writer::write (Writer.php:9)",
           "look for who sends SIGSEGV: cron jobs, deploys, watchdogs, the platform");
}

static void test_who_killed_is_said_in_good_english(void **state)
{
    static const struct {
        int signo;
        const char *killer, *begins, *advice;
    } cases[] = {
        {SIGKILL, "outside", "worker 41 was killed (SIGKILL) from outside while serving",
         "look for who sends SIGKILL: the kernel log (OOM), cron jobs, deploys, the platform"},
        {SIGKILL, "kernel", "worker 41 was killed (SIGKILL) by the kernel while serving",
         "memory ran out: fpmscope 502 --all says who held it"},
        {SIGTERM, "master", "worker 41 died of SIGTERM, sent by the master, while serving",
         "look for who stops php-fpm: reloads, deploys, request_terminate_timeout"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct summary_crash crash = dead(cases[i].signo, cases[i].killer);
        char text[CRASH_TEXT_BYTES];

        crash_sentence(&crash, text, sizeof text);
        assert_memory_equal(text, cases[i].begins, strlen(cases[i].begins));
        assert_string_equal(crash_advice(&crash, text, sizeof text), cases[i].advice);
    }
}

static void test_nobody_is_told_to_disable_the_application_itself(void **state)
{
    struct summary_crash crash = dead(SIGSEGV, "self");
    char text[CRASH_TEXT_BYTES];

    (void) state;
    crash.culprit_library = SLICE("imagick.so");
    crash.module = SLICE("app:wiki");
    assert_string_equal(crash_advice(&crash, text, sizeof text),
                        "disable or update imagick.so or mend app:wiki, which called it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault_blames_the_library_and_the_module),
        cmocka_unit_test(test_a_signal_that_somebody_sent_blames_neither),
        cmocka_unit_test(test_nobody_is_told_to_disable_the_application_itself),
        cmocka_unit_test(test_who_killed_is_said_in_good_english),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
