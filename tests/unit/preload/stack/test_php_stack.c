/* test_php_stack.c - walking and writing PHP stacks built by hand, whole and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sys/mman.h>

#include <cmocka.h>

#include "fake_php.h"

static struct fake_php php;
static struct php_stack stack;
static struct memory_reader reader;
static char text[64 * 1024];

static const char *walk_and_write(struct memory_reader *with)
{
    if (with)
        memory_reader_init(with);
    php_stack_walk(&php.engine, php.layout, with, &stack);
    text[php_stack_write(&stack, with, text, sizeof text - 1)] = '\0';
    return text;
}

static uintptr_t user(const char *name, const char *class_name, const char *file)
{
    return fake_function(&php, 2, name, class_name, file);
}

static void test_a_stack_is_written_innermost_first_in_every_layout_and_both_modes(void **state)
{
    static const char expected[] = "str_repeat\t\t\n"
                                   "load\tShop\\Model\t/srv/app/Model.php:42\n"
                                   "\t\t/srv/index.php:7\n";
    const struct php_layout *layout;

    (void) state;
    for (uint32_t i = 0; (layout = php_layout_at(i)); i++) {
        fake_php_init(&php, layout->branch);
        fake_call(&php, user(NULL, NULL, "/srv/index.php"), 7);
        fake_call(&php, user("load", "Shop\\Model", "/srv/app/Model.php"), 42);
        fake_call(&php, fake_function(&php, 1, "str_repeat", NULL, NULL), 99);
        assert_string_equal(walk_and_write(NULL), expected);
        assert_string_equal(walk_and_write(&reader), expected);
    }
}

static void test_an_idle_engine_has_an_empty_stack(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    assert_string_equal(walk_and_write(NULL), "");
    assert_int_equal(stack.cut, 0);
}

static void test_placeholder_frames_are_left_out(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    fake_call(&php, user("outer", NULL, "/a.php"), 1);
    fake_call(&php, 0, 2);
    fake_call(&php, fake_function(&php, 1, NULL, NULL, NULL), 2); /* a fiber's first */
    fake_call(&php, user("inner", NULL, "/a.php"), 3);
    assert_string_equal(walk_and_write(NULL), "inner\t\t/a.php:3\nouter\t\t/a.php:1\n");
}

static void test_the_line_of_an_internal_function_is_never_read(void **state)
{
    uintptr_t frame;

    (void) state;
    fake_php_init(&php, "8.2");
    frame = fake_call(&php, fake_function(&php, 1, "sort", NULL, NULL), 1);
    fake_poke(frame + PHP_EX_OPLINE, 0xdeadbeef00000008);
    assert_string_equal(walk_and_write(NULL), "sort\t\t\n");
}

static void test_a_frame_without_an_opline_yet_has_line_zero(void **state)
{
    uintptr_t frame;

    (void) state;
    fake_php_init(&php, "8.2");
    frame = fake_call(&php, user("f", NULL, "/a.php"), 1);
    fake_poke(frame + PHP_EX_OPLINE, 0);
    assert_string_equal(walk_and_write(NULL), "f\t\t/a.php:0\n");
}

static void test_eval_code_keeps_its_place(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    fake_call(&php, fake_function(&php, 4, NULL, NULL, "/a.php(3) : eval()'d code"), 1);
    assert_string_equal(walk_and_write(NULL), "\t\t/a.php(3) : eval()'d code:1\n");
}

static void test_an_anonymous_class_is_cut_at_its_nul(void **state)
{
    static const char name[] = "Shop\\Base@anonymous\0/srv/a.php:12$0";
    const uintptr_t class_entry = (fake_php_init(&php, "8.2"), fake_alloc(&php, 64));
    const uintptr_t function = user("run", NULL, "/srv/a.php");

    (void) state;
    fake_poke(class_entry + PHP_CLASS_NAME, fake_string_n(&php, name, sizeof name - 1));
    fake_poke(function + PHP_FUNC_SCOPE, class_entry);
    fake_call(&php, function, 13);
    assert_string_equal(walk_and_write(NULL), "run\tShop\\Base@anonymous\t/srv/a.php:13\n");
    assert_string_equal(walk_and_write(&reader), "run\tShop\\Base@anonymous\t/srv/a.php:13\n");
}

static void test_control_characters_cannot_forge_a_frame(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    fake_call(&php, user("a\tb\nc\x7f", "\xff\xfe", "/x\r.php"), 5);
    assert_string_equal(walk_and_write(NULL), "a\\x09b\\x0ac\\x7f\t\xff\xfe\t/x\\x0d.php:5\n");
}

