/* headerless_malloc.c - odd_malloc.c, linked without .eh_frame_hdr: no table can be found in
 * memory. */
#include "odd_malloc.c"
