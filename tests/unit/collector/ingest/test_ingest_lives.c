/* test_ingest_lives.c - births and deaths of workers, also after a restart. */
#include "stage.h"

#include <signal.h>
#include <sys/resource.h>

enum { LIFE = STORE_KIND(start) | STORE_KIND(end) | STORE_KIND(master) };

static void test_the_request_in_flight_at_the_death_comes_from_the_page(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/stock/import/");
    char path[192], name[PAGE_NAME_BYTES];

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    const char *events = stage_events(stage, 0);
    assert_non_null(strstr(events, "\"e\":\"beg\""));
    assert_non_null(strstr(events, "\"uri\":\"/stock/import/\""));
    assert_null(strstr(events, "\"e\":\"req\""));
    assert_non_null(strstr(strstr(events, "\"e\":\"end\""), "\"seq\":1"));
    assert_int_equal(stage->troubles, 1);
    /* The page goes when the store has committed, not before. */
    page_format_name(stage->sender.pid, stage->sender.start_ticks, name);
    snprintf(path, sizeof path, "%s/%s", stage->pages, name);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(store_flush(stage->store), 0);
    ingest_committed(stage->ingest);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_a_crash_is_stored_once_whether_the_page_or_the_message_tells_it(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/boom");
    const struct wire_crash crash = {.seq = 1,
                                     .time_us = stage->now_us - 10,
                                     .signo = SIGSEGV,
                                     .in_request = 1,
                                     .php = stage_str("boom\t\t/x.php:1")};

    page->crash.state = RECORDER_CRASH_COMPLETE;
    page->crash.signo = SIGBUS;
    page->crash.time_us = stage->now_us - 10;
    page->crash.seq = 1;
    for (int with_page = 0; with_page < 2; with_page++) {
        stage_hello(stage, WIRE_ROLE_WORKER);
        stage_add(stage, WIRE_INDEX_CRASH, &crash);
        stage_add(stage, WIRE_INDEX_CRASH, &crash);
        stage_send(stage);
        if (with_page)
            stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page,
                             sizeof *page);
        ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
        stage->sender.start_ticks++;
    }
    free(page);
    const char *events = stage_events(stage, STORE_KIND(crash));
    assert_int_equal(stage_count(events, "\n"), 2);
    assert_int_equal(stage_count(events, "\"sig\":11"), 1);
    assert_int_equal(stage_count(events, "\"sig\":7"), 1);
}

/* One request was told; what the page says of the others decides. */
static void end_after(struct stage *stage, uint64_t seq, enum recorder_phase phase)
{
    struct wire_request request = stage_request(stage, 1, "/told");
    struct recorder_page *page = stage_page(stage, seq, "/last");

    page->slots[1].phase = phase;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    stage->sender.start_ticks++;
}

static void test_requests_before_the_death_that_nobody_told_are_counted(void **state)
{
    struct stage *stage = *state;

    end_after(stage, 1, RECORDER_IDLE);
    end_after(stage, 2, RECORDER_RUNNING);
    assert_int_equal(stage_counted(stage, "missed_requests"), 0);
    end_after(stage, 4, RECORDER_IDLE);
    assert_int_equal(stage_counted(stage, "missed_requests"), 3);
    end_after(stage, 4, RECORDER_ANSWERED); /* 4 is in flight, and told */
    assert_int_equal(stage_counted(stage, "missed_requests"), 5);
}

static void *watch_in_vain(void *ctx, int fd, void (*fn)(void *ctx), void *fn_ctx)
{
    (void) fd;
    (void) fn;
    (void) fn_ctx;
    return ctx;
}

static void unwatch_nothing(void *ctx, void *watch)
{
    (void) ctx;
    (void) watch;
}

