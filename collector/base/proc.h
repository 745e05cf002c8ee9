/*
 * proc.h - what the kernel says about a process: who it is, what it runs, how large it is.
 *
 * A process id alone names nobody for long; (pid, start time) does.  A pidfd pins a process: as
 * long as it is not readable, what /proc said after it was opened is about that process.
 */
#ifndef FPMSCOPE_BASE_PROC_H
#define FPMSCOPE_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

struct process_stat {
    char state; /* 'Z' is dead and waits to be reaped */
    pid_t parent;
    uint64_t start_ticks; /* clock ticks since boot */
};

/* From /proc/PID/stat.  0, -ESRCH, -EBADMSG. */
int process_stat(pid_t pid, struct process_stat *ret_stat);

/* Parse the text of that file; any bytes.  0 or -EBADMSG. */
int process_parse_stat(const char *text, size_t len_bytes, struct process_stat *ret_stat);

/* Resident size, KiB; -ESRCH when it is gone. */
int64_t process_rss_kib(pid_t pid);

/* Resident size without files and shared memory, KiB; -ESRCH, -EBADMSG (a zombie has none). */
int64_t process_anon_kib(pid_t pid);

/* The effective user id of the process; -ESRCH. */
int process_user(pid_t pid, uid_t *ret_uid);

/* The last part of the executable's path, without " (deleted)".  0 or -errno. */
int process_executable(pid_t pid, char *ret_name, size_t size_bytes);

/* The command line, its NULs as spaces, cut to the buffer.  0 or -errno. */
int process_command_line(pid_t pid, char *ret_line, size_t size_bytes);

/* The wall clock time at which a process with this start time began. */
int64_t process_start_us(uint64_t start_ticks);

/*
 * A pidfd of `pid`, and the start time of the process that it pins; close-on-exec.  -ESRCH when
 * the process has ended meanwhile, -ENOSYS on kernels before 5.3.
 */
int process_pin(pid_t pid, struct process_stat *ret_stat);

/* The same for a pidfd of `pid` that is open already, which is returned, or closed on failure. */
int process_read_pinned(int pidfd, pid_t pid, struct process_stat *ret_stat);

/* True when the process of this pidfd has ended. */
bool process_pinned_ended(int pidfd);

#endif
