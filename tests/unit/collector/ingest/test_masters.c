/* test_masters.c - who may say what about whom: forks, ends and reloads, by a master's word. */
#include "stage.h"

#include <signal.h>
#include <sys/wait.h>

static void masters_are_like_this_test(struct stage *stage)
{
    ingest_free(stage->ingest);
    stage->policy.master_name = "test_masters";
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
}

static void test_a_worker_that_calls_itself_master_cannot_report_ends(void **state)
{
    struct stage *stage = *state;
    const struct wire_reap reap = {.time_us = stage->now_us, .child = 1, .status = SIGKILL};

    stage->policy.master_name = "php-fpm";
    stage_hello(stage, WIRE_ROLE_MASTER); /* this test's executable is no php-fpm */
    stage_add(stage, WIRE_INDEX_REAP, &reap);
    stage_send(stage);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(exit) | STORE_KIND(master)), "\n"),
                     0);
    assert_int_equal(stage_counted(stage, "false_masters"), 2);
}

static void test_a_master_reports_ends_of_its_own_children_only(void **state)
{
    struct stage *stage = *state;
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    masters_are_like_this_test(stage);
    const struct wire_reap own = {
        .time_us = stage->now_us, .child = (uint32_t) child, .status = SIGKILL};
    const struct wire_reap stopped = {
        .time_us = stage->now_us, .child = (uint32_t) child, .status = 0x137f};
    const struct wire_reap other = {.time_us = stage->now_us, .child = 1, .status = SIGKILL};
    stage_hello(stage, WIRE_ROLE_MASTER);
    stage_add(stage, WIRE_INDEX_REAP, &stopped);
    stage_add(stage, WIRE_INDEX_REAP, &own);
    stage_add(stage, WIRE_INDEX_REAP, &other);
    stage_send(stage);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    const char *events =
        stage_events(stage, STORE_KIND(exit) | STORE_KIND(stop) | STORE_KIND(master));
    assert_int_equal(stage_count(events, "\"e\":\"master\""), 1);
    assert_int_equal(stage_count(events, "\"e\":\"exit\""), 1);
    assert_int_equal(stage_count(events, "\"e\":\"stop\""), 1);
    assert_non_null(strstr(events, "\"sig\":9"));
    assert_int_equal(stage_counted(stage, "false_masters"), 1);
}

static void test_an_end_of_which_the_master_said_nothing_is_counted(void **state)
{
    struct stage *stage = *state;
    const struct ingest_sender master = stage->sender;
    const struct wire_reap reap = {.time_us = stage->now_us, .child = 4000001, .status = SIGKILL};

    masters_are_like_this_test(stage);
    stage_hello(stage, WIRE_ROLE_MASTER);
    for (pid_t child = 4000001; child <= 4000002; child++) {
        stage->sender =
            (struct ingest_sender){.pid = child, .parent = master.pid, .start_ticks = 7};
        stage_hello(stage, WIRE_ROLE_WORKER);
        ingest_ended(stage->ingest, child, 7, stage->now_us);
    }
    stage->sender = master;
    stage_add(stage, WIRE_INDEX_REAP, &reap);
    stage_send(stage);
    ingest_scan(stage->ingest, stage->now_us + 50000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 0);
    ingest_scan(stage->ingest, stage->now_us + 61000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 1);
}

static void speak_as_child(struct stage *stage, pid_t child, uint64_t start_ticks)
{
    const struct ingest_sender self = stage->sender;

    stage->sender =
        (struct ingest_sender){.pid = child, .parent = self.pid, .start_ticks = start_ticks};
    stage_hello(stage, WIRE_ROLE_WORKER);
    ingest_ended(stage->ingest, child, start_ticks, stage->now_us);
    stage->sender = self;
}

static void reap_child(struct stage *stage, pid_t child)
{
    const struct wire_reap reap = {
        .time_us = stage->now_us, .child = (uint32_t) child, .status = SIGKILL};

    stage_add(stage, WIRE_INDEX_REAP, &reap);
    stage_send(stage);
}

static void test_an_end_that_is_told_before_its_worker_speaks_is_not_missed(void **state)
{
    struct stage *stage = *state;

    masters_are_like_this_test(stage);
    stage_hello(stage, WIRE_ROLE_MASTER);
    reap_child(stage, 4000001);
    speak_as_child(stage, 4000001, 7);
    speak_as_child(stage, 4000002, 7);
    ingest_scan(stage->ingest, stage->now_us + 61000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 1); /* of the other */
}

