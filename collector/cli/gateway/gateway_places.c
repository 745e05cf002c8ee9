/* gateway_places.c - ask nginx and php-fpm, then look under the usual names. */
#include "cli/gateway/gateway_places.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/input/find_logs.h"
#include "logs/access_format.h"
#include "logs/journal.h"

enum { TEXTS_BYTES = 1 << 20 };

/* Where nobody could be asked: logs of a stopped nginx, or copied from another machine. */
static const char *const usual_names[] = {
    "/var/log/nginx/access.log", "/var/log/nginx/error.log", "/var/log/php*-fpm.log",
    "/var/log/php-fpm/*.log",    "/var/log/kern.log",
};

/* NULL when there is no room. */
static const char *keep(struct gateway_places *places, const char *text)
{
    const size_t size_bytes = strlen(text) + 1;
    char *copy = places->texts + places->texts_bytes;

    if (size_bytes > TEXTS_BYTES - places->texts_bytes)
        return NULL;
    memcpy(copy, text, size_bytes);
    places->texts_bytes += size_bytes;
    return copy;
}

static bool is_known(const struct gateway_places *places, const char *path)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->paths[i], path) == 0)
            return true;
    return false;
}

/* A find_logs_fn. */
static void add(void *ctx, const char *path, const char *access_format)
{
    struct gateway_places *places = ctx;
    struct stat status;

    if (places->count == places->max || is_known(places, path) ||
        (!journal_is(path) && stat(path, &status) < 0))
        return;
    const char *kept = keep(places, path);
    if (!kept)
        return;
    places->paths[places->count] = kept;
    places->formats[places->count] =
        access_format && !access_format_problem(access_format) ? keep(places, access_format) : NULL;
    places->count++;
}

static void add_pattern(struct gateway_places *places, const char *pattern, const char *format)
{
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            add(places, found.gl_pathv[i], format);
    globfree(&found);
}

/* access.log -> access.log.1, access.log.1.gz.  A name that is a pattern itself is passed over. */
static void add_rotated(struct gateway_places *places)
{
    const size_t count = places->count;
    char pattern[PATH_MAX + 4];

    for (size_t i = 0; i < count; i++) {
        if (strpbrk(places->paths[i], "*?[\\"))
            continue;
        snprintf(pattern, sizeof pattern, "%s.1*", places->paths[i]);
        add_pattern(places, pattern, places->formats[i]);
    }
}

int gateway_places_find(struct gateway_places *places, size_t max, bool rotated)
{
    *places = (struct gateway_places){
        .paths = calloc(max, sizeof *places->paths),
        .formats = calloc(max, sizeof *places->formats),
        .texts = malloc(TEXTS_BYTES),
        .max = max,
    };
    if (!places->paths || !places->formats || !places->texts)
        return -ENOMEM;
    find_logs(add, places);
    for (size_t i = 0; i < sizeof usual_names / sizeof usual_names[0]; i++)
        add_pattern(places, usual_names[i], NULL);
    if (rotated)
        add_rotated(places);
    return 0;
}

void gateway_places_release(struct gateway_places *places)
{
    free((void *) (uintptr_t) places->paths);
    free((void *) (uintptr_t) places->formats);
    free(places->texts);
    *places = (struct gateway_places){0};
}