static void test_long_names_are_shortened_and_a_long_file_keeps_its_tail(void **state)
{
    char name[400], file[800];

    (void) state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    memset(file, 'd', sizeof file);
    memcpy(file + sizeof file - 10, "/tail.php", 10);
    fake_php_init(&php, "8.2");
    fake_call(&php, user(name, name, file), 4294967295u);
    walk_and_write(NULL);
    assert_true(strlen(text) <= LIMIT_FRAME_BYTES);
    assert_non_null(strstr(text, "nnn...\t"));
    assert_non_null(strstr(text, "\t...ddd"));
    assert_non_null(strstr(text, "/tail.php:4294967295\n"));
}

static void test_a_name_of_nothing_but_control_characters_stays_within_a_line(void **state)
{
    char name[300];

    (void) state;
    memset(name, '\n', sizeof name);
    name[sizeof name - 1] = '\0';
    fake_php_init(&php, "8.2");
    fake_call(&php, user(name, name, name), 1);
    fake_call(&php, fake_function(&php, 1, name, name, NULL), 1);
    walk_and_write(NULL);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_in_range((size_t) (strchr(line, '\n') + 1 - line), 1, LIMIT_FRAME_BYTES);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void call_numbered(uint32_t count)
{
    char name[32];

    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "f%u", i);
        fake_call(&php, user(name, NULL, "/a.php"), i + 1);
    }
}

static void test_a_stack_of_300_frames_keeps_the_inner_48_and_the_outer_16(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    call_numbered(300);
    walk_and_write(NULL);
    assert_int_equal(stack.count, LIMIT_PHP_FRAMES);
    assert_int_equal(stack.skipped, 300 - LIMIT_PHP_FRAMES);
    assert_int_equal(stack.cut, 0);
    assert_memory_equal(text, "f299\t\t/a.php:300\n", 17);
    assert_non_null(strstr(text, "f252\t\t/a.php:253\n{236 frames cut}\t\t\nf15\t\t/a.php:16\n"));
    assert_non_null(strstr(text, "f0\t\t/a.php:1\n"));
}

static void test_a_stack_of_64_frames_is_whole(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    call_numbered(LIMIT_PHP_FRAMES);
    walk_and_write(&reader);
    assert_int_equal(stack.count, LIMIT_PHP_FRAMES);
    assert_int_equal(stack.skipped, 0);
    assert_null(strstr(text, "cut}"));
}

static void test_a_fast_walk_ends_in_a_deep_recursion_and_a_guarded_one_goes_on(void **state)
{
    uintptr_t function;

    (void) state;
    fake_php_init(&php, "8.2");
    fake_call(&php, user(NULL, NULL, "/index.php"), 1);
    function = user("again", NULL, "/a.php");
    for (int i = 0; i < 20000; i++)
        fake_call(&php, function, 2);
    walk_and_write(NULL);
    assert_int_equal(stack.cut, 1);
    assert_non_null(strstr(text, "{stack cut}\t\t\n"));
    walk_and_write(&reader);
    assert_int_equal(stack.cut, 0);
    assert_int_equal(stack.skipped, 20001 - LIMIT_PHP_FRAMES);
    assert_non_null(strstr(text, "\t\t/index.php:1\n"));
}

static void test_a_ring_of_frames_ends(void **state)
{
    uintptr_t first;

    (void) state;
    fake_php_init(&php, "8.2");
    first = fake_call(&php, user("a", NULL, "/a.php"), 1);
    fake_poke(first + php.layout->prev_execute_data, fake_call(&php, user("b", NULL, "/a.php"), 2));
    walk_and_write(NULL);
    assert_int_equal(stack.cut, 1);
    walk_and_write(&reader);
    assert_int_equal(stack.cut, 1);
}

static void test_links_that_are_no_pointers_end_even_a_fast_walk(void **state)
{
    static const uintptr_t bad[] = {8, 0x4141414141414141, 0xffffffffffffffff, 0x7f0000001001};
    uintptr_t frame;

    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_php_init(&php, "8.2");
        frame = fake_call(&php, user("a", NULL, "/a.php"), 1);
        fake_poke(frame + php.layout->prev_execute_data, bad[i]);
        assert_string_equal(walk_and_write(NULL), "a\t\t/a.php:1\n{stack cut}\t\t\n");
        fake_poke(frame + php.layout->prev_execute_data, 0);
        fake_poke(frame + PHP_EX_FUNC, bad[i]);
        walk_and_write(NULL);
        assert_int_equal(stack.count, 0);
        assert_int_equal(stack.cut, 1);
    }
}

