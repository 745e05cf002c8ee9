/* fuzz_code_map.c - any bytes as /proc/PID/maps: rows in order, paths inside, finds that agree. */
#include <stdint.h>
#include <string.h>

#include "ingest/code_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {.ptr = (const char *) data, .len_bytes = size};
    struct code_map *map;

    if (code_map_parse(text, &map) != 0)
        return 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct code_row *row = &map->rows[i];

        if (row->start >= row->end || (i > 0 && row->start < map->rows[i - 1].end) ||
            strlen(row->path) > size || code_map_find(map, row->start) != row ||
            code_map_find(map, row->end - 1) != row || code_row_library(row).len_bytes == 0)
            __builtin_trap();
    }
    code_map_free(map);
    return 0;
}
