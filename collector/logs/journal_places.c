/* journal_places.c - which paths are journals, and where a host keeps its own; no libsystemd. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/journal.h"

/* How every journal file begins. */
static const char signature[] = "LPKSHHRH";

static const char *const system_journals[] = {
    "/var/log/journal/*/system.journal",
    "/run/log/journal/*/system.journal",
};

static bool is_journal_file(const char *path)
{
    char head[sizeof signature - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, head, sizeof head);
    close(fd);
    return n == (ssize_t) sizeof head && memcmp(head, signature, sizeof head) == 0;
}

static bool has_any(const char *pattern)
{
    glob_t found;
    bool any = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;

    globfree(&found);
    return any;
}

/* DIR/x.journal, or the journal's own folders DIR/MACHINE/x.journal. */
static bool is_journal_directory(const char *path)
{
    char pattern[PATH_MAX];

    if (snprintf(pattern, sizeof pattern, "%s/*.journal", path) >= (int) sizeof pattern)
        return false;
    if (has_any(pattern))
        return true;
    return snprintf(pattern, sizeof pattern, "%s/*/*.journal", path) < (int) sizeof pattern &&
           has_any(pattern);
}

bool journal_is(const char *path)
{
    struct stat st;

    if (strcmp(path, JOURNAL_OF_HOST) == 0)
        return true;
    if (stat(path, &st) < 0)
        return false;
    return S_ISDIR(st.st_mode) ? is_journal_directory(path)
                               : S_ISREG(st.st_mode) && is_journal_file(path);
}

bool journal_exists(void)
{
    for (size_t i = 0; i < sizeof system_journals / sizeof *system_journals; i++)
        if (has_any(system_journals[i]))
            return true;
    return false;
}

const char *journal_unreadable(char *buffer, size_t size_bytes)
{
    const char *found_path = NULL;

    for (size_t i = 0; !found_path && i < sizeof system_journals / sizeof *system_journals; i++) {
        glob_t found;

        if (glob(system_journals[i], GLOB_NOSORT, NULL, &found) == 0 &&
            access(found.gl_pathv[0], R_OK) < 0) {
            snprintf(buffer, size_bytes, "%s", found.gl_pathv[0]);
            found_path = buffer;
        }
        globfree(&found);
    }
    return found_path;
}

const char *journal_problem(int r)
{
    if (r == -ENOTSUP)
        return "this fpmscope was built without libsystemd; give it `journalctl -o short-unix -b` "
               "as a file or a pipe";
    if (r == -EBADMSG || r == -EPROTONOSUPPORT)
        return "the journal is damaged, or newer than this libsystemd";
    return strerror(-r);
}
