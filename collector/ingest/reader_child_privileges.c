/*
 * reader_child_privileges.c - what the child gives up: uid, memory, time, and most system calls.
 */
#include "ingest/reader_child.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { NOBODY = 65534 };

#ifdef __x86_64__
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#else
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#endif

/* A sanitizer maps terabytes of shadow; everybody else must do with this. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADDRESS_SPACE_BYTES RLIM_INFINITY
#else
#define ADDRESS_SPACE_BYTES ((rlim_t) 4 << 30)
#endif

static int limit(__rlimit_resource_t resource, rlim_t value)
{
    const struct rlimit both = {.rlim_cur = value, .rlim_max = value};

    return setrlimit(resource, &both) == 0 ? 0 : -errno;
}

static int limit_all(void)
{
    static const struct {
        __rlimit_resource_t resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_AS, ADDRESS_SPACE_BYTES},
        {RLIMIT_CPU, READER_CHILD_DEADLINE_S},
        {RLIMIT_CORE, 0},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_NOFILE, 512},
        {RLIMIT_NPROC, 0},
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const int r = limit(limits[i].resource, limits[i].value);

        if (r < 0 && r != -EPERM) /* a lower hard limit is as good */
            return r;
    }
    return 0;
}

static int become_nobody(void)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return -errno;
    return 0;
}

#define PERMIT(call)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What reading files into memory and answering takes; anything else fails with EPERM. */
static int permit_reading_only(void)
{
    static struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_HERE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        PERMIT(read),
        PERMIT(pread64),
        PERMIT(write),
        PERMIT(openat),
        PERMIT(openat2),
        PERMIT(close),
        PERMIT(fstat),
        PERMIT(newfstatat),
        PERMIT(statx),
        PERMIT(lseek),
        PERMIT(readlinkat),
        PERMIT(fcntl),
        PERMIT(mmap),
        PERMIT(mremap),
        PERMIT(munmap),
        PERMIT(mprotect),
        PERMIT(madvise),
        PERMIT(brk),
        PERMIT(futex),
        PERMIT(getrandom),
        PERMIT(clock_gettime),
        PERMIT(getpid),
        PERMIT(gettid),
        PERMIT(geteuid),
        PERMIT(sched_yield),
        PERMIT(rt_sigprocmask),
        PERMIT(rt_sigreturn),
        PERMIT(exit),
        PERMIT(exit_group),
#ifdef __x86_64__
        PERMIT(open),
        PERMIT(stat),
        PERMIT(lstat),
        PERMIT(readlink),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};

    /* A kernel or a container without seccomp is no reason not to answer. */
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    return 0;
}

int reader_child_drop_privileges(void)
{
    const struct itimerval deadline = {.it_value = {.tv_sec = READER_CHILD_DEADLINE_S}};
    int r = become_nobody();

    if (r < 0)
        return r;
    /* After the change of uid: it clears the parent-death signal. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        setitimer(ITIMER_REAL, &deadline, NULL) != 0)
        return -errno;
    r = limit_all();
    if (r < 0)
        return r;
    return permit_reading_only();
}
