/* supervisor.c - two children, one loop of signals. */
#include "cli/collect/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/idmap.h"
#include "base/proc.h"

enum { SUPERVISED_MAX = 1 << 16 };

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int forwarded_signals[] = {SIGUSR1, SIGUSR2}; /* php-fpm: reopen logs, reload */

struct supervisor {
    const struct supervised *what;
    pid_t self, collector, program;
    sigset_t signals, stops; /* all that are obeyed, and those of them that ask for the end */
    bool program_ended, collector_ended, interrupted;
    int status; /* of the program */
    int step;   /* of giving up: 0 not asked, 1 asked, 2 terminated, 3 killed */
    time_t asked_at;
    struct idmap steps; /* of the children, by pid */
};

static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_in(const int *signals, size_t count, int signo)
{
    for (size_t i = 0; i < count; i++)
        if (signals[i] == signo)
            return true;
    return false;
}

static sigset_t stop_set(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
        sigaddset(&set, stop_signals[i]);
    return set;
}

static sigset_t obeyed_set(void)
{
    sigset_t set = stop_set();

    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded_signals / sizeof *forwarded_signals; i++)
        sigaddset(&set, forwarded_signals[i]);
    return set;
}

/* Blocked and waited for: nothing here runs in a handler. */
void supervisor_hold_signals(sigset_t *ret_before)
{
    const sigset_t obeyed = obeyed_set();

    sigprocmask(SIG_BLOCK, &obeyed, ret_before);
}

/* Has the end been asked for meanwhile? */
static bool take_stops(const struct supervisor *supervisor)
{
    const struct timespec now = {0};
    bool found = false;

    while (sigtimedwait(&supervisor->stops, NULL, &now) > 0)
        found = true;
    return found;
}

/* A child does not outlive us. */
static void begin_child(const struct supervisor *supervisor, const sigset_t *signals)
{
    sigprocmask(SIG_SETMASK, signals, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor->self)
        _exit(SUPERVISOR_NOT_RUN);
}

/* ---- the collector ---------------------------------------------------------------------------
 */

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A stop that comes while it starts waits until it is a clean one. */
static _Noreturn void become_collector(const struct supervisor *supervisor, int ready_fd)
{
    const struct supervised *what = supervisor->what;
    sigset_t signals = what->signals_before;

    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    begin_child(supervisor, &signals);
    int r = what->collect(what->ctx, ready_fd);
    fflush(NULL);
    _exit(r);
}

/* 0 when it is ready, else its exit status. */
static int start_collector(struct supervisor *supervisor)
{
    int ready[2];
    char byte;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return SUPERVISOR_NOT_RUN;
    supervisor->collector = fork();
    if (supervisor->collector == 0) {
        close(ready[0]);
        become_collector(supervisor, ready[1]);
    }
    close(ready[1]);
    ssize_t n = supervisor->collector > 0 ? read(ready[0], &byte, 1) : -1;
    close(ready[0]);
    if (n == 1)
        return 0;
    return supervisor->collector > 0 ? wait_for(supervisor->collector) : SUPERVISOR_NOT_RUN;
}

static void stop_collector(struct supervisor *supervisor)
{
    if (supervisor->collector_ended)
        return;
    kill(supervisor->collector, SIGTERM);
    wait_for(supervisor->collector);
}

/* ---- the program -----------------------------------------------------------------------------
 */

static void set_environment(const struct supervised *what)
{
    const char *others = getenv("LD_PRELOAD");
    char *preload = NULL;

    if (others && *others && asprintf(&preload, "%s:%s", what->preload, others) < 0)
        preload = NULL;
    setenv("LD_PRELOAD", preload ? preload : what->preload, 1);
    setenv("FPMSCOPE_SOCKET", what->socket, 1);
    setenv("FPMSCOPE_PAGES", what->pages, 1);
}

static _Noreturn void become_program(const struct supervisor *supervisor, int error_fd)
{
    /* As if nobody had been here. */
    begin_child(supervisor, &supervisor->what->signals_before);
    set_environment(supervisor->what);
    execvp(supervisor->what->argv[0], supervisor->what->argv);
    int error = errno;
    ssize_t n = write(error_fd, &error, sizeof error);
    (void) n;
    _exit(SUPERVISOR_NOT_RUN);
}

/* 0, or the exit status of what could not be run; the reason has been printed. */
static int start_program(struct supervisor *supervisor)
{
    int failure[2], error = 0;

    if (pipe2(failure, O_CLOEXEC) < 0)
        return SUPERVISOR_NOT_RUN;
    supervisor->program = fork();
    if (supervisor->program == 0)
        become_program(supervisor, failure[1]);
    close(failure[1]);
    ssize_t n = supervisor->program > 0 ? read(failure[0], &error, sizeof error) : 0;
    close(failure[0]);
    if (supervisor->program > 0 && n != (ssize_t) sizeof error)
        return 0;
    if (supervisor->program > 0)
        wait_for(supervisor->program);
    fprintf(stderr, "fpmscope run: cannot run '%s': %s\n", supervisor->what->argv[0],
            strerror(error ? error : EAGAIN));
    return error == ENOENT ? SUPERVISOR_NOT_FOUND : SUPERVISOR_NOT_RUN;
}

/* ---- children --------------------------------------------------------------------------------
 */

typedef void (*child_fn)(struct supervisor *supervisor, pid_t child);