static void
test_a_collector_that_is_killed_while_a_crash_is_unwound_counts_nothing_twice(void **state)
{
    static const char map[] = "400000-401000 r-xp 00000000 08:01 5 /bin/nothing\n";
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 4, "/boom");
    struct ingest *killed;

    page->crash.state = RECORDER_CRASH_COMPLETE;
    page->crash.signo = SIGSEGV;
    page->crash.time_us = stage->now_us - 10;
    page->crash.seq = 4;
    page->crash.maps_len_bytes = (uint32_t) (sizeof map - 1);
    memcpy(page->crash.maps, map, sizeof map - 1);
    stage_close(stage);
    stage->policy.watch = watch_in_vain;
    stage->policy.unwatch = unwatch_nothing;
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    stage->sender.pid = 4000000;
    stage->sender.start_ticks += 1000; /* it is younger than the store */
    stage->now_us += 20 * 1000000;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_string_equal(stage_events(stage, STORE_KIND(end)), "");
    assert_int_equal(store_flush(stage->store), 0);
    killed = stage->ingest;
    stage->policy.watch = NULL;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(end)), "\n"), 1);
    assert_int_equal(stage_counted(stage, "missed_requests"), 3);
    ingest_free(killed);
}

static void test_a_lost_request_that_was_over_is_not_what_the_worker_died_in(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/slow");

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    ingest_scan(stage->ingest, stage->now_us); /* stores its beginning */
    page->slots[1].phase = RECORDER_IDLE;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_null(strstr(stage_events(stage, STORE_KIND(end)), "\"seq\""));
    assert_int_equal(stage->troubles, 0);
}

static void test_of_a_worker_younger_than_the_store_the_first_requests_are_missed_too(void **state)
{
    struct stage *stage = *state;
    struct wire_request third = stage_request(stage, 3, "/a");

    for (int younger = 0; younger < 2; younger++) {
        /* The first one here is older than the store, by its HELLO. */
        assert_int_equal(ingest_resume(stage->ingest, stage->now_us + 1), 0);
        stage_hello(stage, WIRE_ROLE_WORKER);
        stage_add(stage, WIRE_INDEX_REQUEST, &third);
        stage_send(stage);
        assert_int_equal(stage_counted(stage, "missed_requests"), younger ? 2 : 0);
        stage_close(stage);
        stage_open(stage);
        stage->sender.start_ticks++;
        stage->now_us += 2;
    }
}

static void test_after_its_end_a_process_says_nothing(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/ghost");

    stage_hello(stage, WIRE_ROLE_WORKER);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 1);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 0);
    assert_int_equal(stage_counted(stage, "refused_packets"), 1);
}

static void test_a_page_of_a_dead_worker_that_nobody_saw_is_found_and_told(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 6, "/while/you/slept");

    page->created_us = stage->now_us - 60000000;
    stage_write_page(stage, 4000000, 77, page, sizeof *page);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_scan(stage->ingest, stage->now_us);
    ingest_scan(stage->ingest, stage->now_us);
    assert_int_equal(stage->found, 1); /* the living one: this test */
    const char *events = stage_events(stage, 0);
    assert_int_equal(stage_count(events, "\"pid\":4000000"), 3); /* start, beg, end */
    assert_int_equal(stage_count(events, "\"e\":\"beg\""), 2);
    assert_int_equal(stage_count(events, "\"e\":\"end\""), 1);
}

/* What the socket of the dead worker still held. */
static bool drain_last_words(void *ctx, pid_t pid, uint64_t start_ticks)
{
    struct stage *stage = ctx;
    struct wire_request request = stage_request(stage, 1, "/told");

    stage->sender.pid = pid;
    stage->sender.start_ticks = start_ticks;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    return true;
}

static void test_a_dead_worker_whose_words_are_still_to_be_read_is_no_orphan(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 2, "/last");

    stage_close(stage);
    stage->policy.drain = drain_last_words;
    stage_open(stage);
    stage_write_page(stage, 4000000, 77, page, sizeof *page);
    free(page);
    ingest_scan(stage->ingest, stage->now_us);
    assert_string_equal(stage_events(stage, STORE_KIND(end)), "");
    ingest_ended(stage->ingest, 4000000, 77, stage->now_us);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 1);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(end)), "\"seq\":2"), 1);
}

