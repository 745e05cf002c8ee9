/* process.c - see process.h. */
#include "base/process.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/real.h"
#include "banned.h"

enum { STAT_START_FIELD = 22, STAT_STATE_FIELD = 3 };

static const char *process_file_name(const char *path, size_t len_bytes)
{
    const char *name = path + len_bytes;

    while (name > path && name[-1] != '/')
        name--;
    return name;
}

bool process_is_php_fpm(void)
{
    static const char wanted[] = "php-fpm";
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    const char *name;

    if (len <= 0)
        return false;
    name = process_file_name(path, (size_t) len);
    return memmem(name, (size_t) (path + len - name), wanted, sizeof wanted - 1) != NULL;
}

uint64_t process_parse_start_ticks(const char *stat, size_t len_bytes)
{
    const char *end = stat + len_bytes, *at = end;
    uint64_t ticks = 0;

    while (at > stat && at[-1] != ')') /* the name may hold anything, also spaces and brackets */
        at--;
    for (int field = STAT_STATE_FIELD - 1; at < end && field < STAT_START_FIELD; at++)
        field += *at == ' ';
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        ticks = ticks * 10 + (uint64_t) (*at - '0');
    return ticks;
}

uint64_t process_start_ticks(void)
{
    char stat[1024];
    int fd = openat(AT_FDCWD, "/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return 0;
    len = real.read(fd, stat, sizeof stat);
    real.close(fd);
    return len > 0 ? process_parse_start_ticks(stat, (size_t) len) : 0;
}

static bool process_has_unlimited(int resource)
{
    struct rlimit limit;

    return syscall(SYS_prlimit64, 0, resource, NULL, &limit) == 0 &&
           limit.rlim_cur == RLIM_INFINITY;
}

bool process_memory_is_limited(void)
{
    return !process_has_unlimited(RLIMIT_AS) || !process_has_unlimited(RLIMIT_DATA);
}

static bool process_names(const char *path, size_t len_bytes, const char *library)
{
    const char *name = process_file_name(path, len_bytes);
    size_t library_bytes = strlen(library);

    return (size_t) (path + len_bytes - name) >= library_bytes &&
           memcmp(name, library, library_bytes) == 0;
}

bool process_without_library(const char *list, const char *library, char *ret_list)
{
    bool found = false;
    char *out = ret_list;

    while (*list) {
        size_t len = strcspn(list, ": ");

        if (process_names(list, len, library)) {
            found = true;
        } else if (len > 0) {
            if (out > ret_list)
                *out++ = ':';
            memcpy(out, list, len);
            out += len;
        }
        list += len + (list[len] != '\0');
    }
    *out = '\0';
    return found;
}
