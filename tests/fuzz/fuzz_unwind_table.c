/*
 * fuzz_unwind_table.c - unwind tables of any bytes.
 *
 * The input is laid over a small valid table (header, CIE, FDE), so that most of it is reached: the
 * first byte says where it begins.  A copy of exactly the table's size shows reads beyond it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stack/unwind_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TABLE_BYTES = 512, CODE_AT = 4096, CODE_BYTES = 64 };

static const uint8_t whole[] = {
    /* header: version, encodings, .eh_frame, count, function, FDE */
    1, 0x1b, 3, 0x3b, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0, 40, 0, 0, 0,
    /* CIE at 20 */
    16, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8,
    /* FDE at 40: 4096 - 48 */
    200, 1, 0, 0, 24, 0, 0, 0, 0xd0, 0x0f, 0, 0, CODE_BYTES, 0, 0, 0, 0,
    /* its program */
    0x90, 1, 0x44, 0x0e, 16, 0x86, 2, 0x44, 0x0d, 6, 0x0a, 0x44, 0x0c, 7, 8, 0x0b};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *table = calloc(1, TABLE_BYTES);
    const size_t at = size > 0 ? (size_t) data[0] * 2 : 0;
    struct unwind_image image;
    struct unwind_row row = {.cfa = UNWIND_BASE_UNKNOWN};

    if (!table)
        return 0;
    memcpy(table, whole, sizeof whole);
    if (size > 1)
        memcpy(table + at, data + 1, size - 1 < TABLE_BYTES - at ? size - 1 : TABLE_BYTES - at);
    image = (struct unwind_image){
        .tables = {(uintptr_t) table, (uintptr_t) table + TABLE_BYTES},
        .header = (uintptr_t) table,
    };
    for (size_t pc = CODE_AT; pc < CODE_AT + CODE_BYTES; pc += 3)
        if (unwind_table_row(&image, (uintptr_t) table + pc, &row) &&
            (row.cfa <= UNWIND_BASE_UNKNOWN || row.cfa > UNWIND_BASE_AT_FP))
            __builtin_trap();
    if (size == 0 && row.cfa != UNWIND_BASE_FP) /* the table as it is */
        __builtin_trap();
    free(table);
    return 0;
}
