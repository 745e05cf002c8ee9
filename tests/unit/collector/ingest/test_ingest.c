/* test_ingest.c - what a worker says becomes events, once; what it may not say does not. */
#include "stage.h"

#include <signal.h>
#include <sys/wait.h>

enum { LIFE = STORE_KIND(start) | STORE_KIND(end) | STORE_KIND(master) };

static void test_a_request_becomes_its_beginning_its_response_and_its_end(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/checkout/");
    const char *events;

    request.write_errno = 32;
    request.write_error_us = stage->now_us - 1500;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    events = stage_events(stage, 0);
    const char *begin = strstr(events, "\"e\":\"beg\""),
               *response = strstr(events, "\"e\":\"rsp\"");
    const char *error = strstr(events, "\"e\":\"werr\""), *end = strstr(events, "\"e\":\"req\"");
    assert_true(begin && response && error && end);
    assert_true(begin < response && response < error && error < end);
    assert_non_null(strstr(end, "\"dur\":2000"));
    assert_non_null(strstr(end, "\"l0\":1000,\"l1\":900"));
    assert_non_null(strstr(error, "\"errno\":32"));
    assert_int_equal(stage_count(events, "\"e\":\"start\""), 1);
}

static size_t only_stars(struct slice uri, char *buffer, size_t size_bytes)
{
    size_t n = 0;

    for (; n < uri.len_bytes && n < size_bytes; n++)
        buffer[n] = '*';
    return n;
}

static void test_a_uri_is_masked_before_it_is_stored_and_its_hash_is_of_the_whole(void **state)
{
    struct stage *stage = *state;
    struct wire_request first = stage_request(stage, 1, "/a?k=1"),
                        second = stage_request(stage, 2, "/a?k=2");

    ingest_free(stage->ingest);
    stage->policy.mask_uri = only_stars;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &first);
    stage_add(stage, WIRE_INDEX_REQUEST, &second);
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(req));
    assert_int_equal(stage_count(events, "\"uri\":\"******\""), 2);
    assert_null(strstr(events, "k="));
    const char *hash = strstr(events, "\"uh\":");
    assert_non_null(hash);
    char one[32];
    snprintf(one, sizeof one, "%.*s", (int) strcspn(hash, "}"), hash);
    assert_int_equal(stage_count(events, one), 1);
}

static void test_a_repeated_request_is_stored_once_and_a_gap_is_counted(void **state)
{
    struct stage *stage = *state;

    stage_hello(stage, WIRE_ROLE_WORKER);
    for (int i = 0; i < 2; i++) {
        struct wire_request request = stage_request(stage, 3, "/a");
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
    }
    struct wire_request later = stage_request(stage, 8, "/b");
    stage_add(stage, WIRE_INDEX_REQUEST, &later);
    stage_send(stage);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 2);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 1);
    assert_int_equal(stage_counted(stage, "missed_requests"), 4);
}

static void test_a_time_outside_the_workers_life_is_corrected_and_counted(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/a");

    request.begin_us = -5;
    request.response_us = 1;
    request.end_us = INT64_MAX;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(req) | STORE_KIND(beg));
    char now[48];
    snprintf(now, sizeof now, "\"e\":\"req\",\"ts\":%lld", (long long) stage->now_us);
    assert_non_null(strstr(events, now));
    assert_int_equal(stage_counted(stage, "corrected_times"), 3);
}

static void test_every_damaged_packet_is_counted_and_the_rest_of_it_used(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/a");

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    memcpy(stage->packet + stage->length, "\xee\xee\x04\x00\x01",
           5); /* an unknown message, a byte */
    stage->length += 5;
    stage_send(stage);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\n"), 1);
    assert_int_equal(stage_counted(stage, "unknown_messages"), 1);
    assert_int_equal(stage_counted(stage, "damaged_packets"), 1);
    /* A REQUEST whose strings run out of it. */
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage->length -= 3;
    uint16_t total = (uint16_t) stage->length;
    memcpy(stage->packet + 2, &total, sizeof total);
    stage_send(stage);
    assert_int_equal(stage_counted(stage, "damaged_messages"), 1);
}

