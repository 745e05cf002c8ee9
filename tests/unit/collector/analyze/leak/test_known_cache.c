/* test_known_cache.c - a cache of PHP that is still filling is recognised by its stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/leak/known_cache.h"

static const struct slice pcre[] = {SLICE("pcre2_compile_8 (libpcre2-8.so.0)"),
                                    SLICE("pcre_get_compiled_regex_cache_ex (php-fpm8.2)"),
                                    SLICE("preg_match")};

static void test_the_cache_of_pcre_explains_growth_until_it_must_be_full(void **state)
{
    const int cache = known_cache_of(pcre, 3);

    (void) state;
    assert_non_null(known_cache_reason(cache, 500));
    assert_non_null(known_cache_reason(cache, 4096));
    assert_null(known_cache_reason(cache, 100000));
}

static void test_another_stack_is_not_excused(void **state)
{
    const struct slice other[] = {SLICE("pcre2_compile_8 (libpcre2-8.so.0)"), SLICE("my_match")};

    (void) state;
    assert_int_equal(known_cache_of(other, 2), KNOWN_CACHE_NONE);
    assert_int_equal(known_cache_of(NULL, 0), KNOWN_CACHE_NONE);
    assert_null(known_cache_reason(KNOWN_CACHE_NONE, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_cache_of_pcre_explains_growth_until_it_must_be_full),
        cmocka_unit_test(test_another_stack_is_not_excused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
