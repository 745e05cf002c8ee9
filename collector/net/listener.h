/*
 * listener.h - the two names of the collector's socket: a path, which root's fork children can
 * reach, and the abstract name "\0fpmscope:" + path, which workers can reach again after setuid and
 * chroot.
 *
 * The path is the safe one: its directory is 0700 and the socket 0600.  Anybody on the host may
 * connect to the abstract name, so who comes that way is checked by the caller.
 */
#ifndef FPMSCOPE_NET_LISTENER_H
#define FPMSCOPE_NET_LISTENER_H

#include <stddef.h>

#include <sys/stat.h>
#include <sys/un.h>

enum { LISTENER_BACKLOG = 4096, LISTENER_MESSAGE_BYTES = 512 };

struct listener {
    char path[sizeof((struct sockaddr_un *) 0)->sun_path];
    int path_fd, abstract_fd; /* -1: not open */
    dev_t device;
    ino_t inode; /* of the path: only our own socket is removed */
};

struct listener_message {
    char text[LISTENER_MESSAGE_BYTES];
};

/*
 * Listen on `path`.  A socket that nobody listens on is replaced.  0, or -errno and a sentence:
 * -ENAMETOOLONG, -EADDRINUSE, -EEXIST (something else is there), -EACCES, ...
 */
int listener_open(const char *path, struct listener *ret_listener,
                  struct listener_message *ret_message);

/* Close, and remove the path when it is still ours. */
void listener_close(struct listener *listener);

/* Raise the limit of open files to what the kernel allows: two per worker are needed. */
void listener_raise_file_limit(void);

#endif