static void test_a_sample_points_to_the_same_stack_in_every_worker(void **state)
{
    struct stage *stage = *state;
    const struct wire_stack stack = {.id = 4,
                                     .php = stage_str("save\tDOMDocument\t\nrun\tA\\B\t/a.php:7")};
    const struct wire_sample sample = {
        .seq = 1, .id = 9, .size_bytes = 640, .interval_bytes = 65536, .stack = 4};
    const struct wire_freed freed = {.seq = 2, .id = 9, .realloced = 1};

    for (int worker = 0; worker < 2; worker++) {
        stage_hello(stage, WIRE_ROLE_WORKER);
        stage_add(stage, WIRE_INDEX_STACK, &stack);
        stage_add(stage, WIRE_INDEX_SAMPLE, &sample);
        stage_add(stage, WIRE_INDEX_FREED, &freed);
        stage_send(stage);
        stage->sender.start_ticks++;
    }
    const char *events = stage_events(stage, STORE_KIND(stk) | STORE_KIND(smp) | STORE_KIND(fre));
    assert_int_equal(stage_count(events, "\"e\":\"stk\""), 1);
    assert_int_equal(stage_count(events, "\"e\":\"smp\""), 2);
    assert_non_null(
        strstr(events, "\"php\":[\"save\\tDOMDocument\\t\",\"run\\tA\\\\B\\t/a.php:7\"]"));
    /* Two workers, one number of their own each: two blocks. */
    const char *id = strstr(strstr(events, "\"e\":\"smp\""), "\"id\":");
    char first[40];
    snprintf(first, sizeof first, "%.*s", (int) strcspn(id, ","), id);
    assert_int_equal(stage_count(events, first), 2); /* its sample and its end */
}

/* In the order of time, a block's nearest request before it is its own, also when all came late. */
static void test_a_sample_stays_between_its_request_and_the_next_however_late_it_comes(void **state)
{
    struct stage *stage = *state;
    static const char *const uris[] = {"/a", "/b", "/c"};

    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct wire_request request = stage_request(stage, seq, uris[seq - 1]);
        const struct wire_freed freed = {.seq = seq, .id = seq - 1};
        const struct wire_sample sample = {.seq = seq, .id = seq, .size_bytes = 640};

        request.end_us = stage->now_us - 1000 + (int64_t) seq * 100;
        request.begin_us = request.response_us = request.end_us - 50;
        stage_add(stage, WIRE_INDEX_FREED, &freed);
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
        stage_add(stage, WIRE_INDEX_SAMPLE, &sample);
    }
    stage_send(stage);
    const char *at = stage_events(stage, STORE_KIND(req) | STORE_KIND(smp) | STORE_KIND(fre));
    for (uint64_t seq = 1; seq <= 3; seq++) {
        char uri[16];

        snprintf(uri, sizeof uri, "\"uri\":\"%s\"", uris[seq - 1]);
        at = strstr(at, uri);
        assert_non_null(at);
        at = strchr(at, '\n');
        assert_non_null(at);
        assert_int_equal(strncmp(at + 1, "{\"e\":\"smp\"", strlen("{\"e\":\"smp\"")), 0);
    }
}

static void test_what_an_armed_request_held_is_stored_behind_it_with_its_stacks(void **state)
{
    struct stage *stage = *state;
    const struct wire_request request = stage_request(stage, 1, "/export");
    const struct wire_stack stack = {.id = 4, .php = stage_str("run\tA\\B\t/a.php:7")};
    const struct wire_held held = {
        .seq = 1, .stack = 4, .bytes = 5 << 20, .samples = 80, .interval_bytes = 65536, .flags = 1};
    const struct wire_held others = {.seq = 1, .bytes = 1 << 20, .samples = 16};
    const struct wire_held absurd = {.seq = 1, .stack = 4, .bytes = UINT64_MAX};

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_add(stage, WIRE_INDEX_STACK, &stack);
    stage_add(stage, WIRE_INDEX_HELD, &held);
    stage_add(stage, WIRE_INDEX_HELD, &others);
    stage_add(stage, WIRE_INDEX_HELD, &absurd);
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(req) | STORE_KIND(hold));
    const char *first = strstr(events, "\"e\":\"hold\"");
    assert_int_equal(stage_count(events, "\"e\":\"hold\""), 2);
    assert_true(first > strstr(events, "\"e\":\"req\""));
    assert_int_equal(stage_count(events, "\"stk\""), 1);
    assert_non_null(strstr(first, "\"sz\":5242880"));
    assert_non_null(strstr(first, "\"n\":80"));
}

