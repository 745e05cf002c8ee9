/* test_listener.c - the socket's two names: made private, replaced when stale, never taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listener.h"

struct place {
    char directory[64], path[96];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->directory, sizeof place->directory, "/tmp/fpmscope-net.XXXXXX");
    *state = place;
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/new/c.sock", place->directory);
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", place->directory);
    int r = system(command);
    free(place);
    return r;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static void test_the_socket_and_its_directory_are_private_and_go_at_the_end(void **state)
{
    struct place *place = *state;
    struct listener_message message;
    struct listener listener;
    char directory[96];

    assert_int_equal(listener_open(place->path, &listener, &message), 0);
    snprintf(directory, sizeof directory, "%s/new", place->directory);
    assert_int_equal(mode_of(directory), 0700);
    assert_int_equal(mode_of(place->path), 0600);
    assert_true(listener.abstract_fd >= 0);
    listener_close(&listener);
    assert_int_equal(access(place->path, F_OK), -1);
}

static void test_a_socket_that_somebody_listens_on_is_not_taken(void **state)
{
    struct place *place = *state;
    struct listener_message message;
    struct listener first, second;
    char expected[32];

    assert_int_equal(listener_open(place->path, &first, &message), 0);
    assert_int_equal(listener_open(place->path, &second, &message), -EADDRINUSE);
    snprintf(expected, sizeof expected, "(pid %d)", (int) getpid());
    assert_non_null(strstr(message.text, expected));
    assert_int_equal(access(place->path, F_OK), 0);
    listener_close(&first);
}

static void test_a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
    struct place *place = *state;
    struct listener_message message;
    struct listener listener;

    assert_int_equal(listener_open(place->path, &listener, &message), 0);
    close(listener.path_fd); /* as kill -9 leaves it */
    close(listener.abstract_fd);
    assert_int_equal(listener_open(place->path, &listener, &message), 0);
    listener_close(&listener);
    FILE *file = fopen(place->path, "w");
    fclose(file);
    assert_int_equal(listener_open(place->path, &listener, &message), -EEXIST);
    assert_non_null(strstr(message.text, "is not a socket"));
    assert_int_equal(access(place->path, F_OK), 0);
}

static void test_only_ones_own_socket_is_removed_at_the_end(void **state)
{
    struct place *place = *state;
    struct listener_message message;
    struct listener first, second;

    assert_int_equal(listener_open(place->path, &first, &message), 0);
    unlink(place->path);
    close(first.abstract_fd);
    first.abstract_fd = -1;
    assert_int_equal(listener_open(place->path, &second, &message), 0);
    listener_close(&first);
    assert_int_equal(access(place->path, F_OK), 0);
    listener_close(&second);
}

static void test_a_path_that_is_too_long_is_refused_with_its_length(void **state)
{
    struct place *place = *state;
    struct listener_message message;
    struct listener listener;
    char path[256];

    snprintf(path, sizeof path, "%s/%0150d", place->directory, 1);
    assert_int_equal(listener_open(path, &listener, &message), -ENAMETOOLONG);
    assert_non_null(strstr(message.text, "too long"));
    /* Long enough for the path, too long for the abstract name: said, and good enough. */
    snprintf(path, sizeof path, "%s/%0*d", place->directory,
             (int) (sizeof listener.path - 2 - strlen(place->directory)), 1);
    assert_int_equal(listener_open(path, &listener, &message), 0);
    assert_int_equal(listener.abstract_fd, -1);
    assert_non_null(strstr(message.text, "will not find"));
    listener_close(&listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_socket_and_its_directory_are_private_and_go_at_the_end),
        TEST(test_a_socket_that_somebody_listens_on_is_not_taken),
        TEST(test_a_stale_socket_is_replaced_and_a_file_is_not),
        TEST(test_only_ones_own_socket_is_removed_at_the_end),
        TEST(test_a_path_that_is_too_long_is_refused_with_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
