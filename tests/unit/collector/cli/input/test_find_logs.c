/* test_find_logs.c - the logs of a configuration that was named: which nginx is asked, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/input/find_logs.h"

struct scene {
    char directory[64], other[64]; /* both in PATH, in this order */
    char *path_before;
    char found[4096]; /* a line each */
};

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    const char *path = getenv("PATH");
    char both[256];

    snprintf(scene->directory, sizeof scene->directory, "/tmp/fpmscope-find.XXXXXX");
    snprintf(scene->other, sizeof scene->other, "/tmp/fpmscope-find.XXXXXX");
    if (!mkdtemp(scene->directory) || !mkdtemp(scene->other))
        return -1;
    scene->path_before = strdup(path ? path : "");
    snprintf(both, sizeof both, ".::/nowhere:%s:%s", scene->directory, scene->other);
    setenv("PATH", both, 1);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    char path[96];

    setenv("PATH", scene->path_before, 1);
    snprintf(path, sizeof path, "%s/nginx", scene->directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/nginx", scene->other);
    unlink(path);
    rmdir(scene->directory);
    rmdir(scene->other);
    free(scene->path_before);
    free(scene);
    return 0;
}

/* An nginx whose configuration has one log: `log`, behind its own arguments. */
static void put_nginx(const char *directory, const char *log, mode_t mode)
{
    char path[96];
    FILE *out;

    snprintf(path, sizeof path, "%s/nginx", directory);
    out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out,
            "#!/bin/sh\n"
            "IFS=_; echo \"error_log /%s$*.log;\"\n",
            log);
    assert_int_equal(fchmod(fileno(out), mode), 0);
    fclose(out);
}

static void on_log(void *ctx, const char *path, const char *access_format)
{
    struct scene *scene = ctx;
    const size_t length = strlen(scene->found);

    (void) access_format;
    snprintf(scene->found + length, sizeof scene->found - length, "%s\n", path);
}

static void test_the_nginx_of_the_path_is_asked_about_the_file_that_was_named(void **state)
{
    struct scene *scene = *state;

    put_nginx(scene->directory, "first", 0755);
    put_nginx(scene->other, "second", 0755);
    assert_int_equal(find_logs_of_nginx("/x/my.conf", on_log, scene), 0);
    assert_string_equal(scene->found, "/first-T_-c_/x/my.conf.log\n");
}

static void test_without_a_name_it_is_asked_about_its_own_file(void **state)
{
    struct scene *scene = *state;

    put_nginx(scene->other, "second", 0755);
    assert_int_equal(find_logs_of_nginx(NULL, on_log, scene), 0);
    assert_string_equal(scene->found, "/second-T.log\n");
}

static void test_an_nginx_that_others_may_write_is_passed_over(void **state)
{
    struct scene *scene = *state;

    put_nginx(scene->directory, "first", 0777);
    put_nginx(scene->other, "second", 0755);
    assert_int_equal(find_logs_of_nginx(NULL, on_log, scene), 0);
    assert_string_equal(scene->found, "/second-T.log\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_nginx_of_the_path_is_asked_about_the_file_that_was_named),
        TEST(test_without_a_name_it_is_asked_about_its_own_file),
        TEST(test_an_nginx_that_others_may_write_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