static void test_stacks_and_samples_beyond_the_ceiling_are_counted(void **state)
{
    struct stage *stage = *state;
    const struct wire_stack stack = {.id = UINT32_MAX, .php = stage_str("f\t\t")};
    const struct wire_sample sample = {.seq = 1, .id = 1, .size_bytes = 8, .stack = UINT32_MAX};

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_STACK, &stack);
    stage_add(stage, WIRE_INDEX_SAMPLE, &sample);
    stage_send(stage);
    assert_int_equal(stage_counted(stage, "refused_stacks"), 1);
    assert_null(strstr(stage_events(stage, STORE_KIND(smp)), "\"stk\""));
}

static void test_losses_are_reported_as_what_was_new(void **state)
{
    struct stage *stage = *state;

    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct wire_request request = stage_request(stage, seq, "/a");

        request.dropped_messages = seq == 1 ? 5 : 7;
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
    }
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(lost));
    assert_int_equal(stage_count(events, "\n"), 2);
    assert_non_null(strstr(events, "\"n\":5"));
    assert_non_null(strstr(events, "\"n\":2"));
    assert_int_equal(stage_counted(stage, "dropped_messages"), 7);
}

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
    ingest_free(stage->ingest);
    stage->policy.master_name = "test_ingest";
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
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

    ingest_free(stage->ingest);
    stage->policy.master_name = "test_ingest";
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
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

static void test_a_worker_that_died_while_the_collector_was_down_gets_its_end(void **state)
{
    struct stage *stage = *state;

    stage->sender.pid = 4000000;
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_close(stage);
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 1);
    stage_close(stage);
    stage_open(stage);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
    assert_int_equal(stage_count(stage_events(stage, LIFE), "\"e\":\"end\""), 1);
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

static void write_now(void *ctx)
{
    struct stage *stage = ctx;

    assert_int_equal(store_flush(stage->store), 0);
    stage->found++;
}

/* More than the queue's 16 MiB between two turns of the clock. */
static void test_a_burst_is_written_before_the_queue_drops_any_of_it(void **state)
{
    enum { REQUESTS = 100000 };
    struct stage *stage = *state;
    int64_t rows = 0;

    ingest_free(stage->ingest);
    stage->policy.on_crowded = write_now;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    for (int i = 1; i <= REQUESTS; i++) {
        const struct wire_request request = stage_request(stage, (uint64_t) i, "/burst");

        stage->now_us += 10;
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
        stage_send(stage);
    }
    assert_true(stage->found > 0);
    const char *events = stage_events(stage, STORE_KIND(req));
    rows = stage_count(events, "\"e\":\"req\"");
    assert_int_equal(rows, REQUESTS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_becomes_its_beginning_its_response_and_its_end),
        TEST(test_a_uri_is_masked_before_it_is_stored_and_its_hash_is_of_the_whole),
        TEST(test_a_repeated_request_is_stored_once_and_a_gap_is_counted),
        TEST(test_a_time_outside_the_workers_life_is_corrected_and_counted),
        TEST(test_every_damaged_packet_is_counted_and_the_rest_of_it_used),
        TEST(test_a_sample_points_to_the_same_stack_in_every_worker),
        TEST(test_a_sample_stays_between_its_request_and_the_next_however_late_it_comes),
        TEST(test_what_an_armed_request_held_is_stored_behind_it_with_its_stacks),
        TEST(test_stacks_and_samples_beyond_the_ceiling_are_counted),
        TEST(test_losses_are_reported_as_what_was_new),
        TEST(test_the_request_in_flight_at_the_death_comes_from_the_page),
        TEST(test_a_crash_is_stored_once_whether_the_page_or_the_message_tells_it),
        TEST(test_after_its_end_a_process_says_nothing),
        TEST(test_a_worker_that_calls_itself_master_cannot_report_ends),
        TEST(test_a_master_reports_ends_of_its_own_children_only),
        TEST(test_a_master_that_runs_its_program_again_starts_again),
        TEST(test_a_page_of_a_dead_worker_that_nobody_saw_is_found_and_told),
        TEST(test_pages_of_a_shared_directory_are_left_to_their_owners),
        TEST(test_a_restarted_collector_goes_on_where_the_first_one_stopped),
        TEST(test_a_worker_that_died_while_the_collector_was_down_gets_its_end),
        TEST(test_a_reused_pid_is_another_worker),
        TEST(test_a_burst_is_written_before_the_queue_drops_any_of_it),
        TEST(test_a_stranger_is_known_only_as_a_child_of_a_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
