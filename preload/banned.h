/*
 * banned.h - what the shim must never call; included last by every source of preload/.
 *
 * The shim runs inside malloc(), inside signal handlers and inside somebody's production worker: it
 * does not allocate, print, lock, start processes or end them.  The compiler holds the rule.
 * (The sources that define the malloc family itself cannot include this.)
 */
#ifndef FPMSCOPE_BANNED_H
#define FPMSCOPE_BANNED_H

#ifdef __GNUC__
#pragma GCC poison malloc calloc realloc free strdup strndup asprintf vasprintf
#pragma GCC poison printf fprintf sprintf snprintf vprintf vfprintf vsnprintf puts perror
#pragma GCC poison fopen fdopen opendir getline syslog
#pragma GCC poison abort exit _exit raise system popen posix_spawn execve
#pragma GCC poison pthread_mutex_lock pthread_create sleep usleep nanosleep
#pragma GCC poison localtime localtime_r strerror setlocale qsort
#endif

#endif
