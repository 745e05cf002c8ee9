/* find_shim.c - see find_shim.h. */
#include "cli/collect/find_shim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"

#ifndef FPMSCOPE_LIBDIR
#define FPMSCOPE_LIBDIR "/usr/local/lib"
#endif

static const struct shim_library libraries[] = {
    {"glibc", "libfpmscope.so"},
    {"jemalloc", "libfpmscope-jemalloc.so"},
};

const struct shim_library *shim_library(const char *allocator)
{
    if (!allocator)
        return libraries;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strcmp(libraries[i].allocator, allocator) == 0)
            return &libraries[i];
    return NULL;
}

int find_shim(const struct shim_library *library, char *ret_path)
{
    static const char *const places[] = {".", "../lib", FPMSCOPE_LIBDIR};
    char self[PATH_MAX], directory[PATH_MAX], place[2 * PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return -errno;
    self[n] = '\0';
    int r = path_parent(self, directory, sizeof directory);
    for (size_t i = 0; r == 0 && i < sizeof places / sizeof *places; i++) {
        if (places[i][0] == '/')
            snprintf(place, sizeof place, "%s/%s", places[i], library->file);
        else
            snprintf(place, sizeof place, "%s/%s/%s", directory, places[i], library->file);
        if (realpath(place, ret_path))
            return 0;
    }
    return r < 0 ? r : -ENOENT;
}

const char *find_shim_directory(void)
{
    return FPMSCOPE_LIBDIR;
}
