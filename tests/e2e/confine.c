/*
 * confine.c - run a program with less: fewer files, less memory, no system calls of the shim's.
 *
 *   confine [--files N] [--memory BYTES] [--file-size BYTES] [--refuse ERRNO] -- PROGRAM [ARG...]
 *
 * --refuse answers every system call that the shim makes and php-fpm does not need with that error,
 * as the seccomp profile of a container might.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned refused[] = {
    SYS_sendto,       SYS_process_vm_readv, SYS_fallocate,    SYS_sigaltstack,       SYS_fstatfs,
    SYS_timer_create, SYS_timer_settime,    SYS_timer_delete, SYS_rt_tgsigqueueinfo, SYS_gettid,
    SYS_mincore,      SYS_memfd_create,     SYS_mkdir,        SYS_mkdirat,           SYS_unlinkat,
    SYS_getsockopt,
};

enum { PROGRAM_MAX = 8 + 2 * sizeof refused / sizeof *refused };

struct program {
    struct sock_filter steps[PROGRAM_MAX];
    unsigned short length;
};

static void add(struct program *program, unsigned short code, unsigned value, unsigned char when,
                unsigned char unless)
{
    program->steps[program->length++] =
        (struct sock_filter){.code = code, .k = value, .jt = when, .jf = unless};
}

/* Only sockets of the collector's kind: php-fpm listens on others. */
static void refuse_seqpacket(struct program *program, unsigned answer)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4);
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]), 0, 0);
    add(program, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, SOCK_SEQPACKET, 0, 1);
    add(program, BPF_RET | BPF_K, answer, 0, 0);
}

static int refuse_calls(int error)
{
    const unsigned answer = SECCOMP_RET_ERRNO | ((unsigned) error & SECCOMP_RET_DATA);
    struct program program = {.length = 0};

    add(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        add(&program, BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
        add(&program, BPF_RET | BPF_K, answer, 0, 0);
    }
    refuse_seqpacket(&program, answer);
    add(&program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    const struct sock_fprog filter = {.len = program.length, .filter = program.steps};
    if (geteuid() != 0)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static int limit(int resource, const char *value)
{
    const rlim_t most = strtoull(value, NULL, 10);
    const struct rlimit both = {.rlim_cur = most, .rlim_max = most};

    return setrlimit((__rlimit_resource_t) resource, &both);
}

static int confine_by(const char *option, const char *value)
{
    static const struct {
        const char *option;
        int resource;
    } limits[] = {
        {"--files", RLIMIT_NOFILE}, {"--memory", RLIMIT_AS}, {"--file-size", RLIMIT_FSIZE}};

    if (strcmp(option, "--refuse") == 0)
        return refuse_calls(atoi(value));
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(option, limits[i].option) == 0)
            return limit(limits[i].resource, value);
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv)
{
    int i = 1;

    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        if (confine_by(argv[i], argv[i + 1]) < 0) {
            perror(argv[i]);
            return 126;
        }
    }
    if (i + 1 >= argc)
        return 2;
    execvp(argv[i + 1], argv + i + 1);
    perror(argv[i + 1]);
    return 127;
}
