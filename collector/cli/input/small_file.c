/* small_file.c - bounded reading of files. */
#include "cli/input/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BYTES = 8192 };

/* All of `fd` up to `max_bytes`.  Files of /proc have no size: the buffer grows. */
static int read_fd(int fd, size_t max_bytes, struct slice *ret_text)
{
    size_t capacity = FIRST_BYTES, length = 0;
    char *text = NULL;

    for (;;) {
        char *larger = realloc(text, capacity + 1);
        ssize_t n;

        if (!larger) {
            free(text);
            return -ENOMEM;
        }
        text = larger;
        n = read(fd, text + length, (capacity < max_bytes ? capacity : max_bytes) - length);
        if (n < 0) {
            const int error = errno;

            free(text);
            return -error;
        }
        length += (size_t) n;
        if (n == 0 || length == max_bytes)
            break;
        if (length == capacity)
            capacity *= 2;
    }
    text[length] = '\0';
    *ret_text = (struct slice){.ptr = text, .len_bytes = length};
    return 0;
}

static int read_path(const char *path, size_t max_bytes, int tail, struct slice *ret_text)
{
    /* Without O_NONBLOCK opening a FIFO would wait for its writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    int r = 0;

    *ret_text = (struct slice){0};
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        r = -errno;
    else if (!S_ISREG(status.st_mode))
        r = S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    else if (tail && status.st_size > (off_t) max_bytes &&
             lseek(fd, status.st_size - (off_t) max_bytes, SEEK_SET) < 0)
        r = -errno;
    if (r == 0)
        r = read_fd(fd, max_bytes, ret_text);
    close(fd);
    return r;
}

int small_file_read(const char *path, size_t max_bytes, struct slice *ret_text)
{
    return read_path(path, max_bytes, 0, ret_text);
}

int small_file_read_tail(const char *path, size_t max_bytes, struct slice *ret_text)
{
    return read_path(path, max_bytes, 1, ret_text);
}

int small_file_read_proc(int64_t pid, const char *name, size_t max_bytes, struct slice *ret_text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/%s", (long long) pid, name);
    return read_path(path, max_bytes, 0, ret_text);
}

void small_file_free(struct slice *text)
{
    free((char *) (uintptr_t) text->ptr);
    *text = (struct slice){0};
}
