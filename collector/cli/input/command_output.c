/* command_output.c - a child, a pipe, a deadline. */
#include "cli/input/command_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"
#include "cli/input/small_file.h"

#define SYSTEM_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

enum { CPU_LIMIT_S = 10, STATUS_BYTES = 8192 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `fd` when only root and we can write it; else closed and -EACCES. */
static int if_trusted(int fd)
{
    struct stat status;

    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_uid == 0 || status.st_uid == geteuid()) && (status.st_mode & 022) == 0)
        return fd;
    close(fd);
    return -EACCES;
}

static int shares_our_files(int64_t pid)
{
    struct stat ours, theirs;
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/ns/mnt", (long long) pid);
    if (stat("/proc/self/ns/mnt", &ours) < 0 || stat(path, &theirs) < 0)
        return 0;
    if (ours.st_ino != theirs.st_ino)
        return 0;
    /* The same namespace, but perhaps chrooted. */
    snprintf(path, sizeof path, "/proc/%lld/root", (long long) pid);
    return stat("/", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

/* Real, effective, saved and file system user: a setuid program runs with its caller's words. */
static int is_ours(int64_t pid)
{
    struct slice text;
    unsigned uid[4] = {UINT_MAX};
    int good = 0;

    if (small_file_read_proc(pid, "status", STATUS_BYTES, &text) < 0)
        return 0;
    const char *row = strstr(text.ptr, "\nUid:");
    if (row && sscanf(row, "\nUid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4) {
        good = 1;
        for (int i = 0; i < 4; i++)
            good &= uid[i] == 0 || uid[i] == geteuid();
    }
    small_file_free(&text);
    return good;
}

static int is_called(int64_t pid, const char *name)
{
    char executable[NAME_MAX + 1];

    return process_executable((pid_t) pid, executable, sizeof executable) == 0 &&
           strncmp(executable, name, strlen(name)) == 0;
}

int command_open_of_process(int64_t pid, const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%lld/exe", (long long) pid);
    fd = if_trusted(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return fd;
    /* Asked after the opening: should the process become another one, its file is not that one. */
    if (is_called(pid, name) && is_ours(pid) && shares_our_files(pid))
        return fd;
    close(fd);
    return is_called(pid, name) && is_ours(pid) ? -EXDEV : -EACCES;
}

int command_open(const char *path)
{
    return if_trusted(open(path, O_RDONLY | O_CLOEXEC));
}

static int open_in(const char *directory, size_t len_bytes, const char *name)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%.*s/%s", (int) len_bytes, directory, name);

    if (*directory != '/' || n < 0 || n >= (int) sizeof path || access(path, X_OK) < 0)
        return -ESRCH;
    return command_open(path);
}

static int find_in(const char *directories, const char *name)
{
    int fd = -ESRCH;

    while (fd < 0 && *directories) {
        const size_t len_bytes = strcspn(directories, ":");

        fd = open_in(directories, len_bytes, name);
        directories += len_bytes + (directories[len_bytes] != '\0');
    }
    return fd;
}

int command_find(const char *name)
{
    const char *path = getenv("PATH");
    const int fd = path ? find_in(path, name) : -ESRCH;

    return fd >= 0 ? fd : find_in(SYSTEM_PATH, name);
}

static _Noreturn void become(int program_fd, char *const argv[], int out_fd, pid_t parent)
{
    static char path[] = "PATH=" SYSTEM_PATH, locale[] = "LC_ALL=C", home[] = "HOME=/nonexistent",
                off[] = "FPMSCOPE_OFF=1";
    static char *const environment[] = {path, locale, home, off, NULL};
    const struct rlimit cpu = {.rlim_cur = CPU_LIMIT_S, .rlim_max = CPU_LIMIT_S};
    const int null = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
    if (getppid() != parent || chdir("/") < 0)
        _exit(127);
    dup2(null, 0);
    dup2(out_fd, 1);
    dup2(null, 2);
    fexecve(program_fd, argv, environment);
    fcntl(program_fd, F_SETFD, 0); /* a script is opened once more, by its interpreter */
    fexecve(program_fd, argv, environment);
    _exit(127);
}

/* What comes until the end, the deadline or the ceiling; 1 when the end was seen. */
static int take_output(int fd, char *text, size_t *ret_length, int64_t deadline_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t n = 1;

    *ret_length = 0;
    while (n > 0 && *ret_length < COMMAND_OUTPUT_MAX_BYTES) {
        const int64_t left_ms = deadline_ms - now_ms();
        const int ready = left_ms > 0 ? poll(&wait, 1, (int) left_ms) : 0;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return 0;
        n = read(fd, text + *ret_length, COMMAND_OUTPUT_MAX_BYTES - *ret_length);
        *ret_length += n > 0 ? (size_t) n : 0;
    }
    return n == 0;
}

/* It may have closed its output and go on: wait for its end too, up to the deadline. */
static int reap(pid_t child, int ended, int64_t deadline_ms)
{
    int status = 0;
    const struct timespec moment = {.tv_nsec = 2000000};

    while (ended && now_ms() < deadline_ms) {
        const pid_t r = waitpid(child, &status, WNOHANG);

        if (r == child) {
            kill(-child, SIGKILL); /* what it may have left behind in its group */
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        nanosleep(&moment, NULL);
    }
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -ETIME;
}

int command_output(int program_fd, char *const argv[], struct slice *ret_text)
{
    const int64_t deadline_ms = now_ms() + COMMAND_WAIT_MS;
    char *text = malloc(COMMAND_OUTPUT_MAX_BYTES + 1);
    const pid_t parent = getpid();
    size_t length = 0;
    int out[2], ended;
    pid_t child;

    *ret_text = (struct slice){0};
    if (!text || pipe2(out, O_CLOEXEC) < 0) {
        free(text);
        return -ENOMEM;
    }
    fflush(NULL);
    child = fork();
    if (child == 0)
        become(program_fd, argv, out[1], parent);
    close(out[1]);
    if (child < 0) {
        const int error = errno;

        close(out[0]);
        free(text);
        return -error;
    }
    ended = take_output(out[0], text, &length, deadline_ms);
    close(out[0]);
    text[length] = '\0';
    *ret_text = (struct slice){.ptr = text, .len_bytes = length};
    return reap(child, ended, deadline_ms);
}
