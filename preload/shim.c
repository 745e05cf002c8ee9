/*
 * shim.c - the shim's own life: constructor, off switch, forks, and who turns into what (role.h).
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc/ledger.h"
#include "alloc/wrap_dlopen.h"
#include "alloc/wrap_malloc.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/marks.h"
#include "base/process.h"
#include "base/real.h"
#include "base/thread.h"
#include "master.h"
#include "role.h"
#include "session.h"
#include "worker.h"
#include "banned.h"

enum role role_now = ROLE_INERT;

static struct {
    struct config config;
    struct session session;
    struct master master; /* in a master only */
    bool allocator_known;
} shim = {.session.link.fd = -1};

extern __typeof__(dlsym) dlsym SHIM_WEAK;
/* pthread_atfork() without its static half, which is not in libc.so.6 before glibc 2.34. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                             void *dso_handle);

static const char *shim_getenv(const char *variable)
{
    return getenv(variable);
}

static void shim_become_master(void)
{
    const struct recorder_place place = {
        .pages = shim.config.pages, .socket = shim.config.socket, .uid = geteuid()};

    if (role_now == ROLE_CANDIDATE)
        worker_discard();
    else
        session_start(&shim.session, shim.config.socket, geteuid());
    role_now = ROLE_MASTER;
    if (shim.session.link.fd < 0)
        session_connect(&shim.session);
    master_start(&shim.master, &shim.session, &place);
}

void shim_before_fork(void)
{
    int saved_errno = errno;

    if (role_now == ROLE_STARTING || role_now == ROLE_CANDIDATE)
        shim_become_master();
    errno = saved_errno;
}

void shim_after_fork(pid_t child)
{
    if (role_now == ROLE_MASTER)
        master_forked(&shim.master, child);
}

void shim_before_setsid(void)
{
    shim_before_fork();
}

void shim_reaped(pid_t child, int status)
{
    master_reaped(&shim.master, child, status);
}

void shim_before_kill(pid_t target, int signo)
{
    const struct wire_kill message = {
        .time_us = clock_unix_us(), .target = target, .signo = (uint32_t) signo};
    int saved_errno = errno;

    shim.master.has_killed |= signo == SIGKILL;
    if (thread_self.main && shim.session.introduced)
        session_say(&shim.session, WIRE_INDEX_KILL, &message, message.time_us);
    errno = saved_errno;
}

/* In every fork child.  Still root, and outside of any chroot, when its parent is a master. */
static void shim_in_child(void)
{
    int saved_errno = errno;

    ledger_after_fork();
    thread_self.main = true;
    if (role_now == ROLE_MASTER) {
        role_now = ROLE_CANDIDATE;
        session_start(&shim.session, shim.config.socket, geteuid());
        session_connect(&shim.session);
        worker_candidate(&shim.session);
        if (!shim.allocator_known)
            session_note(&shim.session, WIRE_NOTE_ALLOCATOR, "another malloc comes before ours");
    } else if (role_now >= ROLE_CANDIDATE) {
        role_now = ROLE_INERT;
        worker_abandon();
        session_abandon(&shim.session);
    }
    errno = saved_errno;
}

/* Another allocator that was preloaded before us has the host's blocks: nothing to count then. */
static void shim_open_ledger(void)
{
    thread_self.main = true;
    shim.allocator_known = wrap_malloc_in_charge();
    if (shim.allocator_known)
        wrap_malloc_open_ledger();
}

/* glibc's loader hands main()'s arguments to constructors, too. */
static __attribute__((constructor)) void shim_start(int argc, char **argv)
{
    struct unwind_loader loader;

    (void) argc;
    real_bind();
    if (wrap_malloc_is_foreign())
        wrap_dlopen_without_deepbind();
    if (!process_is_php_fpm())
        return;
    config_read(&shim.config, shim_getenv);
    if (shim.config.off)
        return;
    config_default_socket(&shim.config, geteuid(), getenv("XDG_RUNTIME_DIR"));
    shim_open_ledger();
    wrap_dlopen_without_deepbind();
    loader = (struct unwind_loader){.open = real.dlopen, .symbol = dlsym};
    worker_prepare(&shim.config, argv, &loader);
    __register_atfork(NULL, NULL, shim_in_child, NULL);
    role_now = ROLE_STARTING;
}
