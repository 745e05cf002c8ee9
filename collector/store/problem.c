/* problem.c - what went wrong, in words; and the clock that stamps what happened. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/store_internal.h"

int64_t store_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int store_fail(struct store *store, int r, const char *what)
{
    snprintf(store->problem, sizeof store->problem, "cannot %s '%.300s': %.120s", what, store->path,
             sqlite3_errmsg(store->db));
    return r;
}

const char *store_problem(const struct store *store)
{
    return store->problem;
}

const char *store_error(int r)
{
    return r == -EBADMSG ? "the store is damaged; a collector sets it aside and begins a new one"
                         : strerror(-r);
}