static void test_pages_of_a_shared_directory_are_left_to_their_owners(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 6, "/theirs");

    ingest_free(stage->ingest);
    stage->policy.pages[0].is_shared = true;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_write_page(stage, 4000000, 77, page, sizeof *page);
    free(page);
    ingest_scan(stage->ingest, stage->now_us);
    assert_string_equal(stage_events(stage, 0), "");
}

static void test_a_restarted_collector_goes_on_where_the_first_one_stopped(void **state)
{
    struct stage *stage = *state;
    struct wire_request first = stage_request(stage, 1, "/a"),
                        second = stage_request(stage, 2, "/b");
    struct recorder_page *page = stage_page(stage, 3, "/c");

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &first);
    stage_send(stage);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_scan(stage->ingest, stage->now_us); /* stores the beginning of request 3 */
    stage_close(stage);
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage->found, 1);
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST,
              &first); /* nobody sends it twice; if somebody does, once */
    stage_add(stage, WIRE_INDEX_REQUEST, &second);
    stage_send(stage);
    ingest_scan(stage->ingest, stage->now_us);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(start)), "\n"), 1);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 2);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(beg)), "\"uri\":\"/c\""), 1);
}

static void test_a_restarted_collector_counts_what_a_worker_lost_before_only_once(void **state)
{
    struct stage *stage = *state;

    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct wire_request request = stage_request(stage, seq, "/a");

        request.dropped_messages = 4 + seq; /* since the worker's birth */
        if (seq > 1) {
            stage_close(stage);
            stage_open(stage);
            assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
            stage_hello(stage, WIRE_ROLE_WORKER);
        }
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
        stage_send(stage);
    }
    assert_int_equal(stage_counted(stage, "dropped_messages"), 7);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(lost)), "\n"), 3);
}

static void test_a_worker_that_died_while_the_collector_was_down_gets_its_end(void **state)
{
    struct stage *stage = *state;

    stage->sender.pid = 4000000;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_close(stage);
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 1);
    assert_int_equal(stage_counted(stage, "unseen_ends"), 1); /* it left no page */
    stage_close(stage);
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 1);
}

static void test_a_page_that_cannot_be_opened_at_the_death_is_counted(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    struct rlimit files, none = {.rlim_cur = 0};

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none.rlim_max = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(end)), "\n"), 1);
    assert_int_equal(stage_counted(stage, "unread_pages"), 1);
}

static void test_a_reused_pid_is_another_worker(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/a");

    for (int life = 0; life < 2; life++) {
        stage_hello(stage, WIRE_ROLE_WORKER);
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
        stage_send(stage);
        ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
        stage->sender.start_ticks++;
    }
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 2);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 2);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_request_in_flight_at_the_death_comes_from_the_page),
        TEST(test_a_crash_is_stored_once_whether_the_page_or_the_message_tells_it),
        TEST(test_requests_before_the_death_that_nobody_told_are_counted),
        TEST(test_a_collector_that_is_killed_while_a_crash_is_unwound_counts_nothing_twice),
        TEST(test_a_lost_request_that_was_over_is_not_what_the_worker_died_in),
        TEST(test_of_a_worker_younger_than_the_store_the_first_requests_are_missed_too),
        TEST(test_after_its_end_a_process_says_nothing),
        TEST(test_a_page_of_a_dead_worker_that_nobody_saw_is_found_and_told),
        TEST(test_a_dead_worker_whose_words_are_still_to_be_read_is_no_orphan),
        TEST(test_pages_of_a_shared_directory_are_left_to_their_owners),
        TEST(test_a_restarted_collector_goes_on_where_the_first_one_stopped),
        TEST(test_a_restarted_collector_counts_what_a_worker_lost_before_only_once),
        TEST(test_a_worker_that_died_while_the_collector_was_down_gets_its_end),
        TEST(test_a_page_that_cannot_be_opened_at_the_death_is_counted),
        TEST(test_a_reused_pid_is_another_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
