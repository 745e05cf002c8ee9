/* shadow.c - see shadow.h. */
#include "zend/shadow.h"

#include <string.h>

#include "banned.h"

static uint32_t place_of(uintptr_t chunk)
{
    return (uint32_t) ((uint64_t) (chunk / SHADOW_CHUNK_BYTES) * UINT64_C(0x9e3779b97f4a7c15) >>
                       32) %
           SHADOW_PLACES;
}

uint16_t *shadow_find_sheet(struct shadow *shadow, uintptr_t chunk)
{
    uint32_t place = place_of(chunk);

    if (chunk == 0)
        return NULL;
    while (shadow->chunks[place] != 0 && shadow->chunks[place] != chunk)
        place = (place + 1) % SHADOW_PLACES;
    if (shadow->chunks[place] == 0) {
        if (shadow->sheet_count == SHADOW_CHUNKS_MAX)
            return NULL;
        shadow->chunks[place] = chunk;
        shadow->sheet_of[place] = (uint16_t) shadow->sheet_count++;
    }
    shadow->last_chunk = chunk;
    shadow->last_sheet = shadow->sheets + (size_t) shadow->sheet_of[place] * SHADOW_MARKS;
    return shadow->last_sheet;
}

void shadow_forget(struct shadow *shadow)
{
    uint16_t *sheets = shadow->sheets;

    memset(shadow, 0, sizeof *shadow);
    shadow->sheets = sheets;
}
