/* listener.c - bind, replace what is stale, refuse what is not ours. */
#include "net/listener.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/paths.h"

static const char abstract_prefix[] = "fpmscope:";

__attribute__((format(printf, 3, 4))) static int say(struct listener_message *message, int r,
                                                     const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    return r;
}

static int new_socket(void)
{
    const int on = 1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* Before listen(), so that connections inherit it and no message comes without credentials. */
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    return fd;
}

/* 1: somebody listens there (*ret_pid); 0: nobody. */
static int is_served(const struct sockaddr_un *address, pid_t *ret_pid)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    int fd = new_socket();

    if (fd < 0)
        return 0;
    int connected = connect(fd, (const struct sockaddr *) address, sizeof *address);
    int served = connected == 0 || errno == EAGAIN;
    if (connected == 0)
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    close(fd);
    *ret_pid = peer.pid;
    return served;
}

static int remove_stale(const struct sockaddr_un *address, struct listener_message *message)
{
    struct stat status;
    pid_t pid = 0;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0
                               : say(message, -errno, "cannot use socket '%s': %s",
                                     address->sun_path, strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return say(message, -EEXIST, "'%s' exists and is not a socket", address->sun_path);
    if (is_served(address, &pid))
        return say(message, -EADDRINUSE,
                   "another collector (pid %d) listens on '%s'; stop it, or give --socket",
                   (int) pid, address->sun_path);
    if (unlink(address->sun_path) < 0)
        return say(message, -errno, "cannot replace socket '%s': %s", address->sun_path,
                   strerror(errno));
    return 0;
}

static int bind_path(struct listener *listener, const struct sockaddr_un *address,
                     struct listener_message *message)
{
    struct stat status;
    mode_t before = umask(0177);
    int r = bind(listener->path_fd, (const struct sockaddr *) address, sizeof *address);
    int error = errno;

    umask(before);
    if (r == 0 && lstat(address->sun_path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    if (r == 0 && listen(listener->path_fd, LISTENER_BACKLOG) == 0)
        return 0;
    if (r == 0)
        error = errno;
    return say(message, -error, "cannot listen on '%s': %s", address->sun_path, strerror(error));
}

static int listen_path(struct listener *listener, struct listener_message *message)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", listener->path);
    int r = remove_stale(&address, message);
    if (r < 0)
        return r;
    listener->path_fd = new_socket();
    if (listener->path_fd < 0)
        return say(message, -errno, "cannot make a socket: %s", strerror(errno));
    return bind_path(listener, &address, message);
}

/* Not fatal: without it workers that lose us do not find us again, and that is said. */
static int listen_abstract(struct listener *listener, struct listener_message *message)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t prefix = sizeof abstract_prefix - 1, length = strlen(listener->path);

    if (1 + prefix + length > sizeof address.sun_path)
        return say(message, 0,
                   "the socket's path is so long that workers will not find a restarted "
                   "collector; %zu bytes or less would do",
                   sizeof address.sun_path - 1 - prefix);
    memcpy(address.sun_path + 1, abstract_prefix, prefix);
    memcpy(address.sun_path + 1 + prefix, listener->path, length);
    listener->abstract_fd = new_socket();
    if (listener->abstract_fd < 0)
        return 0;
    const socklen_t size =
        (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + prefix + length);
    if (bind(listener->abstract_fd, (const struct sockaddr *) &address, size) == 0 &&
        listen(listener->abstract_fd, LISTENER_BACKLOG) == 0)
        return 0;
    say(message, 0,
        "somebody holds the abstract name of '%s': workers will not find a restarted "
        "collector",
        listener->path);
    close(listener->abstract_fd);
    listener->abstract_fd = -1;
    return 0;
}

static int prepare_directory(const char *path, struct listener_message *message)
{
    char directory[sizeof((struct listener *) 0)->path];
    int r = path_parent(path, directory, sizeof directory);

    if (r == 0)
        r = path_make_directory(directory);
    return r < 0 ? say(message, r, "cannot make directory '%s' for the socket: %s", directory,
                       strerror(-r))
                 : 0;
}

int listener_open(const char *path, struct listener *ret_listener,
                  struct listener_message *ret_message)
{
    struct listener listener = {.path_fd = -1, .abstract_fd = -1};

    ret_message->text[0] = '\0';
    if (strlen(path) >= sizeof listener.path)
        return say(ret_message, -ENAMETOOLONG,
                   "socket path '%s' is too long: %zu bytes, the kernel takes %zu", path,
                   strlen(path), sizeof listener.path - 1);
    snprintf(listener.path, sizeof listener.path, "%s", path);
    int r = prepare_directory(path, ret_message);
    if (r == 0)
        r = listen_path(&listener, ret_message);
    if (r == 0)
        r = listen_abstract(&listener, ret_message);
    if (r < 0)
        listener_close(&listener);
    else
        *ret_listener = listener;
    return r;
}

void listener_close(struct listener *listener)
{
    struct stat status;

    if (listener->inode != 0 && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode)
        unlink(listener->path);
    if (listener->path_fd >= 0)
        close(listener->path_fd);
    if (listener->abstract_fd >= 0)
        close(listener->abstract_fd);
    *listener = (struct listener){.path_fd = -1, .abstract_fd = -1};
}

void listener_raise_file_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}
