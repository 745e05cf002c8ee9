/* test_module_config.c - which lines of a configuration are rules for modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/input/module_config.h"

static void write_config(char path[64], const char *text)
{
    int fd;

    strcpy(path, "/tmp/test_module_config.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void expect_module(const struct module_config *config, const char *file, const char *name)
{
    const struct php_frame frame = php_frame_of(slice_of(file), SLICE(""), SLICE("f"));
    struct module module;

    module_of_frame(&config->rules, &frame, &module);
    assert_string_equal(module.name, name);
}

static void test_only_the_modules_section_of_a_configuration_is_read(void **state)
{
    struct module_config config;
    char path[64];

    (void) state;
    write_config(path, "keep-days = 3\n[modules]\n; ours\n/w/tools/ = Acme_Tools third_party\n"
                       "plugin:x = plugin:y platform\n[other]\n/w/ = Wrong_One library\n");
    module_config_init(&config, false);
    assert_int_equal(module_config_read(&config, path, false), 0);
    expect_module(&config, "/w/tools/a.php", "Acme_Tools");
    expect_module(&config, "/w/wp-content/plugins/x/a.php", "plugin:y");
    expect_module(&config, "/w/a.php", "(entry)");
    module_config_release(&config);
    unlink(path);
}

static void test_a_wrong_line_is_reported_and_the_others_hold(void **state)
{
    struct module_config config;
    char path[64];

    (void) state;
    write_config(path, "nonsense\n/w/tools/ = Acme_Tools third_party\n");
    module_config_init(&config, false);
    assert_int_equal(module_config_read(&config, path, true), -EINVAL);
    expect_module(&config, "/w/tools/a.php", "Acme_Tools");
    module_config_release(&config);
    unlink(path);
}

static void test_a_missing_file_leaves_the_rules_as_they_are(void **state)
{
    struct module_config config;

    (void) state;
    module_config_init(&config, true);
    assert_int_equal(module_config_read(&config, "/nonexistent/fpmscope.conf", false), -ENOENT);
    expect_module(&config, "/w/app/code/Acme/Foo/a.php", "Acme_Foo");
    module_config_release(&config);
    module_config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_modules_section_of_a_configuration_is_read),
        cmocka_unit_test(test_a_wrong_line_is_reported_and_the_others_hold),
        cmocka_unit_test(test_a_missing_file_leaves_the_rules_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
