/* free_filter.c - see free_filter.h. */
#include "base/free_filter.h"

#include "banned.h"

const uint8_t free_filter_closed[FREE_FILTER_CLASSES] = {[0 ... FREE_FILTER_CLASSES - 1] = 1};
