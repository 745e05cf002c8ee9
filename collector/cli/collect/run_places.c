/* run_places.c - see run_places.h. */
#include "cli/collect/run_places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/proc.h"
#include "ingest/page.h"

static const char prefix[] = "run-";

static int check_length(int length, size_t size_bytes)
{
    return length > 0 && (size_t) length < size_bytes ? 0 : -ENAMETOOLONG;
}

int run_places_parent(char *ret_path, size_t size_bytes)
{
    return check_length(snprintf(ret_path, size_bytes, "/dev/shm/fpmscope-%u", geteuid()),
                        size_bytes);
}

int run_places_make(const char *parent, char *ret_path, size_t size_bytes)
{
    int fd,
        r = check_length(snprintf(ret_path, size_bytes, "%s/%s%d", parent, prefix, (int) getpid()),
                         size_bytes);

    if (r == 0)
        r = path_make_directory(ret_path);
    if (r < 0)
        return r;
    fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    flock(fd, LOCK_EX | LOCK_NB); /* where there are no locks, the process is what is looked at */
    return fd;
}

/* ---- is it over? -----------------------------------------------------------------------------
 */

/* The process of "run-PID" and `suffix`; 0 when it is called otherwise. */
static pid_t pid_of(const char *name, const char *suffix)
{
    const char *digits = name + sizeof prefix - 1;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return 0;
    const size_t count = strspn(digits, "0123456789");
    return count <= 9 && strcmp(digits + count, suffix) == 0 ? (pid_t) atoi(digits) : 0;
}

/* A number is given to other processes in time. */
static bool may_be_running(pid_t pid)
{
    char self[256], other[256];
    struct process_stat stat;

    if (pid == getpid() || process_stat(pid, &stat) < 0 || stat.state == 'Z')
        return false;
    return process_executable(getpid(), self, sizeof self) < 0 ||
           process_executable(pid, other, sizeof other) < 0 || strcmp(self, other) == 0;
}

/* Open a directory that only we can have filled; -EPERM for others. */
static int open_own(int parent_fd, const char *name)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 022) == 0)
        return fd;
    close(fd);
    return -EPERM;
}

typedef bool (*entry_fn)(int directory_fd, const char *name);

/* For each entry, until one says no; true when none did. */
static bool each_entry(int directory_fd, entry_fn on_entry)
{
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool all = directory != NULL;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (all && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            all = on_entry(directory_fd, entry->d_name);
    closedir(directory);
    return all;
}

static bool is_of_the_dead(int directory_fd, const char *name)
{
    uint64_t start_ticks;
    struct process_stat stat;
    pid_t pid;

    (void) directory_fd;
    return !page_parse_name(name, &pid, &start_ticks) || process_stat(pid, &stat) < 0 ||
           stat.start_ticks != start_ticks || stat.state == 'Z';
}

/* ---- sweeping --------------------------------------------------------------------------------
 */

static bool remove_page(int directory_fd, const char *name)
{
    uint64_t start_ticks;
    pid_t pid;

    if (page_parse_name(name, &pid, &start_ticks))
        unlinkat(directory_fd, name, 0);
    return true;
}

/* True when it is gone. */
static bool sweep_one(int parent_fd, const char *name)
{
    const pid_t pid = pid_of(name, "");
    int fd = pid > 0 && !may_be_running(pid) ? open_own(parent_fd, name) : -1;
    bool gone = false;

    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && each_entry(fd, is_of_the_dead)) {
        each_entry(fd, remove_page);
        gone = unlinkat(parent_fd, name, AT_REMOVEDIR) == 0; /* not when anything else is in it */
    }
    close(fd);
    return gone;
}

/* Of a socket in a directory of ours: the kernel knows, also when its process has another number
 * here. */
static bool nobody_listens(int directory_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, error;

    if (check_length(snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                              directory_fd, name),
                     sizeof address.sun_path) < 0)
        return false;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    error = connect(fd, (const struct sockaddr *) &address, sizeof address) < 0 ? errno : 0;
    close(fd);
    return error == ECONNREFUSED;
}

/* True when it is gone. */
static bool sweep_socket(int directory_fd, const char *name)
{
    const pid_t pid = pid_of(name, ".sock");
    struct stat status;

    return pid > 0 && !may_be_running(pid) &&
           fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(status.st_mode) && status.st_uid == geteuid() &&
           nobody_listens(directory_fd, name) && unlinkat(directory_fd, name, 0) == 0;
}

/* How many entries of a directory of ours went. */
static size_t sweep_each(const char *path, entry_fn sweep)
{
    int fd = open_own(AT_FDCWD, path);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    size_t swept = 0;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while ((entry = readdir(directory)))
        swept += sweep(fd, entry->d_name);
    closedir(directory);
    return swept;
}

size_t run_places_sweep(const char *parent)
{
    return sweep_each(parent, sweep_one);
}

size_t run_places_sweep_sockets(const char *directory)
{
    return sweep_each(directory, sweep_socket);
}
