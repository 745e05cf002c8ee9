/* test_ingest_requests.c - what a worker says of its requests becomes events, once. */
#include "stage.h"

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

/* The frame that begins with "controller" names one. */
static bool name_by_frame(const struct slice *frames, size_t count, char *ret_name,
                          size_t size_bytes)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts(frames[i], SLICE("controller")))
            return snprintf(ret_name, size_bytes, "%.*s", (int) frames[i].len_bytes,
                            frames[i].ptr) > 0;
    return false;
}

static void add_stack(struct stage *stage, uint32_t id, const char *php)
{
    const struct wire_stack stack = {.id = id, .php = stage_str(php)};

    stage_add(stage, WIRE_INDEX_STACK, &stack);
}

static void add_seen(struct stage *stage, uint64_t seq, const uint32_t *stacks, size_t count)
{
    const struct wire_seen seen = {
        .seq = seq, .stacks = {(const char *) stacks, (uint16_t) (count * sizeof *stacks)}};

    stage_add(stage, WIRE_INDEX_SEEN, &seen);
}

static void test_a_request_gets_the_controller_that_its_stacks_show(void **state)
{
    static const uint32_t both[] = {1, 2}, boot[] = {1}, unknown[] = {77};
    struct stage *stage = *state;
    const char *events;

    ingest_free(stage->ingest);
    stage->policy.name_controller = name_by_frame;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    add_stack(stage, 1, "boot\t\t/index.php:3");
    add_stack(stage, 2, "load\ncontroller A");
    for (uint64_t seq = 1; seq <= 5; seq++) {
        struct wire_request request = stage_request(stage, seq, "/a");
        const struct wire_growth growth = {
            .seq = seq, .time_us = stage->now_us, .bytes = 2 << 20, .stack = 2};

        if (seq == 1)
            add_seen(stage, seq, both, 2);
        else if (seq == 2)
            add_seen(stage, seq, boot, 1);
        else if (seq == 3)
            stage_add(stage, WIRE_INDEX_GROWTH, &growth);
        else if (seq == 4)
            add_seen(stage, seq, unknown, 1);
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
    }
    stage_send(stage);
    events = stage_events(stage, STORE_KIND(req));
    assert_int_equal(stage_count(events, "\"name\":\"controller A\""), 2);
    assert_non_null(strstr(strstr(events, "\"seq\":1,"), "\"name\":\"controller A\""));
    assert_non_null(strstr(strstr(events, "\"seq\":3,"), "\"name\":\"controller A\""));
}

static bool template_by_frame(const struct slice *frames, size_t count, char *ret_name,
                              size_t size_bytes)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts(frames[i], SLICE("template")))
            return snprintf(ret_name, size_bytes, "%.*s", (int) frames[i].len_bytes,
                            frames[i].ptr) > 0;
    return false;
}

/* Requests `first`.. show these two stacks; their seq goes on. */
static void add_shown(struct stage *stage, uint64_t *seq, const char *uri, uint32_t a, uint32_t b,
                      size_t times)
{
    const uint32_t stacks[] = {a, b};

    for (size_t i = 0; i < times; i++) {
        struct wire_request request = stage_request(stage, ++*seq, uri);

        add_seen(stage, *seq, stacks, 2);
        stage_add(stage, WIRE_INDEX_REQUEST, &request);
        stage_send(stage);
    }
}

static void
test_a_template_of_one_controller_speaks_for_it_when_pages_are_rendered_late(void **state)
{
    enum { BOOT = 1, VIEW, LIST, PRODUCT, CATEGORY, HEADER };
    struct stage *stage = *state;
    uint64_t seq = 0;
    const char *events;

    ingest_free(stage->ingest);
    stage->policy.name_controller = name_by_frame;
    stage->policy.name_template = template_by_frame;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    add_stack(stage, BOOT, "boot\t\t/index.php:3");
    add_stack(stage, VIEW, "load\ntemplate view");
    add_stack(stage, LIST, "load\ntemplate list");
    add_stack(stage, PRODUCT, "load\ncontroller product");
    add_stack(stage, CATEGORY, "load\ncontroller category");
    add_stack(stage, HEADER, "load\ntemplate header");
    add_shown(stage, &seq, "/c.html", CATEGORY, LIST, 8);
    add_shown(stage, &seq, "/a.html", PRODUCT, VIEW, 7);
    add_shown(stage, &seq, "/b.html", VIEW, BOOT, 1); /* nobody: seven lessons are too few */
    add_shown(stage, &seq, "/a.html", PRODUCT, VIEW, 1);
    add_shown(stage, &seq, "/b.html", VIEW, BOOT, 1);  /* product */
    add_shown(stage, &seq, "/b.html", LIST, BOOT, 1);  /* category */
    add_shown(stage, &seq, "/b/view/", VIEW, BOOT, 1); /* nobody: another shape */
    add_shown(stage, &seq, "/a.html", PRODUCT, HEADER, 9);
    add_shown(stage, &seq, "/c.html", CATEGORY, HEADER, 1);
    add_shown(stage, &seq, "/d.html", HEADER, BOOT, 1); /* nobody: a template of two */
    add_shown(stage, &seq, "/d.html", HEADER, VIEW, 1); /* product */
    events = stage_events(stage, STORE_KIND(req));
    assert_int_equal(stage_count(events, "\"name\":\"controller product\""), 8 + 9 + 2);
    assert_int_equal(stage_count(events, "\"name\":\"controller category\""), 8 + 1 + 1);
    assert_int_equal(stage_count(events, "\"name\""), 29);
}

