/*
 * odd_malloc.c - a library whose allocations come through frames of hand-written code
 * (odd_frames.h); a php-fpm worker calls it by FFI (test_odd_frames.py).
 */
#include "odd_frames.h"

#include <stddef.h>
#include <stdlib.h>

void *odd_malloc(unsigned which, size_t size_bytes);

#ifdef ODD_FRAMES
struct order {
    size_t size_bytes;
    void *ptr;
};

static int fill(void *data)
{
    struct order *order = data;

    order->ptr = malloc(order->size_bytes);
    return order->ptr != NULL;
}

void *odd_malloc(unsigned which, size_t size_bytes)
{
    static odd_frame *const frames[] = {odd_by_rbx, odd_by_expression, odd_hides_fp,
                                        odd_without_row};
    struct order order = {.size_bytes = size_bytes};

    return frames[which](fill, &order) ? order.ptr : NULL;
}
#endif
