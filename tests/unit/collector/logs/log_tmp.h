/* log_tmp.h - a directory of files for tests that read logs. */
#ifndef FPMSCOPE_TESTS_LOG_TMP_H
#define FPMSCOPE_TESTS_LOG_TMP_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "log_fixture.h"

struct log_tmp {
    char dir[64];
    char path[128];  /* DIR/log, the usual file */
    char other[128]; /* DIR/log.1 */
};

static inline int log_tmp_setup(void **state)
{
    struct log_tmp *tmp = calloc(1, sizeof *tmp);

    assert_non_null(tmp);
    strcpy(tmp->dir, "/tmp/fpmscope-logs-XXXXXX");
    assert_non_null(mkdtemp(tmp->dir));
    snprintf(tmp->path, sizeof tmp->path, "%s/log", tmp->dir);
    snprintf(tmp->other, sizeof tmp->other, "%s/log.1", tmp->dir);
    *state = tmp;
    return 0;
}

static inline int log_tmp_teardown(void **state)
{
    struct log_tmp *tmp = *state;

    (void) chmod(tmp->path, 0600);
    if (unlink(tmp->path) < 0) /* a test may have made a directory */
        (void) rmdir(tmp->path);
    (void) unlink(tmp->other);
    assert_int_equal(rmdir(tmp->dir), 0);
    free(tmp);
    return 0;
}

/* mode: "w", "a" */
static inline void log_tmp_write(const char *path, const char *mode, const void *bytes,
                                 size_t size_bytes)
{
    FILE *file = fopen(path, mode);

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}

static inline void log_tmp_text(const char *path, const char *mode, const char *text)
{
    log_tmp_write(path, mode, text, strlen(text));
}

/* mode: "wb", "ab" (another member) */
static inline void log_tmp_gzip(const char *path, const char *mode, const void *bytes,
                                size_t size_bytes)
{
    gzFile file = gzopen(path, mode);

    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned) size_bytes), (int) size_bytes);
    assert_int_equal(gzclose(file), Z_OK);
}

#define log_tmp_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, log_tmp_setup, log_tmp_teardown)

#endif
