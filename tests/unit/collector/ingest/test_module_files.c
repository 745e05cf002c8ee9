/* test_module_files.c - which files are read, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/module/module.h"
#include "analyze/module/module_evidence.h"
#include "ingest/module_files.h"

struct place {
    char directory[64], path[128];
    char buffer[32];
};

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->directory, "/tmp/test_module_files.XXXXXX");
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/file", place->directory);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    rmdir(place->path);
    rmdir(place->directory);
    free(place);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static ssize_t read_place(struct place *place)
{
    return module_files_read(NULL, place->path, place->buffer, sizeof place->buffer);
}

static void test_a_regular_file_is_read_up_to_the_ceiling(void **state)
{
    struct place *place = *state;

    write_file(place->path, "0123456789");
    assert_int_equal(read_place(place), 10);
    assert_memory_equal(place->buffer, "0123456789", 10);
    write_file(place->path, "0123456789012345678901234567890123456789");
    assert_int_equal(read_place(place), sizeof place->buffer);
}

static void test_a_link_is_refused(void **state)
{
    struct place *place = *state;

    assert_int_equal(symlink("/etc/passwd", place->path), 0);
    assert_int_equal(read_place(place), -ELOOP);
}

static void test_a_pipe_neither_stops_us_nor_is_read(void **state)
{
    struct place *place = *state;

    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_int_equal(read_place(place), -EINVAL);
}

static void test_a_directory_and_a_missing_file_are_errors(void **state)
{
    struct place *place = *state;

    assert_int_equal(read_place(place), -ENOENT);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_int_equal(read_place(place), -EINVAL);
}

static void test_real_files_name_a_module_that_its_path_does_not(void **state)
{
    struct place *place = *state;
    struct module_evidence *evidence = module_evidence_new(module_files_read, NULL);
    const struct module_rules rules = {.evidence = evidence};
    char registration[160], template[160];
    struct module module;

    snprintf(registration, sizeof registration, "%s/registration.php", place->directory);
    snprintf(template, sizeof template, "%s/view/frontend/x.phtml", place->directory);
    write_file(registration, "<?php \\Magento\\Framework\\Component\\ComponentRegistrar::register("
                             "'module', 'Acme_Real', __DIR__);");
    const struct php_frame frame = php_frame_of(slice_of(template), SLICE(""), SLICE(""));

    module_of_frame(&rules, &frame, &module);
    assert_string_equal(module.name, "Acme_Real");
    module_evidence_free(evidence);
    unlink(registration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_regular_file_is_read_up_to_the_ceiling, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_a_link_is_refused, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_pipe_neither_stops_us_nor_is_read, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_a_directory_and_a_missing_file_are_errors, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_real_files_name_a_module_that_its_path_does_not,
                                        place_make, place_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
