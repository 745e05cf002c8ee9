/*
 * test_unwind_table.c - rows of unwind tables that the assembler made.
 *
 * The code below is never run: its labels are program counters, its directives say what their rows
 * must be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/unwind_image.h"

/* All on x86-64's numbers: 6 is the frame pointer, 7 the stack pointer, 16 the return address. */
#ifdef __x86_64__
__asm__(".pushsection .text\n"
        "odd: .cfi_startproc\n"
        "odd_entry: nop\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 6, -16\n"
        "odd_pushed: nop\n"
        ".cfi_def_cfa_register 6\n"
        "odd_framed: .zero 300\n" /* an advance of two bytes */
        ".cfi_remember_state\n"
        ".cfi_def_cfa 7, 8\n"
        ".cfi_restore 6\n"
        "odd_left: nop\n"
        ".cfi_restore_state\n"
        "odd_again: nop\n"
        ".cfi_def_cfa_register 3\n"
        "odd_other_register: nop\n"
        ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n" /* what is stored at fp - 8 */
        ".cfi_escape 0x10, 6, 2, 0x76, 0\n"       /* fp at fp + 0 */
        "odd_aligned: nop\n"
        ".cfi_escape 0x0f, 3, 0x77, 0x78, 0x06\n" /* at sp - 8 */
        "odd_expression: nop\n"
        ".cfi_def_cfa 7, 4096\n"
        ".cfi_undefined 16\n"
        "odd_outermost: nop\n"
        ".cfi_endproc\n"
        "odd_end: .zero 16\n"
        ".popsection\n");
extern const char odd_entry[], odd_pushed[], odd_framed[], odd_left[], odd_again[],
    odd_other_register[], odd_aligned[], odd_expression[], odd_outermost[], odd_end[];

static bool row_at(const char *pc, struct unwind_row *ret_row)
{
    struct unwind_image image;

    return unwind_image_find((uintptr_t) pc, &image) &&
           unwind_table_row(&image, (uintptr_t) pc, ret_row);
}

static void assert_row(const char *pc, enum unwind_base cfa, int32_t offset_bytes,
                       enum unwind_where fp)
{
    struct unwind_row row;

    assert_true(row_at(pc, &row));
    assert_int_equal(row.cfa, cfa);
    assert_int_equal(row.cfa_offset_bytes, offset_bytes);
    assert_int_equal(row.fp.where, fp);
    assert_int_equal(row.ra.where, UNWIND_AT_CFA);
    assert_int_equal(row.ra.offset_bytes, -8);
}

static void test_a_row_holds_from_its_place_to_the_next(void **state)
{
    (void) state;
    assert_row(odd_entry, UNWIND_BASE_SP, 8, UNWIND_SAME);
    assert_row(odd_pushed, UNWIND_BASE_SP, 16, UNWIND_AT_CFA);
    assert_row(odd_framed, UNWIND_BASE_FP, 16, UNWIND_AT_CFA);
    assert_row(odd_framed + 299, UNWIND_BASE_FP, 16, UNWIND_AT_CFA);
}

static void test_a_state_is_remembered_and_put_back(void **state)
{
    (void) state;
    assert_row(odd_left, UNWIND_BASE_SP, 8, UNWIND_SAME);
    assert_row(odd_again, UNWIND_BASE_FP, 16, UNWIND_AT_CFA);
}

static void test_the_expression_of_an_aligned_stack_is_known_and_no_other(void **state)
{
    struct unwind_row row;

    (void) state;
    assert_row(odd_aligned, UNWIND_BASE_AT_FP, -8, UNWIND_AT_FP);
    assert_false(row_at(odd_expression, &row));
    assert_false(row_at(odd_other_register, &row));
}

static void test_the_outermost_frame_has_no_return_address(void **state)
{
    struct unwind_row row;

    (void) state;
    assert_true(row_at(odd_outermost, &row));
    assert_int_equal(row.cfa_offset_bytes, 4096);
    assert_int_equal(row.ra.where, UNWIND_LOST);
}

static void test_between_functions_there_is_no_row(void **state)
{
    struct unwind_row row;

    (void) state;
    assert_false(row_at(odd_end + 8, &row));
}

static bool covers(const char *pc)
{
    struct unwind_image image;

    return unwind_image_find((uintptr_t) pc, &image) && unwind_table_covers(&image, (uintptr_t) pc);
}

static void test_a_row_of_another_kind_is_told_from_none(void **state)
{
    (void) state;
    assert_true(covers(odd_entry));
    assert_true(covers(odd_other_register));
    assert_true(covers(odd_expression));
    assert_false(covers(odd_end + 8));
}
#endif

static void test_data_lies_in_no_function(void **state)
{
    static int somewhere;
    struct unwind_image image;
    struct unwind_row row;
    void *const heap = malloc(1);

    (void) state;
    assert_true(unwind_image_find((uintptr_t) &somewhere, &image) == false ||
                !unwind_table_row(&image, (uintptr_t) &somewhere, &row));
    assert_false(unwind_image_find((uintptr_t) heap, &image));
    free(heap);
}

