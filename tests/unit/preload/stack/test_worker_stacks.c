/* test_worker_stacks.c - ids and texts for stacks, and a walker that must be confirmed first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_php.h"
#include "fpmscope/wire.h"
#include "stack/worker_stacks.h"

static struct fake_php php;
static struct worker_stacks stacks;
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

static int setup(void **state)
{
    (void) state;
    fake_php_init(&php, "8.2");
    memset(&stacks, 0, sizeof stacks);
    worker_stacks_init(&stacks, NULL, NULL);
    worker_stacks_start(&stacks);
    stacks.engine = php.engine;
    stacks.engine.executed_filename = engine_says_file;
    stacks.engine.executed_line = engine_says_line;
    stacks.layout = php.layout;
    stacks.note = 0;
    return 0;
}

/* Call a function at `line`, and let the engine agree that it runs there. */
static void run(const char *name, uint32_t line)
{
    const uintptr_t function = fake_function(&php, 2, name, NULL, "/a.php");

    memcpy(&engine_file, (void *) (function + php.layout->filename), sizeof engine_file);
    engine_file += PHP_STRING_VAL;
    engine_line = line;
    fake_call(&php, function, line);
}

static uint32_t take(struct stack_text *text)
{
    return worker_stacks_take(&stacks, __builtin_return_address(0), WORKER_STACKS_PHP, text);
}

static void test_a_stack_is_told_once_and_numbered_for_ever(void **state)
{
    struct stack_text text;
    uint32_t id;

    (void) state;
    run("f", 3);
    id = take(&text);
    assert_true(id != 0 && text.is_new);
    assert_int_equal(text.php_len_bytes, 12);
    assert_memory_equal(text.php, "f\t\t/a.php:3\n", 12);
    assert_int_equal(take(&text), id);
    assert_false(text.is_new);
    run("g", 4);
    assert_int_not_equal(take(&text), id);
    assert_true(text.is_new);
}

static void test_a_text_that_was_not_sent_is_told_again(void **state)
{
    struct stack_text text;

    (void) state;
    run("f", 3);
    take(&text);
    worker_stacks_unsent(&stacks, &text);
    take(&text);
    assert_true(text.is_new);
    worker_stacks_reset(&stacks);
    take(&text);
    assert_true(text.is_new);
}

static void test_an_idle_worker_has_no_stack(void **state)
{
    struct stack_text text;

    (void) state;
    assert_int_equal(take(&text), 0);
}

static void test_a_walker_that_the_engine_contradicts_is_off_for_good(void **state)
{
    struct stack_text text;

    (void) state;
    run("f", 3);
    engine_line = 99;
    for (int i = 0; i < WORKER_STACKS_CONTRADICTIONS_MAX; i++) {
        assert_non_null(stacks.layout);
        assert_int_equal(take(&text), 0);
    }
    assert_null(stacks.layout);
    assert_int_equal(worker_stacks_take_note(&stacks).code, WIRE_NOTE_SELF_CHECK);
    assert_int_equal(worker_stacks_take_note(&stacks).code, 0);
    engine_line = 3;
    assert_int_equal(take(&text), 0);
}

static void test_one_contradiction_costs_one_stack(void **state)
{
    struct stack_text text;

    (void) state;
    run("f", 3);
    engine_line = 99;
    assert_int_equal(take(&text), 0);
    engine_line = 3;
    assert_true(take(&text) != 0);
    assert_int_equal(worker_stacks_take_note(&stacks).code, 0);
}

static void test_garbage_before_the_first_check_does_not_crash_the_host(void **state)
{
    struct stack_text text;

    (void) state;
    fake_poke((uintptr_t) php.engine.executor_globals + php.layout->current_execute_data,
              0x6000000000);
    for (int i = 0; i < WORKER_STACKS_CONTRADICTIONS_MAX; i++)
        assert_int_equal(take(&text), 0);
    assert_int_equal(worker_stacks_take_note(&stacks).code, WIRE_NOTE_SELF_CHECK);
}

