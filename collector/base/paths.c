/* paths.c - default places, for root and for an ordinary user. */
#include "base/paths.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static int fill(char *ret_path, size_t size_bytes,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(ret_path, size_bytes, format, args);
    va_end(args);
    return n < 0 || (size_t) n >= size_bytes ? -ENAMETOOLONG : 0;
}

/* An environment variable that is there and not empty, or NULL. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static const char *home(void)
{
    const char *value = environment("HOME");
    const struct passwd *user = value ? NULL : getpwuid(geteuid());

    return value ? value : user ? user->pw_dir : "/";
}

int path_of_data(char *ret_path, size_t size_bytes)
{
    const char *own = environment("FPMSCOPE_DATA"), *xdg = environment("XDG_STATE_HOME");

    if (own)
        return fill(ret_path, size_bytes, "%s", own);
    if (geteuid() == 0)
        return fill(ret_path, size_bytes, "/var/lib/fpmscope");
    if (xdg)
        return fill(ret_path, size_bytes, "%s/fpmscope", xdg);
    return fill(ret_path, size_bytes, "%s/.local/state/fpmscope", home());
}

int path_of_socket(char *ret_path, size_t size_bytes)
{
    const char *own = environment("FPMSCOPE_SOCKET"), *xdg = environment("XDG_RUNTIME_DIR");

    if (own)
        return fill(ret_path, size_bytes, "%s", own);
    if (geteuid() == 0)
        return fill(ret_path, size_bytes, "/run/fpmscope/collector.sock");
    if (xdg)
        return fill(ret_path, size_bytes, "%s/fpmscope/collector.sock", xdg);
    return fill(ret_path, size_bytes, "/tmp/fpmscope-%u/collector.sock", geteuid());
}

int path_of_config(char *ret_path, size_t size_bytes)
{
    const char *own = environment("FPMSCOPE_CONFIG"), *xdg = environment("XDG_CONFIG_HOME");

    if (own)
        return fill(ret_path, size_bytes, "%s", own);
    if (geteuid() == 0)
        return fill(ret_path, size_bytes, "/etc/fpmscope/fpmscope.conf");
    if (xdg)
        return fill(ret_path, size_bytes, "%s/fpmscope/fpmscope.conf", xdg);
    return fill(ret_path, size_bytes, "%s/.config/fpmscope/fpmscope.conf", home());
}

int path_absolute(const char *path, char *ret_path, size_t size_bytes)
{
    char here[PATH_MAX];

    if (*path == '/')
        return fill(ret_path, size_bytes, "%s", path);
    if (!getcwd(here, sizeof here))
        return -errno;
    return fill(ret_path, size_bytes, "%s/%s", here, path);
}

int path_parent(const char *path, char *ret_path, size_t size_bytes)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return fill(ret_path, size_bytes, ".");
    if (slash == path)
        return fill(ret_path, size_bytes, "/");
    return fill(ret_path, size_bytes, "%.*s", (int) (slash - path), path);
}

static int is_tmpfs(const char *directory)
{
    struct statfs file_system;

    return statfs(directory, &file_system) == 0 && file_system.f_type == TMPFS_MAGIC;
}

int path_of_pages(const char *socket_path, char *ret_path, size_t size_bytes)
{
    const char *own = environment("FPMSCOPE_PAGES");
    char parent[PATH_MAX];
    int r = path_parent(socket_path, parent, sizeof parent);

    if (own)
        return fill(ret_path, size_bytes, "%s", own);
    if (r < 0)
        return r;
    if (is_tmpfs(parent))
        return fill(ret_path, size_bytes, "%s/pages", parent);
    return fill(ret_path, size_bytes, "/dev/shm/fpmscope-%u/pages", geteuid());
}

int path_make_directory(const char *path)
{
    char parent[PATH_MAX];

    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno == EEXIST) {
        struct stat status;

        return stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
    }
    if (errno != ENOENT)
        return -errno;
    int r = path_parent(path, parent, sizeof parent);
    if (r == 0 && strcmp(parent, path) != 0)
        r = path_make_directory(parent);
    if (r < 0)
        return r;
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}
