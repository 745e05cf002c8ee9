/*
 * role.h - what this process is to php-fpm.
 *
 *   INERT      not php-fpm, switched off, or a child that a script started: pure pass-through
 *   STARTING   php-fpm itself; -t, -i and -v end like this, without a word
 *   MASTER     has forked: says FORK, REAP and KILL
 *   CANDIDATE  a fork child of the master: has a recorder page and a connection, says nothing yet.
 *              A daemonizing master is one too, until it calls setsid() or forks.
 *   WORKER     has called accept(): the rest of the shim works here
 */
#ifndef FPMSCOPE_ROLE_H
#define FPMSCOPE_ROLE_H

enum role { ROLE_INERT, ROLE_STARTING, ROLE_MASTER, ROLE_CANDIDATE, ROLE_WORKER };

extern enum role role_now;

#endif