static void test_internal_functions_alone_neither_confirm_nor_refute(void **state)
{
    struct stack_text text;

    (void) state;
    fake_call(&php, fake_function(&php, 1, "rinit", NULL, NULL), 1);
    assert_int_equal(take(&text), 0);
    assert_non_null(stacks.layout);
    run("f", 3);
    assert_true(take(&text) != 0);
}

static void test_a_confirmed_walker_is_not_asked_again(void **state)
{
    struct stack_text text;

    (void) state;
    run("f", 3);
    assert_true(take(&text) != 0);
    engine_line = 99;
    assert_true(take(&text) != 0);
    assert_non_null(stacks.layout);
}

static void test_in_another_program_there_are_only_native_stacks_and_it_is_said(void **state)
{
    static struct worker_stacks elsewhere;
    struct stack_text text;

    (void) state;
    worker_stacks_init(&elsewhere, NULL, NULL);
    assert_int_equal(worker_stacks_start(&elsewhere), WIRE_CAN_NATIVE_STACK);
    assert_int_equal(worker_stacks_take_note(&elsewhere).code, WIRE_NOTE_LAYOUT);
    assert_int_not_equal(worker_stacks_take(&elsewhere, NULL, WORKER_STACKS_NATIVE, &text), 0);
}

static void test_a_stack_that_only_libunwind_could_follow_is_a_note_once(void **state)
{
    struct worker_stacks_note note;
    struct stack_text text;

    (void) state;
    run("f", 3);
    (void) take(&text);
    assert_int_equal(worker_stacks_take_note(&stacks).code, 0);
    stacks.native.fallback.missed = true;
    (void) worker_stacks_take(&stacks, NULL, WORKER_STACKS_NATIVE, &text);
    note = worker_stacks_take_note(&stacks);
    assert_int_equal(note.code, WIRE_NOTE_LIBRARY);
    assert_non_null(strstr(note.detail, "libunwind"));
    (void) worker_stacks_take(&stacks, NULL, WORKER_STACKS_NATIVE, &text);
    assert_int_equal(worker_stacks_take_note(&stacks).code, 0);
}

static void test_a_note_says_what_is_missing_and_of_a_layout_which_php_it_is(void **state)
{
    static const uint16_t codes[] = {WIRE_NOTE_UNWINDER, WIRE_NOTE_SELF_CHECK, WIRE_NOTE_LIBRARY};

    (void) state;
    memcpy(stacks.build.version, "8.9.1", sizeof "8.9.1");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        stacks.note = codes[i];
        assert_non_null(strstr(worker_stacks_take_note(&stacks).detail, "stacks"));
    }
    stacks.note = WIRE_NOTE_LAYOUT;
    assert_string_equal(worker_stacks_take_note(&stacks).detail, "8.9.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_stack_is_told_once_and_numbered_for_ever, setup),
        cmocka_unit_test_setup(test_a_text_that_was_not_sent_is_told_again, setup),
        cmocka_unit_test_setup(test_an_idle_worker_has_no_stack, setup),
        cmocka_unit_test_setup(test_a_walker_that_the_engine_contradicts_is_off_for_good, setup),
        cmocka_unit_test_setup(test_one_contradiction_costs_one_stack, setup),
        cmocka_unit_test_setup(test_garbage_before_the_first_check_does_not_crash_the_host, setup),
        cmocka_unit_test_setup(test_internal_functions_alone_neither_confirm_nor_refute, setup),
        cmocka_unit_test_setup(test_a_confirmed_walker_is_not_asked_again, setup),
        cmocka_unit_test_setup(test_a_stack_that_only_libunwind_could_follow_is_a_note_once, setup),
        cmocka_unit_test_setup(test_a_note_says_what_is_missing_and_of_a_layout_which_php_it_is,
                               setup),
        cmocka_unit_test(test_in_another_program_there_are_only_native_stacks_and_it_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
