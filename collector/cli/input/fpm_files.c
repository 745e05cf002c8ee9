/* fpm_files.c - see fpm_files.h. */
#include "cli/input/fpm_files.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/input/small_file.h"
#include "logs/fpm_config.h"

enum { CONFIG_MAX_BYTES = 1 << 20, INCLUDED_FILES_MAX = 256 };

static int take_file(const char *path, fpm_file_fn fn, void *ctx)
{
    struct slice text;
    int r = small_file_read(path, CONFIG_MAX_BYTES, &text);

    if (r < 0)
        return r;
    fn(ctx, text);
    small_file_free(&text);
    return 0;
}

static int64_t take_pattern(const char *pattern, fpm_file_fn fn, void *ctx)
{
    int64_t unread = 0;
    glob_t found;

    if (pattern[0] != '/' || glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && i < INCLUDED_FILES_MAX; i++)
        unread += take_file(found.gl_pathv[i], fn, ctx) < 0;
    globfree(&found);
    return unread;
}

/* An included file includes nothing further. */
int64_t fpm_files_read(const char *path, fpm_file_fn fn, void *ctx)
{
    struct fpm_config *config;
    struct slice text;
    int64_t unread = 0;
    int r = small_file_read(path, CONFIG_MAX_BYTES, &text);

    if (r < 0)
        return r;
    fn(ctx, text);
    config = calloc(1, sizeof *config);
    if (config) {
        fpm_config_init(config);
        fpm_config_parse(config, text);
        for (size_t i = 0; i < config->includes_count; i++)
            unread += take_pattern(config->includes[i], fn, ctx);
    }
    small_file_free(&text);
    free(config);
    return config ? unread : -ENOMEM;
}

bool fpm_files_path(int64_t pid, struct slice named, char *ret_path, size_t size_bytes)
{
    int n;

    if (named.len_bytes == 0 || named.len_bytes > size_bytes / 2)
        return false;
    if (named.ptr[0] == '/')
        n = snprintf(ret_path, size_bytes, "%.*s", (int) named.len_bytes, named.ptr);
    else
        n = snprintf(ret_path, size_bytes, "/proc/%lld/cwd/%.*s", (long long) pid,
                     (int) named.len_bytes, named.ptr);
    return n > 0 && (size_t) n < size_bytes;
}
