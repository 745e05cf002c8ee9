/* page_dir.c - see page_dir.h. */
#include "recorder/page_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/real.h"
#include "base/text.h"
#include "banned.h"

/* fstat() is another symbol before glibc 2.33. */
static int page_dir_stat(int fd, struct stat *ret_stat)
{
    return (int) syscall(SYS_fstat, fd, ret_stat);
}

/* Open a directory that nobody else can write or read; -EPERM for any other. */
static int page_dir_take(const char *path, uint32_t uid, bool make)
{
    struct stat stat;
    int fd;

    if (make)
        mkdir(path, 0700);
    fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (page_dir_stat(fd, &stat) < 0 || stat.st_uid != uid || (stat.st_mode & 077) != 0) {
        real.close(fd);
        return -EPERM;
    }
    return fd;
}

/* A page on a disk would be written to it again and again. */
static bool page_dir_on_tmpfs(const char *path)
{
    struct statfs fs;
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool yes = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;

    if (fd >= 0)
        real.close(fd);
    return yes;
}

static int page_dir_beside(const char *socket, uint32_t uid, char *ret_path, size_t cap_bytes)
{
    const char *slash = strrchr(socket, '/');
    struct text path = text_begin(ret_path, cap_bytes);

    if (!slash || slash == socket)
        return -ENOENT;
    text_add_bytes(&path, socket, (size_t) (slash - socket));
    if (path.cut || !page_dir_on_tmpfs(ret_path))
        return -ENOENT;
    text_add(&path, "/pages");
    return path.cut ? -ENAMETOOLONG : page_dir_take(ret_path, uid, true);
}

static int page_dir_in_shm(uint32_t uid, char *ret_path, size_t cap_bytes)
{
    struct text path = text_begin(ret_path, cap_bytes);
    int fd;

    text_add(&path, "/dev/shm/fpmscope-");
    text_add_number(&path, uid);
    if (path.cut)
        return -ENAMETOOLONG;
    fd = page_dir_take(ret_path, uid, true);
    if (fd < 0)
        return fd;
    real.close(fd);
    text_add(&path, "/pages");
    return path.cut ? -ENAMETOOLONG : page_dir_take(ret_path, uid, true);
}

int page_dir_open(const char *configured, const char *socket, uint32_t uid, char *ret_path,
                  size_t cap_bytes)
{
    struct text path = text_begin(ret_path, cap_bytes);
    int fd;

    if (*configured) {
        text_add(&path, configured);
        return path.cut ? -ENAMETOOLONG : page_dir_take(ret_path, uid, true);
    }
    fd = page_dir_beside(socket, uid, ret_path, cap_bytes);
    return fd >= 0 ? fd : page_dir_in_shm(uid, ret_path, cap_bytes);
}

/* Beyond RLIMIT_FSIZE lies not only an error but SIGXFSZ. */
static bool page_file_may_grow_to(size_t len_bytes)
{
    struct rlimit limit;

    return syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) == 0 &&
           limit.rlim_cur >= len_bytes;
}

int page_file_create(int dir_fd, uint32_t pid, uint64_t start_ticks, size_t len_bytes, char *path,
                     size_t cap_bytes)
{
    char name_buf[48];
    struct text name = text_begin(name_buf, sizeof name_buf);
    struct text whole = {.buf = path, .cap_bytes = cap_bytes, .len_bytes = strlen(path)};
    int fd, r;

    text_add_number(&name, pid);
    text_add(&name, "-");
    text_add_number(&name, start_ticks);
    text_add(&whole, "/");
    text_add(&whole, name_buf);
    if (name.cut || whole.cut)
        return -ENAMETOOLONG;
    if (!page_file_may_grow_to(len_bytes))
        return -EFBIG;
    fd = openat(dir_fd, name_buf, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    /* A store into a page that a full tmpfs cannot supply would be SIGBUS in the worker. */
    r = posix_fallocate(fd, 0, (off_t) len_bytes);
    if (r == 0)
        return fd;
    real.close(fd);
    unlinkat(dir_fd, name_buf, 0);
    return -r;
}