static void test_unmapped_memory_ends_a_guarded_walk_with_what_it_has(void **state)
{
    const uintptr_t hole =
        (uintptr_t) mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uintptr_t inner = (fake_php_init(&php, "8.2"), user("in", NULL, "/a.php"));
    uintptr_t frame, function;

    (void) state;
    frame = fake_call(&php, user("out", NULL, "/a.php"), 1);
    fake_poke(frame + php.layout->prev_execute_data, hole);
    fake_call(&php, inner, 2);
    assert_string_equal(walk_and_write(&reader),
                        "in\t\t/a.php:2\nout\t\t/a.php:1\n{stack cut}\t\t\n");
    function = user("named", NULL, "/a.php");
    fake_poke(function + PHP_FUNC_NAME, hole);
    fake_call(&php, function, 3);
    assert_memory_equal(walk_and_write(&reader), "?\t\t/a.php:3\n", 12);
    munmap((void *) hole, 4096);
}

static void test_a_string_that_claims_to_be_endless_is_cut(void **state)
{
    uintptr_t function, name;

    (void) state;
    fake_php_init(&php, "8.2");
    function = user("f", NULL, "/a.php");
    name = fake_string(&php, "short");
    fake_poke(name + PHP_STRING_LEN, UINT64_MAX);
    fake_poke(function + PHP_FUNC_NAME, name);
    fake_poke(function + php.layout->filename, name);
    fake_call(&php, function, 3);
    walk_and_write(&reader);
    assert_memory_equal(text, "short", 5);
    assert_non_null(strchr(text, '\n'));
}

static void test_text_that_does_not_fit_ends_at_a_whole_line(void **state)
{
    size_t whole;

    (void) state;
    fake_php_init(&php, "8.2");
    call_numbered(10);
    php_stack_walk(&php.engine, php.layout, NULL, &stack);
    whole = php_stack_write(&stack, NULL, text, sizeof text);
    for (size_t cap = 0; cap < whole; cap++) {
        const size_t len = php_stack_write(&stack, NULL, text, cap);

        assert_true(len <= cap);
        assert_true(len == 0 || text[len - 1] == '\n');
    }
}

static uintptr_t engine_file;
static uint32_t engine_line;

static const char *engine_says_file(void)
{
    return (const char *) engine_file;
}

static uint32_t engine_says_line(void)
{
    return engine_line;
}

static void test_the_engine_confirms_or_refutes_the_running_line(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    php.engine.executed_filename = engine_says_file;
    php.engine.executed_line = engine_says_line;
    php_stack_walk(&php.engine, php.layout, NULL, &stack);
    assert_int_equal(php_stack_check(&php.engine, &stack), PHP_STACK_UNCHECKED);

    fake_call(&php, user("f", NULL, "/a.php"), 3);
    fake_call(&php, fake_function(&php, 1, "sort", NULL, NULL), 1);
    php_stack_walk(&php.engine, php.layout, NULL, &stack);
    engine_file = stack.frames[1].file + PHP_STRING_VAL;
    engine_line = 3;
    assert_int_equal(php_stack_check(&php.engine, &stack), PHP_STACK_RIGHT);
    engine_line = 4;
    assert_int_equal(php_stack_check(&php.engine, &stack), PHP_STACK_WRONG);
    engine_line = 3;
    engine_file += 8;
    assert_int_equal(php_stack_check(&php.engine, &stack), PHP_STACK_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stack_is_written_innermost_first_in_every_layout_and_both_modes),
        cmocka_unit_test(test_an_idle_engine_has_an_empty_stack),
        cmocka_unit_test(test_placeholder_frames_are_left_out),
        cmocka_unit_test(test_the_line_of_an_internal_function_is_never_read),
        cmocka_unit_test(test_a_frame_without_an_opline_yet_has_line_zero),
        cmocka_unit_test(test_eval_code_keeps_its_place),
        cmocka_unit_test(test_an_anonymous_class_is_cut_at_its_nul),
        cmocka_unit_test(test_control_characters_cannot_forge_a_frame),
        cmocka_unit_test(test_long_names_are_shortened_and_a_long_file_keeps_its_tail),
        cmocka_unit_test(test_a_name_of_nothing_but_control_characters_stays_within_a_line),
        cmocka_unit_test(test_a_stack_of_300_frames_keeps_the_inner_48_and_the_outer_16),
        cmocka_unit_test(test_a_stack_of_64_frames_is_whole),
        cmocka_unit_test(test_a_fast_walk_ends_in_a_deep_recursion_and_a_guarded_one_goes_on),
        cmocka_unit_test(test_a_ring_of_frames_ends),
        cmocka_unit_test(test_links_that_are_no_pointers_end_even_a_fast_walk),
        cmocka_unit_test(test_unmapped_memory_ends_a_guarded_walk_with_what_it_has),
        cmocka_unit_test(test_a_string_that_claims_to_be_endless_is_cut),
        cmocka_unit_test(test_text_that_does_not_fit_ends_at_a_whole_line),
        cmocka_unit_test(test_the_engine_confirms_or_refutes_the_running_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
