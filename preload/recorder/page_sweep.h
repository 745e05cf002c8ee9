/*
 * page_sweep.h - remove the page of a worker that ended while nobody was there to read it.
 */
#ifndef FPMSCOPE_RECORDER_PAGE_SWEEP_H
#define FPMSCOPE_RECORDER_PAGE_SWEEP_H

#include <stdint.h>

/* Remove every page of `pid` in the directory; how many there were, or -errno. */
int page_sweep(int dir_fd, uint32_t pid);

#endif
