/* picture.c - see picture.h. */
#include "zend/picture.h"

#include <string.h>

#include "banned.h"

/* 1 - exp(-x): halve x until five terms of the series are exact to 1e-9, and double back by
 * 1 - exp(-2y) = p (2 - p).  No libm in the shim. */
double picture_chance(uint64_t bytes, uint64_t interval_bytes)
{
    double p, x = (double) bytes / (double) interval_bytes;
    unsigned halvings = 0;

    if (x > 40)
        return 1;
    for (; x > 1.0 / 32; x /= 2)
        halvings++;
    p = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
    while (halvings-- > 0)
        p = p * (2 - p);
    return p;
}

uint64_t picture_weight_bytes(uint64_t size_bytes, double chance)
{
    return chance > 0 ? (uint64_t) ((double) size_bytes / chance + 0.5) : size_bytes;
}

/* ---- stacks ----------------------------------------------------------------------------------
 */

uint32_t picture_stack_of(struct picture *picture, uint64_t hash, bool *ret_new)
{
    uint32_t place = (uint32_t) hash % PICTURE_STACK_PLACES;

    *ret_new = false;
    if (picture->stack_count == 0)
        picture->stack_count = 1; /* PICTURE_OTHERS */
    for (; picture->places[place] != 0; place = (place + 1) % PICTURE_STACK_PLACES)
        if (picture->stacks[picture->places[place] - 1].hash == hash)
            return picture->places[place] - 1u;
    if (picture->stack_count == PICTURE_STACKS_MAX || hash == 0)
        return PICTURE_OTHERS;
    picture->stacks[picture->stack_count].hash = hash;
    picture->places[place] = (uint16_t) (picture->stack_count + 1);
    *ret_new = true;
    return picture->stack_count++;
}

char *picture_text_room(struct picture *picture, size_t *ret_room_bytes)
{
    *ret_room_bytes = PICTURE_TEXT_BYTES - picture->text_len_bytes;
    return picture->texts + picture->text_len_bytes;
}

void picture_text_written(struct picture *picture, uint32_t stack, size_t len_bytes)
{
    picture->stacks[stack].text_at = picture->text_len_bytes;
    picture->stacks[stack].text_len_bytes = (uint32_t) len_bytes;
    picture->text_len_bytes += (uint32_t) len_bytes;
}

void picture_finish(struct picture *picture)
{
    for (uint32_t i = 0; i < picture->stack_count; i++)
        picture_settled(picture, i);
}

/* From its home on, every place up to the next free one: a stack cannot lie behind that. */
static void clear_places_from(struct picture *picture, uint64_t hash)
{
    uint32_t place = (uint32_t) hash % PICTURE_STACK_PLACES;

    for (; picture->places[place] != 0; place = (place + 1) % PICTURE_STACK_PLACES)
        picture->places[place] = 0;
}

void picture_clear(struct picture *picture)
{
    for (uint32_t i = PICTURE_OTHERS + 1; i < picture->stack_count; i++)
        clear_places_from(picture, picture->stacks[i].hash);
    memset(picture->stacks, 0, picture->stack_count * sizeof *picture->stacks);
    memset(picture, 0, offsetof(struct picture, blocks));
}

/* ---- blocks ----------------------------------------------------------------------------------
 */

static uint32_t next_place(uint32_t place)
{
    return (place + 1) % PICTURE_PLACES;
}

static void place_block(struct picture *picture, const struct picture_block *block)
{
    uint32_t place = picture_place_of(block->address);

    while (picture->index[place] != 0)
        place = next_place(place);
    picture->blocks[picture->block_count] = *block;
    picture->index[place] = (uint16_t) (picture->block_count + 1);
}

bool picture_add(struct picture *picture, const struct picture_block *block)
{
    struct picture_block *stale;

    if (block->address == 0)
        return false;
    /* Its free was not seen: the address cannot be two blocks. */
    stale = picture_find(picture, block->address);
    if (stale)
        picture_remove(picture, stale);
    if (picture->block_count == PICTURE_BLOCKS_MAX)
        return false;
    place_block(picture, block);
    picture->block_count++;
    picture_grow(picture, block->stack, block->weight_bytes);
    return true;
}

static uint32_t place_of_block(const struct picture *picture, const struct picture_block *block)
{
    const uint16_t wanted = (uint16_t) (block - picture->blocks + 1);
    uint32_t place = picture_place_of(block->address);

    while (picture->index[place] != wanted)
        place = next_place(place);
    return place;
}

/* Close the gap, so that every block stays reachable from its own place without tombstones. */
static void close_gap(struct picture *picture, uint32_t gap)
{
    uint32_t at = gap;

    for (;;) {
        uint32_t home, distance;

        at = next_place(at);
        if (picture->index[at] == 0)
            break;
        home = picture_place_of(picture->blocks[picture->index[at] - 1].address);
        distance = (at - home) % PICTURE_PLACES;
        if (distance < (at - gap) % PICTURE_PLACES)
            continue; /* it lies between its home and itself, behind the gap */
        picture->index[gap] = picture->index[at];
        gap = at;
    }
    picture->index[gap] = 0;
}

/* The last block takes the place of the one that goes. */
void picture_remove(struct picture *picture, struct picture_block *block)
{
    struct picture_block *last = &picture->blocks[picture->block_count - 1];

    picture_shrink(picture, block->stack, block->weight_bytes);
    close_gap(picture, place_of_block(picture, block));
    if (block != last) {
        picture->index[place_of_block(picture, last)] = (uint16_t) (block - picture->blocks + 1);
        *block = *last;
    }
    picture->block_count--;
}

void picture_thin(struct picture *picture, uint64_t sure_bytes, uint64_t random)
{
    uint32_t i = 0;

    if (random == 0)
        random = 1;
    while (i < picture->block_count) {
        struct picture_block *block = &picture->blocks[i];

        if (block->weight_bytes >= sure_bytes) {
            i++;
            continue;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (random >> 32 & 1) {
            picture_remove(picture, block); /* another one has moved here: look again */
            continue;
        }
        /* Not picture_grow(): a lucky series of coins is no peak. */
        picture_settled(picture, block->stack)->live_bytes += block->weight_bytes;
        picture->live_bytes += block->weight_bytes;
        block->weight_bytes *= 2;
        block->chance /= 2;
        i++;
    }
}