/* A header, a CIE and an FDE of 16 bytes of code at `code`, as a linker would write them. */
static struct table {
    struct {
        uint8_t version, encodings[3];
        int32_t frames;
        uint32_t count;
        int32_t function, fde;
    } header;
    struct {
        uint32_t len_bytes, id;
        uint8_t version, letters[3], code_step, data_step, ra, augmentation_bytes, encoding;
        uint8_t program[11];
    } cie;
    struct {
        uint32_t len_bytes, cie_distance_bytes;
        int32_t begin;
        uint32_t size_bytes;
        uint8_t augmentation_bytes, program[11];
    } fde;
    uint8_t code[16];
} table;

static const struct unwind_image table_image = {
    .tables = {(uintptr_t) &table, (uintptr_t) &table + offsetof(struct table, code)},
    .header = (uintptr_t) &table,
};

static int setup_table(void **state)
{
    (void) state;
    table = (struct table){
        .header = {.version = 1,
                   .encodings = {0x1b, 0x03, 0x3b},
                   .count = 1,
                   .function = offsetof(struct table, code),
                   .fde = offsetof(struct table, fde)},
        .cie = {.len_bytes = sizeof table.cie - 4,
                .version = 1,
                .letters = "zR",
                .code_step = 1,
                .data_step = 0x78, /* -8 */
                .ra = 16,
                .augmentation_bytes = 1,
                .encoding = 0x1b,
                .program = {0x0c, UNWIND_REGISTER_SP, 8, 0x80 | 16, 1}},
        .fde = {.len_bytes = sizeof table.fde - 4,
                .cie_distance_bytes = offsetof(struct table, fde) + 4 - offsetof(struct table, cie),
                .begin = offsetof(struct table, code) - offsetof(struct table, fde.begin),
                .size_bytes = 16,
                .program = {0x44, 0x0e, 24}}, /* from the fifth byte on, 24 */
    };
    return 0;
}

static bool table_row(size_t at, struct unwind_row *ret_row)
{
    return unwind_table_row(&table_image, (uintptr_t) table.code + at, ret_row);
}

static void test_a_made_table_is_read(void **state)
{
    struct unwind_row row;

    (void) state;
    assert_true(table_row(3, &row));
    assert_int_equal(row.cfa_offset_bytes, 8);
    assert_int_equal(row.ra.offset_bytes, -8);
    assert_true(table_row(4, &row));
    assert_int_equal(row.cfa_offset_bytes, 24);
    assert_false(table_row(16, &row));
}

static void test_what_is_not_understood_has_no_row(void **state)
{
    static const struct {
        uint8_t *byte, value;
    } changes[] = {
        {&table.fde.program[3], 0x3f},       /* no instruction */
        {&table.fde.program[3], 0x0b},       /* nothing was remembered */
        {&table.fde.program[10], 0x0e},      /* cut short */
        {&table.cie.version, 4},             /* of another DWARF */
        {&table.cie.letters[0], 'y'},        /* fields of unknown size */
        {&table.cie.encoding, 0x3b},         /* relative to what? */
        {&table.cie.augmentation_bytes, 90}, /* beyond the record */
        {(uint8_t *) &table.cie.id, 1},      /* not a CIE */
        {(uint8_t *) &table.cie.len_bytes + 3, 0x10},
        {(uint8_t *) &table.fde.len_bytes + 3, 0x10},
        {(uint8_t *) &table.fde.cie_distance_bytes + 3, 0x70},
        {(uint8_t *) &table.header.fde + 3, 0x70},
        {(uint8_t *) &table.header.count, 200},
        {(uint8_t *) &table.header.count, 0},
    };
    struct unwind_row row;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        setup_table(state);
        assert_true(table_row(4, &row));
        *changes[i].byte = changes[i].value;
        assert_false(table_row(4, &row));
    }
}

static void test_a_header_of_another_kind_is_left_alone(void **state)
{
    struct unwind_image headless = table_image;
    struct unwind_row row;

    for (size_t i = 0; i < 4; i++) { /* version, three encodings */
        setup_table(state);
        (&table.header.version)[i] ^= 0x04;
        assert_false(table_row(4, &row));
    }
    setup_table(state);
    headless.header = 0;
    assert_false(unwind_table_row(&headless, (uintptr_t) table.code, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef __x86_64__
        cmocka_unit_test(test_a_row_holds_from_its_place_to_the_next),
        cmocka_unit_test(test_a_state_is_remembered_and_put_back),
        cmocka_unit_test(test_the_expression_of_an_aligned_stack_is_known_and_no_other),
        cmocka_unit_test(test_the_outermost_frame_has_no_return_address),
        cmocka_unit_test(test_between_functions_there_is_no_row),
        cmocka_unit_test(test_a_row_of_another_kind_is_told_from_none),
#endif
        cmocka_unit_test(test_data_lies_in_no_function),
        cmocka_unit_test_setup(test_a_made_table_is_read, setup_table),
        cmocka_unit_test(test_what_is_not_understood_has_no_row),
        cmocka_unit_test(test_a_header_of_another_kind_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
