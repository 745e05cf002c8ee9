/* exact_marks.c - see exact_marks.h. */
#include "alloc/exact_marks.h"

#include "banned.h"

static uint32_t place_of(uintptr_t region)
{
    return (uint32_t) ((uint64_t) region * UINT64_C(0x9e3779b97f4a7c15) >> 32) % EXACT_SHEET_PLACES;
}

/* The place of `region`, or the free one where it belongs: half of the places are always free. */
static uint32_t find_place(const struct exact_marks *marks, uintptr_t region, uintptr_t *ret_there)
{
    uint32_t place = place_of(region);

    for (;;) {
        *ret_there = __atomic_load_n(&marks->regions[place], __ATOMIC_ACQUIRE);
        if (*ret_there == 0 || *ret_there == region)
            return place;
        place = (place + 1) % EXACT_SHEET_PLACES;
    }
}

static uint32_t *sheet_at(struct exact_marks *marks, uint32_t place)
{
    return marks->sheets + (size_t) marks->sheet_of[place] * EXACT_SHEET_MARKS;
}

uint32_t *exact_marks_find(struct exact_marks *marks, const void *ptr)
{
    const uintptr_t region = exact_marks_region(marks, ptr);
    uintptr_t there;
    const uint32_t place = find_place(marks, region, &there);

    return there == 0 ? NULL : sheet_at(marks, place) + exact_marks_index(marks, ptr);
}

uint32_t *exact_marks_sheet(struct exact_marks *marks, uintptr_t region)
{
    uintptr_t there;
    const uint32_t place = find_place(marks, region, &there);

    if (region == 0 || (there == 0 && marks->sheet_count == EXACT_SHEETS_MAX))
        return NULL;
    if (there == 0) {
        marks->sheet_of[place] = (uint16_t) marks->sheet_count++;
        __atomic_store_n(&marks->regions[place], region, __ATOMIC_RELEASE);
    }
    marks->last_region = region;
    marks->last_sheet = sheet_at(marks, place);
    return marks->last_sheet;
}
