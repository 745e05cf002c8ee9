/* arming_policy.c - see arming_policy.h. */
#include "zend/arming_policy.h"

#include <string.h>

#include "banned.h"

static const struct arming_row {
    const char *branch;
    int first, last;
    enum arming_policy policy;
} rows[] = {
#define ZEND_ARMING(branch, first, last, policy) {branch, first, last, ARMING_##policy},
#include "zend/arming.def"
};

enum { RELEASE_MAX = 999 };

/* "36" of "8.2.36" or "8.2.36-1+deb12u1"; -1 when no number is there. */
static int release_of(const char *text)
{
    int release = 0;

    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        release = release * 10 + (*text - '0');
        if (release > RELEASE_MAX)
            return -1;
    }
    return release;
}

enum arming_policy arming_policy_of(const char *version)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t len = strlen(rows[i].branch);
        int release;

        if (strncmp(version, rows[i].branch, len) != 0 || version[len] != '.')
            continue;
        release = release_of(version + len + 1);
        if (release >= rows[i].first && release <= rows[i].last)
            return rows[i].policy;
    }
    return ARMING_NEVER;
}
