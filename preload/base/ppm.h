/* ppm.h - shares in millionths, which are how budgets are told. */
#ifndef FPMSCOPE_BASE_PPM_H
#define FPMSCOPE_BASE_PPM_H

#include <stdint.h>

enum { PPM = 1000000 };

/* So many millionths of `whole`, rounded down; does not overflow while the answer does not. */
static inline uint64_t ppm_of(uint64_t whole, uint64_t ppm)
{
    return whole / PPM * ppm + whole % PPM * ppm / PPM;
}

#endif
