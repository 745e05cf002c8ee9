/* test_wishes.c - what the collector asks stands in the pages of one worker in four. */
#include "unit/collector/ingest/stage.h"

#include <errno.h>

#include "fpmscope/route_wish.h"

static struct recorder_wishes wishes_in_page(const struct stage *stage)
{
    struct recorder_page *page = calloc(1, sizeof *page);
    struct recorder_wishes wishes;
    char name[PAGE_NAME_BYTES];

    page_format_name(stage->sender.pid, stage->sender.start_ticks, name);
    assert_int_equal(page_read(stage->pages, name, PAGE_HEAD, page), 0);
    wishes = page->wishes;
    free(page);
    return wishes;
}

static void wish_for(struct stage *stage, const char *path, bool whole_path)
{
    ingest_wish(stage->ingest, &(struct ingest_wish){.path = slice_of(path),
                                                     .whole_path = whole_path,
                                                     .interval_bytes = 8192});
}

/* This very test is the only worker, with a page of its own. */
static void begin(struct stage *stage, const struct recorder_wishes *before)
{
    struct recorder_page *page = stage_page(stage, 1, "/a");

    page->wishes = *before;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    stage_hello(stage, WIRE_ROLE_WORKER);
}

static void test_a_wish_is_written_into_a_page_and_taken_out_again(void **state)
{
    struct stage *stage = *state;
    struct recorder_wishes wishes;

    begin(stage, &(struct recorder_wishes){0});
    wish_for(stage, "/contact/", true);
    wishes = wishes_in_page(stage);
    assert_true(route_wish_is_about(&wishes, "/contact/?a=b", 13));
    assert_false(route_wish_is_about(&wishes, "/contact/x", 10));
    assert_int_equal(wishes.interval_bytes, 8192);
    assert_int_equal(wishes.generation, 1);
    wish_for(stage, "/contact/", true);
    assert_int_equal(wishes_in_page(stage).generation, 1);
    wish_for(stage, "", false);
    wishes = wishes_in_page(stage);
    assert_int_equal(wishes.route_hash, 0);
    assert_int_equal(wishes.generation, 2);
}

static void test_what_an_earlier_collector_wished_is_taken_out(void **state)
{
    struct stage *stage = *state;

    begin(stage, &(struct recorder_wishes){.generation = 5, .route_hash = 99, .route_bytes = 3});
    wish_for(stage, "", false);
    assert_int_equal(wishes_in_page(stage).route_hash, 0);
    assert_int_equal(wishes_in_page(stage).generation, 6);
}

static void test_a_wish_about_all_requests_is_left_alone(void **state)
{
    struct stage *stage = *state;

    begin(stage, &(struct recorder_wishes){.generation = 5, .interval_bytes = 4096});
    wish_for(stage, "", false);
    assert_int_equal(wishes_in_page(stage).interval_bytes, 4096);
    assert_int_equal(wishes_in_page(stage).generation, 5);
}

static void test_a_file_too_short_for_a_page_is_not_written_to(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    const struct recorder_wishes wishes = {.generation = 1};

    stage_write_page(stage, 7, 8, page, 100);
    free(page);
    assert_int_equal(page_write_wishes(stage->pages, "7-8", &wishes), -EBADMSG);
    assert_int_equal(page_write_wishes(stage->pages, "7-9", &wishes), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_wish_is_written_into_a_page_and_taken_out_again,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(test_what_an_earlier_collector_wished_is_taken_out,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(test_a_wish_about_all_requests_is_left_alone, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(test_a_file_too_short_for_a_page_is_not_written_to,
                                        stage_setup, stage_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
