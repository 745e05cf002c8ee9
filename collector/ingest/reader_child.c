/* reader_child.c - fork the child, read its answer. */
#include "ingest/reader_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_PIPE_FD = 3, ANSWER_STEP_BYTES = 16 * 1024 };

/* The loop's handlers would write into the loop's pipes, which we share until they are closed. */
static void default_signals(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &by_default, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0 to 2 go nowhere, 3 is the answer, nothing else is open: no store, no socket, no log. */
static int keep_only(int fd)
{
    const int null_fd = open("/dev/null", O_RDWR);

    /* The pipe may sit anywhere, also below 3 in a daemon that closed its standard files. */
    fd = fcntl(fd, F_DUPFD, CHILD_PIPE_FD + 1);
    if (fd < 0 || null_fd < 0)
        return -errno;
    for (int i = 0; i < CHILD_PIPE_FD; i++)
        if (dup2(null_fd, i) < 0)
            return -errno;
    if (dup2(fd, CHILD_PIPE_FD) < 0)
        return -errno;
    if (syscall(SYS_close_range, CHILD_PIPE_FD + 1, ~0U, 0) != 0)
        for (int i = CHILD_PIPE_FD + 1; i < 65536; i++) /* before Linux 5.9 */
            close(i);
    return 0;
}

static void child_main(reader_child_fn run, const void *arg, int pipe_fd, pid_t parent)
{
    FILE *out;

    default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || keep_only(pipe_fd) < 0)
        _exit(1);
    out = fdopen(CHILD_PIPE_FD, "w");
    unsetenv("DEBUGINFOD_URLS"); /* libdw would ask the network */
    if (!out || reader_child_drop_privileges() < 0)
        _exit(1);
    run(arg, out);
    fflush(out);
    _exit(0);
}

int reader_child_start(struct reader_child *ret_child, reader_child_fn run, const void *arg)
{
    const pid_t parent = getpid();
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    pid = fork();
    if (pid < 0) {
        const int r = -errno;

        close(fds[0]);
        close(fds[1]);
        return r;
    }
    if (pid == 0)
        child_main(run, arg, fds[1], parent);
    close(fds[1]);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *ret_child = (struct reader_child){.pid = pid, .fd = fds[0]};
    return 0;
}

static void reap(struct reader_child *child)
{
    if (child->pid > 0)
        /* It is gone, or going: killed, or at its _exit(). */
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    child->pid = 0;
}

static void end(struct reader_child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
    reap(child);
}

static int make_room(struct reader_child *child)
{
    size_t cap = child->answer_cap_bytes;
    char *answer;

    if (child->answer_len_bytes < cap)
        return 0;
    if (cap >= READER_CHILD_ANSWER_MAX_BYTES)
        return -E2BIG;
    cap = cap == 0 ? ANSWER_STEP_BYTES : cap * 2;
    answer = realloc(child->answer, cap);
    if (!answer)
        return -ENOMEM;
    child->answer = answer;
    child->answer_cap_bytes = cap;
    return 0;
}

int reader_child_read(struct reader_child *child)
{
    if (child->pid == 0)
        return 0;
    for (;;) {
        const int r = make_room(child);
        ssize_t got;

        if (r < 0) {
            end(child);
            return r;
        }
        got = read(child->fd, child->answer + child->answer_len_bytes,
                   child->answer_cap_bytes - child->answer_len_bytes);
        if (got > 0) {
            child->answer_len_bytes += (size_t) got;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == EAGAIN) {
            return 1;
        } else {
            /* Its end of the pipe is closed: it is exiting, or it was killed. */
            end(child);
            return 0;
        }
    }
}

void reader_child_release(struct reader_child *child)
{
    if (child->pid > 0)
        end(child);
    if (child->fd >= 0)
        close(child->fd);
    free(child->answer);
    *child = (struct reader_child){.fd = -1};
}
