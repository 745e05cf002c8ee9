/* test_gateway_uri_hash.c - requests whose URIs look alike once they are masked are told apart by
 * the hash of the whole URI. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway_case.h"
#include "model/uri_hash.h"

enum { TEXT_BYTES = 4096 };

#define CLIENT "192.0.2.7"
#define SHOES  "/search/?q=shoes"
#define HATS   "/search/?q=hats"
#define MASKED "/search/?q=*"

/* A request that begins at 05:38:24.300 with the masked URI, and its crash at .402. */
static void print_crash(char *text, const char *pid, const char *uri)
{
    const size_t used = strlen(text);

    snprintf(text + used, TEXT_BYTES - used,
             "{\"e\":\"beg\"," TS(
                 "4", "300000") ",\"pid\":%s,\"seq\":1,\"method\":\"GET\",\"uri\":"
                                "\"" MASKED
                                "\",\"host\":\"shop.example\",\"port\":\"8081\",\"ip\":\"" CLIENT
                                "\",\"ua\":\"test\",\"uh\":%" PRId64 "}\n"
                                "{\"e\":\"crash\"," TS("4", "402000") ",\"pid\":%s,\"seq\":1," SEGV
                                                                      ",\"inreq\":true}\n",
             pid, uri_hash(slice_of(uri)), pid);
}

static int64_t pid_of(const struct gateway_report *report, const char *uri)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].uri, slice_of(uri)) && report->rows[i].pid_count == 1)
            return report->rows[i].pids[0];
    return -1;
}

static void test_equal_masks_of_two_uris_are_not_confused(void **state)
{
    const struct gateway_report *report;
    char events[TEXT_BYTES] = EVENTS;

    (void) state;
    print_crash(events, "41", HATS);
    print_crash(events, "42", SHOES);
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", SHOES, "0.105", CLIENT)
                                           BACK("4", "502", HATS, "0.105", CLIENT),
                                       .events = events},
                 &report);

    assert_int_equal(report->row_count, 2);
    assert_int_equal(pid_of(report, SHOES), 42);
    assert_int_equal(pid_of(report, HATS), 41);
    assert_int_equal(report->rows[0].join, JOIN_STRONG);
    gateway_free(gateway);
}

static void test_without_a_hash_two_equal_masks_stay_ambiguous(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", SHOES, "0.105", CLIENT)
                                           BACK("4", "502", HATS, "0.105", CLIENT),
                                       .events = EVENTS BEG("4", "300000", "41", MASKED, CLIENT)
                                           BEG("4", "300000", "42", MASKED, CLIENT)
                                               CRASH("4", "402000", "41", SEGV)
                                                   CRASH("4", "402000", "42", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->rows[0].join, JOIN_AMBIGUOUS);
    assert_int_equal(report->rows[0].candidates, 2);
    gateway_free(gateway);
}

/* What the store gives back: masked lines, each with the hash of what it was. */
static void add_stored_line(struct gateway *gateway, const char *uri, int64_t offset_bytes)
{
    struct log_event event;

    log_event_init(&event, LOG_ACCESS);
    event.time_us = CASE_BASE_US + 4 * INT64_C(1000000);
    event.time_precision_us = 1000000;
    event.offset_bytes = offset_bytes;
    event.uri_hash = uri_hash(slice_of(uri));
    event.access.method = SLICE("GET");
    event.access.uri = SLICE(MASKED);
    event.access.host = SLICE("shop.example");
    event.access.remote_addr = SLICE(CLIENT);
    event.access.handler = SLICE("phpfpm");
    event.access.port = SLICE("8081");
    event.access.status = 502;
    event.access.request_time_us = 105000;
    event.access.request_time_precision_us = 1000;
    gateway_add_log(gateway, &event);
}

static void test_masked_lines_of_the_store_bring_their_hash(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    char events[TEXT_BYTES] = EVENTS;
    const struct gateway_report *report;

    (void) state;
    print_crash(events, "41", HATS);
    print_crash(events, "42", SHOES);
    for (int pass = 0; pass < 2; pass++) {
        gateway_pass(gateway, pass == 0 ? GATEWAY_SCAN : GATEWAY_GATHER);
        case_feed_events(gateway, events);
        add_stored_line(gateway, SHOES, 100);
        add_stored_line(gateway, HATS, 200);
    }
    report = gateway_finish(gateway);
    assert_int_equal(report->row_count, 2);
    for (size_t i = 0; i < report->row_count; i++) {
        const bool is_shoes = report->rows[i].lines[0].offset_bytes == 100;

        assert_int_equal(report->rows[i].pid_count, 1);
        assert_int_equal(report->rows[i].pids[0], is_shoes ? 42 : 41);
    }
    gateway_free(gateway);
}

static void test_a_line_that_its_writer_masked_or_rewrote_has_no_hash(void **state)
{
    struct log_event event;

    (void) state;
    log_event_init(&event, LOG_ACCESS);
    assert_int_equal(uri_hash_of_log(&event), 0);
    event.access.uri = SLICE(SHOES);
    assert_int_equal(uri_hash_of_log(&event), uri_hash(SLICE(SHOES)));
    assert_true(uri_hash_is_ours(uri_hash_of_log(&event)));
    event.access.uri_rewritten = true;
    assert_int_equal(uri_hash_of_log(&event), 0);
    event.access.uri_rewritten = false;
    event.access.uri = SLICE(MASKED);
    assert_int_equal(uri_hash_of_log(&event), 0);
    assert_false(uri_hash_is_ours(INT64_C(1468214722874624227)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_masks_of_two_uris_are_not_confused),
        cmocka_unit_test(test_without_a_hash_two_equal_masks_stay_ambiguous),
        cmocka_unit_test(test_masked_lines_of_the_store_bring_their_hash),
        cmocka_unit_test(test_a_line_that_its_writer_masked_or_rewrote_has_no_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
