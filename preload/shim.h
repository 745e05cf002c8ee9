/*
 * shim.h - turning points of a process's life, as seen by the hooks of process functions.
 * They keep errno.
 */
#ifndef FPMSCOPE_SHIM_H
#define FPMSCOPE_SHIM_H

#include <sys/types.h>

void shim_before_fork(void);
void shim_after_fork(pid_t child); /* in the parent */
void shim_before_setsid(void);
void shim_reaped(pid_t child, int status);
void shim_before_kill(pid_t target, int signo);

#endif
