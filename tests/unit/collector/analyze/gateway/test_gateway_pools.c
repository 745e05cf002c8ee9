/* test_gateway_pools.c - several pools behind one master: the one that was full is named. */
#include "gateway_case.h"

#define CLIENT "192.0.2.7"

/* A request to a pool: its port tells which. */
#define POOL_BEG(s, us, pid, pool, port, uri)                                                      \
    "{\"e\":\"beg\"," TS(s, us) ",\"pid\":" pid ",\"ppid\":900,\"seq\":1,\"pool\":\"" pool         \
                                "\",\"method\":\"GET\",\"uri\":\"" uri                             \
                                "\",\"host\":\"shop.example\",\"port\":\"" port                    \
                                "\",\"ip\":\"" CLIENT "\",\"ua\":\"test\"}\n"
#define LINE(s, status, uri, took, port) HOP_ID(s, status, uri, took, "phpfpm", port, CLIENT, "")

/* One worker of "small" is held from .1 on; "large" has two, one of them free. */
#define TWO_POOLS                                                                                  \
    EVENTS POOL_BEG("1", "000000", "51", "large", "8080", "/a/") REQ("1", "200000", "51")          \
        POOL_BEG("1", "010000", "52", "large", "8080", "/b/") REQ("1", "200000", "52")             \
            POOL_BEG("2", "100000", "41", "small", "8081", "/export/")                             \
                POOL_BEG("2", "200000", "51", "large", "8080", "/slow/") REQ("6", "000000", "41")  \
                    REQ("6", "100000", "51")

static const struct gateway_row *row_of(const struct gateway_report *report, const char *uri)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].uri, slice_of(uri)))
            return &report->rows[i];
    return NULL;
}

static void test_a_pool_whose_only_worker_is_held_is_exhausted_and_the_other_is_not(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = LINE("4", "502", "/refused/", "0.000", "8081")
                                           LINE("4", "502", "/other/", "0.000", "8080"),
                                       .events = TWO_POOLS},
                 &report);
    const struct gateway_row *refused = row_of(report, "/refused/"),
                             *other = row_of(report, "/other/");

    (void) state;
    assert_non_null(refused);
    assert_int_equal(refused->verdict, VERDICT_pool_exhausted);
    assert_true(slice_equal(refused->pool, SLICE("small")));
    assert_true(slice_find(refused->sentence, SLICE("now 1 ")) >= 0);
    assert_true(slice_find(refused->sentence, SLICE("/export/")) >= 0);
    assert_true(slice_find(refused->sentence, SLICE("/slow/")) < 0); /* it held another pool */
    assert_non_null(other);
    assert_int_equal(other->verdict, VERDICT_unknown);
    gateway_free(gateway);
}

static void test_the_advice_counts_what_fits_of_that_pools_workers(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = LINE("4", "502", "/refused/", "0.000", "8081"),
            .error = FAULT("4",
                           "connect() to unix:/run/small.sock failed (11: Resource "
                           "temporarily unavailable) while connecting to upstream",
                           "/refused/", CLIENT, PHP_SOCKET),
            .fpm = FPM("3", "WARNING: [pool small] server reached pm.max_children setting (1), "
                            "consider raising it")
                FPM("3", "WARNING: [pool large] server reached pm.max_children setting (40), "
                         "consider raising it"),
            .events = TWO_POOLS "{\"e\":\"rss\"," TS(
                "3", "500000") ",\"name\":\"php-fpm: pool large\",\"n\":40,"
                               "\"rss\":4194304}\n"
                               "{\"e\":\"rss\"," TS(
                                   "3", "500000") ",\"name\":\"php-fpm: pool small\",\"n\":1,"
                                                  "\"rss\":204799}\n"
                                                  "{\"e\":\"rss\"," TS(
                                                      "3", "500000") ",\"name\":\"(available)\","
                                                                     "\"rss\":1024000}\n"},
        &report);
    const struct gateway_row *row = row_of(report, "/refused/");

    (void) state;
    assert_non_null(row);
    assert_int_equal(row->verdict, VERDICT_pool_exhausted);
    assert_true(slice_find(row->advice, SLICE("(now 1;")) >= 0); /* and not 40 */
    /* 1 + (1,000 MiB less a tenth) / 200 MiB */
    assert_true(slice_find(row->advice, SLICE("memory is there for 5 in all")) >= 0);
    gateway_free(gateway);
}

/* A worker that has not served yet may be of any pool: it may be the free one. */
static void test_a_worker_of_an_unknown_pool_keeps_pools_from_being_called_full(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = LINE("4", "502", "/refused/", "0.000", "8081"),
            .events =
                EVENTS "{\"e\":\"start\"," TS("0", "000000") ",\"pid\":60,\"ppid\":900}\n" POOL_BEG(
                    "2", "100000", "41", "small", "8081", "/export/") REQ("6", "000000", "41")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_whose_only_worker_is_held_is_exhausted_and_the_other_is_not),
        cmocka_unit_test(test_the_advice_counts_what_fits_of_that_pools_workers),
        cmocka_unit_test(test_a_worker_of_an_unknown_pool_keeps_pools_from_being_called_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