static void test_a_template_says_nothing_while_one_controller_only_is_known(void **state)
{
    enum { BOOT = 1, VIEW, PRODUCT };
    struct stage *stage = *state;
    uint64_t seq = 0;

    ingest_free(stage->ingest);
    stage->policy.name_controller = name_by_frame;
    stage->policy.name_template = template_by_frame;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    add_stack(stage, BOOT, "boot\t\t/index.php:3");
    add_stack(stage, VIEW, "load\ntemplate header");
    add_stack(stage, PRODUCT, "load\ncontroller product");
    add_shown(stage, &seq, "/a.html", PRODUCT, VIEW, 50);
    add_shown(stage, &seq, "/b.html", VIEW, BOOT, 1);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(req)), "\"name\""), 50);
}

static void test_a_path_is_masked_like_a_uri(void **state)
{
    struct stage *stage = *state;
    struct wire_request request = stage_request(stage, 1, "/a");

    request.document_uri = stage_str("/a;jsessionid=9F3C");
    ingest_free(stage->ingest);
    stage->policy.mask_uri = only_stars;
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(beg));
    assert_non_null(strstr(events, "\"doc\":\"******************\""));
    assert_non_null(strstr(events, "\"uri\":\"**\""));
    assert_null(strstr(events, "9F3C"));
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

static void test_a_sample_whose_stack_was_never_told_is_kept_without_it_and_counted(void **state)
{
    struct stage *stage = *state;
    const struct wire_request request = stage_request(stage, 1, "/a");

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    for (uint32_t stack = 0; stack < 2; stack++) /* 0: there was none */
        stage_add(stage, WIRE_INDEX_SAMPLE,
                  &(struct wire_sample){.seq = 1, .id = 9 + stack, .stack = stack});
    stage_send(stage);
    const char *samples = stage_events(stage, STORE_KIND(smp));
    assert_int_equal(stage_count(samples, "\n"), 2);
    assert_null(strstr(samples, "\"stk\":"));
    assert_int_equal(stage_counted(stage, "unknown_stacks"), 1);
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

static void test_a_group_that_shrank_is_freed_of_so_many_bytes(void **state)
{
    struct stage *stage = *state;
    const struct wire_shrunk shrunk = {.seq = 2, .id = 9, .size_bytes = 300},
                             nothing = {.seq = 2, .id = 9};

    stage_hello(stage, WIRE_ROLE_WORKER);
    stage_add(stage, WIRE_INDEX_SHRUNK, &shrunk);
    stage_add(stage, WIRE_INDEX_SHRUNK, &nothing);
    stage_send(stage);
    const char *events = stage_events(stage, STORE_KIND(fre));
    assert_int_equal(stage_count(events, "\"e\":\"fre\""), 1);
    assert_non_null(strstr(events, "\"sz\":300"));
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
        TEST(test_a_request_gets_the_controller_that_its_stacks_show),
        TEST(test_a_template_of_one_controller_speaks_for_it_when_pages_are_rendered_late),
        TEST(test_a_template_says_nothing_while_one_controller_only_is_known),
        TEST(test_a_path_is_masked_like_a_uri),
        TEST(test_a_repeated_request_is_stored_once_and_a_gap_is_counted),
        TEST(test_a_time_outside_the_workers_life_is_corrected_and_counted),
        TEST(test_every_damaged_packet_is_counted_and_the_rest_of_it_used),
        TEST(test_a_sample_whose_stack_was_never_told_is_kept_without_it_and_counted),
        TEST(test_a_sample_points_to_the_same_stack_in_every_worker),
        TEST(test_a_group_that_shrank_is_freed_of_so_many_bytes),
        TEST(test_a_sample_stays_between_its_request_and_the_next_however_late_it_comes),
        TEST(test_what_an_armed_request_held_is_stored_behind_it_with_its_stacks),
        TEST(test_stacks_and_samples_beyond_the_ceiling_are_counted),
        TEST(test_losses_are_reported_as_what_was_new),
        TEST(test_a_burst_is_written_before_the_queue_drops_any_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
