/* test_code_map.c - rows of /proc/PID/maps, true ones and lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "ingest/code_map.h"

static struct code_map *parse(const char *text)
{
    struct code_map *map;

    assert_int_equal(code_map_parse(slice_of(text), &map), 0);
    return map;
}

static void assert_library(const struct code_row *row, const char *expected)
{
    const struct slice library = code_row_library(row);

    assert_int_equal(library.len_bytes, strlen(expected));
    assert_memory_equal(library.ptr, expected, library.len_bytes);
}

static void test_executable_rows_are_kept_with_their_file(void **state)
{
    struct code_map *map =
        parse("55d0c0000000-55d0c0100000 r--p 00000000 fe:01 123    /usr/sbin/php-fpm8.2\n"
              "55d0c0100000-55d0c0400000 r-xp 00100000 fe:01 123    /usr/sbin/php-fpm8.2\n"
              "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
              "7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0      [vdso]\n");

    (void) state;
    assert_int_equal(map->count, 3);
    assert_int_equal(map->skipped, 0);
    assert_int_equal(map->rows[0].start, 0x55d0c0100000);
    assert_int_equal(map->rows[0].file_offset, 0x100000);
    assert_int_equal(map->rows[0].device_major, 0xfe);
    assert_int_equal(map->rows[0].inode, 123);
    assert_string_equal(map->rows[0].path, "/usr/sbin/php-fpm8.2");
    assert_library(&map->rows[0], "php-fpm8.2");
    assert_library(&map->rows[1], "[anon]");
    assert_library(&map->rows[2], "[vdso]");
    code_map_free(map);
}

static void test_an_address_is_found_in_its_row_and_nowhere_else(void **state)
{
    struct code_map *map = parse("1000-2000 r-xp 00000000 00:01 1 /a\n"
                                 "2000-3000 r-xp 00000000 00:01 2 /b\n"
                                 "5000-6000 r-xp 00000000 00:01 3 /c\n");

    (void) state;
    assert_null(code_map_find(map, 0xfff));
    assert_string_equal(code_map_find(map, 0x1000)->path, "/a");
    assert_string_equal(code_map_find(map, 0x1fff)->path, "/a");
    assert_string_equal(code_map_find(map, 0x2000)->path, "/b");
    assert_null(code_map_find(map, 0x3000));
    assert_string_equal(code_map_find(map, 0x5fff)->path, "/c");
    assert_null(code_map_find(map, UINT64_MAX));
    assert_null(code_map_find(NULL, 0x1000));
    code_map_free(map);
}

static void test_a_replaced_library_is_marked_deleted(void **state)
{
    struct code_map *map = parse("1000-2000 r-xp 0 00:01 1 /usr/lib/php/x y.so (deleted)\n");

    (void) state;
    assert_true(map->rows[0].deleted);
    assert_string_equal(map->rows[0].path, "/usr/lib/php/x y.so");
    code_map_free(map);
}

static void test_rows_that_make_no_sense_are_skipped_and_counted(void **state)
{
    static const char *const lies[] = {
        "2000-1000 r-xp 0 00:01 1 /backwards",
        "1000-1000 r-xp 0 00:01 1 /empty",
        "zzzz-2000 r-xp 0 00:01 1 /nohex",
        "1000-2000 r-x",
        "1000-2000",
        "1000-2000 r-xp 0 0001 1 /nodevice",
        "fffffffffffffffff-2000 r-xp 0 00:01 1 /wide",
        "1000-2000 r-xp 0 00:01 99999999999999999999999 /wide inode",
        "\x01\x02\x03",
    };

    (void) state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct code_map *map = parse(lies[i]);

        assert_int_equal(map->count, 0);
        assert_int_equal(map->skipped, 1);
        code_map_free(map);
    }
}

static void test_overlapping_and_disordered_rows_are_not_believed(void **state)
{
    struct code_map *map = parse("5000-7000 r-xp 0 00:01 1 /a\n"
                                 "6000-8000 r-xp 0 00:01 1 /overlaps\n"
                                 "1000-2000 r-xp 0 00:01 1 /before\n"
                                 "7000-8000 r-xp 0 00:01 1 /b\n");

    (void) state;
    assert_int_equal(map->count, 2);
    assert_int_equal(map->skipped, 2);
    assert_string_equal(map->rows[1].path, "/b");
    code_map_free(map);
}

static void test_a_nul_in_a_path_ends_it(void **state)
{
    static const char text[] = "1000-2000 r-xp 0 00:01 1 /a\0/b\n";
    const struct slice bytes = {.ptr = text, .len_bytes = sizeof text - 1};
    struct code_map *map;

    (void) state;
    assert_int_equal(code_map_parse(bytes, &map), 0);
    assert_string_equal(map->rows[0].path, "/a");
    code_map_free(map);
}

static void test_no_more_rows_than_the_limit_are_kept(void **state)
{
    enum { ROWS = CODE_MAP_ROWS_MAX + 10 };
    char *text = malloc(ROWS * 64);
    struct code_map *map;
    size_t len = 0;

    (void) state;
    for (unsigned i = 1; i <= ROWS; i++)
        len += (size_t) sprintf(text + len, "%x000-%x800 r-xp 0 00:01 1 /a\n", i, i);
    map = parse(text);
    assert_int_equal(map->count, CODE_MAP_ROWS_MAX);
    assert_int_equal(map->skipped, 10);
    code_map_free(map);
    free(text);
}

static void test_the_map_of_this_process_holds_this_function(void **state)
{
    const struct code_row *row;
    struct code_map *map;

    (void) state;
    assert_int_equal(code_map_read(getpid(), &map), 0);
    row = code_map_find(map, (uintptr_t) test_the_map_of_this_process_holds_this_function);
    assert_non_null(row);
    assert_library(row, "test_code_map");
    assert_non_null(code_map_find(map, (uintptr_t) memmem));
    code_map_free(map);
}

static void test_the_map_of_nobody_is_an_error(void **state)
{
    struct code_map *map;

    (void) state;
    assert_true(code_map_read(0x3ffffff, &map) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_executable_rows_are_kept_with_their_file),
        cmocka_unit_test(test_an_address_is_found_in_its_row_and_nowhere_else),
        cmocka_unit_test(test_a_replaced_library_is_marked_deleted),
        cmocka_unit_test(test_rows_that_make_no_sense_are_skipped_and_counted),
        cmocka_unit_test(test_overlapping_and_disordered_rows_are_not_believed),
        cmocka_unit_test(test_a_nul_in_a_path_ends_it),
        cmocka_unit_test(test_no_more_rows_than_the_limit_are_kept),
        cmocka_unit_test(test_the_map_of_this_process_holds_this_function),
        cmocka_unit_test(test_the_map_of_nobody_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