/* All children but the collector, adopted ones too. */
static int each_child(struct supervisor *supervisor, child_fn on_child)
{
    const struct dirent *entry;
    struct process_stat stat;
    DIR *directory = opendir("/proc");
    int count = 0;

    while (directory && (entry = readdir(directory))) {
        pid_t pid = (pid_t) atoi(entry->d_name);

        if (pid <= 0 || pid == supervisor->collector || process_stat(pid, &stat) < 0 ||
            stat.parent != supervisor->self || stat.state == 'Z')
            continue;
        count++;
        if (on_child)
            on_child(supervisor, pid);
    }
    if (directory)
        closedir(directory);
    return count;
}

/* php-fpm finishes its requests on SIGQUIT; other programs would dump core. */
static void ask(struct supervisor *supervisor, pid_t child)
{
    char name[256];

    (void) supervisor;
    if (process_executable(child, name, sizeof name) == 0 && strstr(name, "php-fpm"))
        kill(child, SIGQUIT);
    else
        kill(child, SIGTERM);
}

static void terminate(struct supervisor *supervisor, pid_t child)
{
    (void) supervisor;
    kill(child, SIGTERM);
}

static void finish_off(struct supervisor *supervisor, pid_t child)
{
    (void) supervisor;
    kill(child, SIGKILL);
}

/* Once a step. */
static void stop_child(struct supervisor *supervisor, pid_t child)
{
    static const child_fn steps[] = {ask, terminate, finish_off};
    const uint32_t step = (uint32_t) supervisor->step;
    uint32_t done = 0;

    if (idmap_get(&supervisor->steps, (uint64_t) child, &done) && done >= step)
        return;
    steps[step - 1](supervisor, child);
    idmap_put(&supervisor->steps, (uint64_t) child, step);
}

static void stop_children(struct supervisor *supervisor)
{
    if (supervisor->step == 0)
        supervisor->asked_at = now_s();
    if (supervisor->step < 3)
        supervisor->step++;
    each_child(supervisor, stop_child);
}

/* Children that we were given meanwhile: the php-fpm that was just going to the background when its
 * parent was asked to end, the workers of a master that was killed. */
static void stop_orphans(struct supervisor *supervisor)
{
    if (supervisor->step > 0)
        each_child(supervisor, stop_child);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == supervisor->collector) {
            supervisor->collector_ended = true;
            if (!supervisor->interrupted)
                fprintf(stderr,
                        "fpmscope run: the collector ended; the program goes on unwatched\n");
        } else if (pid == supervisor->program) {
            supervisor->program_ended = true;
            supervisor->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

/* ---- the loop --------------------------------------------------------------------------------
 */

static void forward(struct supervisor *supervisor, int signo)
{
    if (!supervisor->program_ended)
        kill(supervisor->program, signo);
}

static void on_signal(struct supervisor *supervisor, int signo)
{
    if (signo == SIGCHLD) {
        reap(supervisor);
    } else if (is_in(stop_signals, sizeof stop_signals / sizeof *stop_signals, signo)) {
        supervisor->interrupted = true;
        stop_children(supervisor);
    } else {
        forward(supervisor, signo);
    }
}

static void on_second(struct supervisor *supervisor)
{
    const time_t waited_s = now_s() - supervisor->asked_at;

    if ((supervisor->step == 1 && waited_s >= SUPERVISOR_ASK_S) ||
        (supervisor->step == 2 && waited_s >= SUPERVISOR_TERM_S))
        stop_children(supervisor);
}

/* The program is over when its process is, and, if it went to the background, its orphans are. */
static bool is_over(struct supervisor *supervisor)
{
    if (!supervisor->program_ended || each_child(supervisor, NULL) > 0)
        return false;
    reap(supervisor);
    return true;
}

static void watch(struct supervisor *supervisor)
{
    const struct timespec second = {.tv_sec = 1};
    bool said = false;

    while (!is_over(supervisor)) {
        int signo = sigtimedwait(&supervisor->signals, NULL, &second);

        if (signo > 0)
            on_signal(supervisor, signo);
        on_second(supervisor);
        stop_orphans(supervisor);
        if (!supervisor->program_ended || supervisor->step > 0 || said)
            continue;
        /* A master that failed leaves workers that would serve for ever. */
        if (supervisor->status != 0)
            stop_children(supervisor);
        else if (each_child(supervisor, NULL) > 0)
            fprintf(stderr, "fpmscope run: '%s' went to the background; Ctrl-C ends it\n",
                    supervisor->what->argv[0]);
        said = true;
    }
}

/* Returns as supervisor_run(). */
static int run_watched(struct supervisor *supervisor)
{
    int r;

    supervisor->interrupted = take_stops(supervisor);
    if (supervisor->interrupted)
        return 0;
    r = start_program(supervisor);
    if (r != 0)
        return r;
    watch(supervisor);
    return supervisor->status;
}

int supervisor_run(const struct supervised *what, bool *ret_interrupted)
{
    struct supervisor supervisor = {
        .what = what, .self = getpid(), .signals = obeyed_set(), .stops = stop_set()};

    idmap_init(&supervisor.steps, SUPERVISED_MAX);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int r = start_collector(&supervisor);
    if (r == 0) {
        r = run_watched(&supervisor);
        stop_collector(&supervisor);
    }
    take_stops(&supervisor); /* what they asked for is done */
    *ret_interrupted = supervisor.interrupted;
    idmap_release(&supervisor.steps);
    return r;
}
