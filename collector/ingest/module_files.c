/* module_files.c - open carefully, read once, close. */
#include "ingest/module_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t module_files_read(void *context, const char *path, char *buffer, size_t size_bytes)
{
    struct stat status;
    ssize_t n;
    int fd;

    (void) context;
    /* O_NONBLOCK: a FIFO in a file's place would stop us; it is refused below. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        n = -errno;
    else if (!S_ISREG(status.st_mode))
        n = -EINVAL;
    else if ((n = read(fd, buffer, size_bytes)) < 0)
        n = -errno;
    close(fd);
    return n;
}
