/* problem.c - what went wrong, in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_internal.h"

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