static void test_nor_when_the_pid_had_belonged_to_another_worker(void **state)
{
    struct stage *stage = *state;
    const char *second;

    masters_are_like_this_test(stage);
    stage_hello(stage, WIRE_ROLE_MASTER);
    speak_as_child(stage, 4000001, 7);
    reap_child(stage, 4000001);
    stage->now_us += 1000;
    reap_child(stage, 4000001);
    speak_as_child(stage, 4000001, 9);
    ingest_scan(stage->ingest, stage->now_us + 61000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 0);
    second = strstr(strstr(stage_events(stage, STORE_KIND(exit)), "\"start\":7"), "\n");
    assert_non_null(strstr(second, "\"e\":\"exit\""));
    assert_null(strstr(second, "\"start\":7"));
}

static void test_an_end_told_late_is_not_that_of_a_later_process(void **state)
{
    struct stage *stage = *state;
    const struct ingest_sender master = stage->sender;
    const struct wire_reap reap = {.time_us = stage->now_us, .child = 4000001, .status = SIGKILL};

    masters_are_like_this_test(stage);
    stage_hello(stage, WIRE_ROLE_MASTER);
    stage->now_us += 5000000; /* the number is a younger worker's by now */
    stage->sender = (struct ingest_sender){.pid = 4000001, .parent = master.pid, .start_ticks = 7};
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage->sender = master;
    stage_add(stage, WIRE_INDEX_REAP, &reap);
    stage_send(stage);
    const char *exits = stage_events(stage, STORE_KIND(exit));
    assert_int_equal(stage_count(exits, "\n"), 1);
    assert_null(strstr(exits, "\"start\":"));
    ingest_ended(stage->ingest, 4000001, 7, stage->now_us);
    ingest_scan(stage->ingest, stage->now_us + 61000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 1);
}

static void test_an_end_told_early_is_not_that_of_a_later_process(void **state)
{
    struct stage *stage = *state;
    struct process_stat self;

    masters_are_like_this_test(stage);
    stage_hello(stage, WIRE_ROLE_MASTER);
    assert_int_equal(process_stat(getpid(), &self), 0);
    stage->now_us = process_start_us(self.start_ticks) - 1000000;
    reap_child(stage, 4000001); /* before this test began */
    stage->now_us = stage_clock_us();
    speak_as_child(stage, 4000001, self.start_ticks);
    ingest_scan(stage->ingest, stage->now_us + 61000000);
    assert_int_equal(stage_counted(stage, "missed_exits"), 1);
}

static void say_master_hello(struct stage *stage, int64_t time_us)
{
    const struct wire_hello hello = {.version = WIRE_VERSION,
                                     .role = WIRE_ROLE_MASTER,
                                     .pid = (uint32_t) stage->sender.pid,
                                     .time_us = time_us};

    stage_add(stage, WIRE_INDEX_HELLO, &hello);
    stage_send(stage);
}

static void test_a_master_that_runs_its_program_again_starts_again(void **state)
{
    struct stage *stage = *state;

    masters_are_like_this_test(stage);
    const int64_t first_us = stage->now_us - 4000000;
    say_master_hello(stage, first_us);
    say_master_hello(stage, first_us); /* connected again */
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(master)), "\n"), 1);
    say_master_hello(stage, first_us + 3000000); /* execvp() of a reload */
    say_master_hello(stage, first_us + 3000000);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(master)), "\n"), 2);
    say_master_hello(stage, stage->now_us + 60000000); /* from the future */
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(master)), "\n"), 2);
}

static void test_a_stranger_is_known_only_as_a_child_of_a_master(void **state)
{
    struct stage *stage = *state;
    const struct ingest_sender stranger = {.pid = 1, .parent = 0, .start_ticks = 1, .uid = 65534};

    assert_false(ingest_knows(stage->ingest, &stranger));
    assert_false(ingest_knows(stage->ingest, &stage->sender));
    stage_hello(stage, WIRE_ROLE_WORKER);
    assert_true(ingest_knows(stage->ingest, &stage->sender));
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_false(ingest_knows(stage->ingest, &stage->sender));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_worker_that_calls_itself_master_cannot_report_ends),
        TEST(test_a_master_reports_ends_of_its_own_children_only),
        TEST(test_an_end_of_which_the_master_said_nothing_is_counted),
        TEST(test_an_end_that_is_told_before_its_worker_speaks_is_not_missed),
        TEST(test_nor_when_the_pid_had_belonged_to_another_worker),
        TEST(test_an_end_told_late_is_not_that_of_a_later_process),
        TEST(test_an_end_told_early_is_not_that_of_a_later_process),
        TEST(test_a_master_that_runs_its_program_again_starts_again),
        TEST(test_a_stranger_is_known_only_as_a_child_of_a_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
