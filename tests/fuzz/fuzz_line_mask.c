/* fuzz_line_mask.c - a masked line is never longer than its buffer and masks to itself again. */
#include <stdint.h>
#include <string.h>

#include "cli/collect/line_mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char first[1 << 16], second[1 << 16];
    const struct slice line = {(const char *) data, len};
    const struct slice once = line_mask(line, URI_HIDE_VALUES, first, sizeof first);

    if (once.len_bytes >= sizeof first)
        __builtin_trap();
    const struct slice twice = line_mask(once, URI_HIDE_VALUES, second, sizeof second);
    if (!slice_equal(once, twice))
        __builtin_trap();
    return 0;
}
