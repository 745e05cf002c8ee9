/* test_idmap.c - the hash table against a plain array, and its ceiling. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/idmap.h"

static void test_what_is_put_is_found_and_what_is_removed_is_not(void **state)
{
    enum { KEYS = 3000 };
    struct idmap map;
    uint32_t value;

    (void) state;
    idmap_init(&map, KEYS);
    for (uint64_t key = 0; key < KEYS; key++)
        assert_int_equal(idmap_put(&map, key * 64, (uint32_t) key), 0);
    for (uint64_t key = 0; key < KEYS; key += 3)
        idmap_remove(&map, key * 64);
    for (uint64_t key = 0; key < KEYS; key++) {
        bool found = idmap_get(&map, key * 64, &value);

        assert_int_equal(found, key % 3 != 0);
        if (found)
            assert_int_equal(value, key);
    }
    assert_int_equal(map.count, KEYS - KEYS / 3);
    idmap_release(&map);
}

static void test_put_replaces(void **state)
{
    struct idmap map;
    uint32_t value = 0;

    (void) state;
    idmap_init(&map, 1);
    assert_int_equal(idmap_put(&map, 7, 1), 0);
    assert_int_equal(idmap_put(&map, 7, 2), 0);
    assert_true(idmap_get(&map, 7, &value));
    assert_int_equal(value, 2);
    idmap_release(&map);
}

static void test_the_ceiling_holds(void **state)
{
    struct idmap map;
    uint32_t value;

    (void) state;
    idmap_init(&map, 2);
    assert_int_equal(idmap_put(&map, 1, 1), 0);
    assert_int_equal(idmap_put(&map, 2, 2), 0);
    assert_int_equal(idmap_put(&map, 3, 3), -ENOSPC);
    assert_false(idmap_get(&map, 3, &value));
    idmap_remove(&map, 1);
    assert_int_equal(idmap_put(&map, 3, 3), 0);
    idmap_release(&map);
}

static void test_an_empty_map_has_nothing(void **state)
{
    struct idmap map;
    uint32_t value;

    (void) state;
    idmap_init(&map, 10);
    assert_false(idmap_get(&map, 0, &value));
    idmap_remove(&map, 0);
    idmap_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_put_is_found_and_what_is_removed_is_not),
        cmocka_unit_test(test_put_replaces),
        cmocka_unit_test(test_the_ceiling_holds),
        cmocka_unit_test(test_an_empty_map_has_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
