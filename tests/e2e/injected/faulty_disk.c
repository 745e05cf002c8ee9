/*
 * faulty_disk.c - preloaded into a collector: now and then the disk under its store fails.
 *
 * FAULTY_DISK=SEED:PERMILLE:AFTER_MS.  Writes, syncs and cuts of files called fpmscope.db* fail
 * with EIO or ENOSPC, or write a part only; everything else is left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static unsigned seed, permille, after_ms;
static struct timespec started;

__attribute__((constructor)) static void read_settings(void)
{
    const char *text = getenv("FAULTY_DISK");

    if (text && sscanf(text, "%u:%u:%u", &seed, &permille, &after_ms) != 3)
        permille = 0;
    clock_gettime(CLOCK_MONOTONIC, &started);
    seed ^= (unsigned) getpid(); /* a restarted collector meets other faults */
}

static bool is_store(int fd)
{
    char link[64], path[4096];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return strstr(path, "/fpmscope.db") != NULL;
}

static bool is_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - started.tv_sec) * 1000 + (now.tv_nsec - started.tv_nsec) / 1000000 >=
           (long) after_ms;
}

static bool fails(int fd)
{
    if (permille == 0 || !is_time() || (unsigned) rand_r(&seed) % 1000 >= permille || !is_store(fd))
        return false;
    errno = rand_r(&seed) % 2 ? EIO : ENOSPC;
    return true;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "pwrite64");
    if (!fails(fd))
        return real(fd, bytes, size, offset);
    if (errno == ENOSPC && size > 1) {
        real(fd, bytes, size / 2, offset);
        errno = ENOSPC;
    }
    return -1;
}

int fsync(int fd)
{
    static int (*real)(int);

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "fsync");
    return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "fdatasync");
    return fails(fd) ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size)
{
    static int (*real)(int, off64_t);

    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "ftruncate64");
    return fails(fd) ? -1 : real(fd, size);
}
