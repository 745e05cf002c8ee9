/* proc.c - read /proc, pin processes. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PROC_TEXT_BYTES = 4096 };

/* The whole of a small file, NUL-terminated; its length or -errno. */
static ssize_t read_proc(pid_t pid, const char *name, char *text, size_t size_bytes)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    ssize_t n = read(fd, text, size_bytes - 1);
    int error = errno;
    close(fd);
    if (n < 0)
        return -error;
    text[n] = '\0';
    return n;
}

int process_parse_stat(const char *text, size_t len_bytes, struct process_stat *ret_stat)
{
    /* The name in parentheses is the process's own choice and may hold parentheses. */
    const char *close = memrchr(text, ')', len_bytes);
    uint64_t start;
    char state;
    int parent;

    if (!close || sscanf(close,
                         ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d"
                         " %*d %*d %*d %" SCNu64,
                         &state, &parent, &start) != 3)
        return -EBADMSG;
    *ret_stat = (struct process_stat){.state = state, .parent = parent, .start_ticks = start};
    return 0;
}

int process_stat(pid_t pid, struct process_stat *ret_stat)
{
    char text[PROC_TEXT_BYTES];
    ssize_t n = read_proc(pid, "stat", text, sizeof text);

    return n < 0 ? (int) n : process_parse_stat(text, (size_t) n, ret_stat);
}

int64_t process_rss_kib(pid_t pid)
{
    char text[256];
    long long pages;
    ssize_t n = read_proc(pid, "statm", text, sizeof text);

    if (n < 0)
        return n;
    if (sscanf(text, "%*u %lld", &pages) != 1)
        return -EBADMSG;
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int64_t process_anon_kib(pid_t pid)
{
    char text[PROC_TEXT_BYTES];
    long long kib;
    ssize_t n = read_proc(pid, "status", text, sizeof text);
    const char *row = n > 0 ? strstr(text, "\nRssAnon:") : NULL;

    if (n < 0)
        return n;
    return row && sscanf(row, "\nRssAnon: %lld", &kib) == 1 ? kib : -EBADMSG;
}

int process_user(pid_t pid, uid_t *ret_uid)
{
    char text[PROC_TEXT_BYTES];
    unsigned uid;
    ssize_t n = read_proc(pid, "status", text, sizeof text);
    const char *row = n > 0 ? strstr(text, "\nUid:") : NULL;

    if (n < 0)
        return (int) n;
    if (!row || sscanf(row, "\nUid: %*u %u", &uid) != 1)
        return -EBADMSG;
    *ret_uid = uid;
    return 0;
}

int process_executable(pid_t pid, char *ret_name, size_t size_bytes)
{
    static const char deleted[] = " (deleted)";
    char path[64], target[PROC_TEXT_BYTES];

    snprintf(path, sizeof path, "/proc/%d/exe", (int) pid);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    target[n] = '\0';
    /* A package upgrade replaces the file of a running program. */
    if ((size_t) n > sizeof deleted - 1 && strcmp(target + n - (sizeof deleted - 1), deleted) == 0)
        target[(size_t) n - (sizeof deleted - 1)] = '\0';
    const char *slash = strrchr(target, '/');
    n = snprintf(ret_name, size_bytes, "%s", slash ? slash + 1 : target);
    return (size_t) n < size_bytes ? 0 : -ENAMETOOLONG;
}

int process_command_line(pid_t pid, char *ret_line, size_t size_bytes)
{
    ssize_t n = read_proc(pid, "cmdline", ret_line, size_bytes);

    if (n < 0)
        return (int) n;
    while (n > 0 && ret_line[n - 1] == '\0')
        n--;
    for (ssize_t i = 0; i < n; i++)
        if (ret_line[i] == '\0')
            ret_line[i] = ' ';
    return 0;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t process_start_us(uint64_t start_ticks)
{
    const int64_t boot_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_BOOTTIME);
    const int64_t ticks_per_s = sysconf(_SC_CLK_TCK);

    return boot_us + (int64_t) (start_ticks % (uint64_t) (1LL << 50)) * 1000000 / ticks_per_s;
}

bool process_pinned_ended(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    return poll(&end, 1, 0) > 0 && (end.revents & POLLIN) != 0;
}

int process_read_pinned(int pidfd, pid_t pid, struct process_stat *ret_stat)
{
    int r = process_stat(pid, ret_stat);

    /* Still alive after the reading: the reading was about this one. */
    if (r == 0 && process_pinned_ended(pidfd))
        r = -ESRCH;
    if (r < 0) {
        close(pidfd);
        return r;
    }
    return pidfd;
}

int process_pin(pid_t pid, struct process_stat *ret_stat)
{
    int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);

    return pidfd < 0 ? -errno : process_read_pinned(pidfd, pid, ret_stat);
}
