/* test_escalation.c - who is sampled more finely, until when, and by which path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/leak/escalation.h"

#define HAS(field) (UINT64_C(1) << EVENT_HAS_##field)

enum { WORKERS = 4, ROUTES = 10, LEAK_BYTES = 480 };

struct pool {
    struct escalation *escalation;
    const char *leaking; /* its URIs begin so; a number follows */
    int64_t now_us, next_id;
    int64_t seq[WORKERS], live_bytes[WORKERS];
    uint32_t random;
};

static uint32_t pick(struct pool *pool, uint32_t limit)
{
    pool->random = pool->random * 1664525u + 1013904223u;
    return (uint32_t) ((uint64_t) pool->random * limit >> 32);
}

static void request(struct pool *pool, int worker, const char *uri, int64_t left)
{
    const int64_t before = pool->live_bytes[worker];
    const struct event event = {.kind = EVENT_req,
                                .has = HAS(ts_us) | HAS(pid) | HAS(seq) | HAS(uri) | HAS(status) |
                                       HAS(live0_bytes) | HAS(live1_bytes),
                                .ts_us = pool->now_us += 1000,
                                .pid = 100 + worker,
                                .seq = ++pool->seq[worker],
                                .uri = slice_of(uri),
                                .status = 200,
                                .live0_bytes = before,
                                .live1_bytes = before + left};

    pool->live_bytes[worker] = before + left;
    escalation_feed(pool->escalation, &event);
}

static void sample(struct pool *pool, int worker)
{
    const struct event event = {.kind = EVENT_smp,
                                .has = HAS(pid) | HAS(seq) | HAS(id) | HAS(size_bytes) | HAS(stk) |
                                       HAS(interval_bytes),
                                .pid = 100 + worker,
                                .seq = pool->seq[worker],
                                .id = ++pool->next_id,
                                .size_bytes = LEAK_BYTES,
                                .interval_bytes = ESCALATION_INTERVAL_BYTES,
                                .stk = 7};

    escalation_feed(pool->escalation, &event);
}

/* One hit in ten leaks; every hundredth leak is sampled, if at all. */
static void serve(struct pool *pool, unsigned requests, bool sampled)
{
    for (unsigned i = 0; i < requests; i++) {
        const int worker = (int) pick(pool, WORKERS);
        const unsigned route = pick(pool, ROUTES);
        char uri[64];

        snprintf(uri, sizeof uri, "/healthy%u", route);
        if (route == 3)
            snprintf(uri, sizeof uri, "%s%u", pool->leaking, pick(pool, 100000) + 1000);
        request(pool, worker, uri, route == 3 ? LEAK_BYTES : 0);
        if (route == 3 && sampled && pick(pool, 20) == 0)
            sample(pool, worker);
    }
}

static struct pool pool_new(const char *leaking)
{
    return (struct pool){.escalation = escalation_new(), .leaking = leaking, .random = 1};
}

static struct slice wished(struct pool *pool)
{
    return escalation_choose(pool->escalation).path;
}

static void test_a_leak_without_a_stack_is_wished_by_its_path(void **state)
{
    struct pool pool = pool_new("/contact/?n=");
    struct escalation_wish wish;

    (void) state;
    serve(&pool, 100, false);
    assert_true(slice_equal(wished(&pool), SLICE("")));
    serve(&pool, 2000, false);
    wished(&pool);
    serve(&pool, 100, false); /* it is the target now, and shows its paths */
    wish = escalation_choose(pool.escalation);
    assert_true(slice_equal(wish.path, SLICE("/contact/")));
    assert_true(wish.whole_path);
    escalation_free(pool.escalation);
}

static void test_paths_of_one_template_are_wished_by_what_they_have_in_common(void **state)
{
    struct pool pool = pool_new("/product/");
    struct escalation_wish wish;

    (void) state;
    serve(&pool, 2100, false);
    wished(&pool);
    serve(&pool, 200, false);
    wish = escalation_choose(pool.escalation);
    assert_true(slice_equal(wish.path, SLICE("/product/")));
    assert_false(wish.whole_path);
    escalation_free(pool.escalation);
}

static void test_paths_that_have_nothing_in_common_are_not_wished(void **state)
{
    struct pool pool = pool_new("/");

    (void) state;
    serve(&pool, 2100, false);
    wished(&pool);
    serve(&pool, 200, false);
    assert_true(slice_equal(wished(&pool), SLICE("")));
    escalation_free(pool.escalation);
}

static void test_the_wish_ends_when_the_stack_is_named(void **state)
{
    struct pool pool = pool_new("/contact/?n=");

    (void) state;
    serve(&pool, 2100, false);
    wished(&pool);
    serve(&pool, 100, false);
    assert_true(slice_equal(wished(&pool), SLICE("/contact/")));
    serve(&pool, 1000, true);
    assert_true(slice_equal(wished(&pool), SLICE("")));
    escalation_free(pool.escalation);
}

static void test_the_wish_ends_when_nothing_comes_of_it_and_is_not_repeated(void **state)
{
    struct pool pool = pool_new("/contact/?n=");

    (void) state;
    serve(&pool, 2100, false);
    wished(&pool);
    serve(&pool, ROUTES * (ESCALATION_HITS_MAX + 200), false);
    assert_true(slice_equal(wished(&pool), SLICE("")));
    serve(&pool, 200, false);
    assert_true(slice_equal(wished(&pool), SLICE("")));
    escalation_free(pool.escalation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leak_without_a_stack_is_wished_by_its_path),
        cmocka_unit_test(test_paths_of_one_template_are_wished_by_what_they_have_in_common),
        cmocka_unit_test(test_paths_that_have_nothing_in_common_are_not_wished),
        cmocka_unit_test(test_the_wish_ends_when_the_stack_is_named),
        cmocka_unit_test(test_the_wish_ends_when_nothing_comes_of_it_and_is_not_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
