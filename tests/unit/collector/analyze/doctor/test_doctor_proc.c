/* test_doctor_proc.c - /proc, control groups, php-fpm -i and varnishd's words are read right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/doctor/doctor_cgroup.h"
#include "analyze/doctor/doctor_php_info.h"
#include "analyze/doctor/doctor_proc.h"
#include "analyze/doctor/doctor_varnish_words.h"

#define ASSERT_SLICE(slice, text) assert_true(slice_equal(slice, SLICE(text)))

static void test_keyed_numbers_are_found_at_the_start_of_their_line_only(void **state)
{
    const struct slice text = SLICE("MemTotal:  24105 kB\nNotMemFree: 3 kB\nMemFree:\t7 kB\n");

    (void) state;
    assert_int_equal(doctor_keyed_number(text, "MemTotal:"), 24105);
    assert_int_equal(doctor_keyed_number(text, "MemFree:"), 7);
    assert_int_equal(doctor_keyed_number(text, "SwapFree:"), -1);
    assert_int_equal(doctor_keyed_number(SLICE("oom_kill 3\noom_kill_disable 0"), "oom_kill"), 3);
    assert_int_equal(doctor_keyed_number(SLICE("Pss:"), "Pss:"), -1);
}

static void test_numbers_that_are_none_or_too_large_are_refused(void **state)
{
    (void) state;
    assert_int_equal(doctor_number(SLICE("")), -1);
    assert_int_equal(doctor_number(SLICE("12x")), -1);
    assert_int_equal(doctor_number(SLICE("99999999999999999999999999")), -1);
}

static void test_mappings_give_files_and_say_when_they_were_replaced(void **state)
{
    struct slice rest = SLICE("7f-8f r-xp 0 08:01 12    /usr/lib/a b.so\n"
                              "7f-8f rw-p 0 00:00 0 \n7f-8f rw-p 0 00:00 0   [heap]\n"
                              "7f-8f r-xp 0 08:01 13 /opt/libfpmscope.so (deleted)\n");
    struct slice path;
    bool deleted;

    (void) state;
    assert_true(doctor_next_mapping(&rest, &path, &deleted));
    ASSERT_SLICE(path, "/usr/lib/a b.so");
    assert_false(deleted);
    assert_true(doctor_next_mapping(&rest, &path, &deleted));
    ASSERT_SLICE(doctor_base_name(path), "libfpmscope.so");
    assert_true(deleted);
    assert_false(doctor_next_mapping(&rest, &path, &deleted));
}

static void test_titles_tell_masters_from_workers(void **state)
{
    struct slice what;

    (void) state;
    assert_int_equal(
        doctor_fpm_title(SLICE("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)   "),
                         &what),
        DOCTOR_TITLE_MASTER);
    ASSERT_SLICE(what, "/etc/php/8.2/fpm/php-fpm.conf");
    assert_int_equal(doctor_fpm_title(SLICE("php-fpm: pool my shop"), &what), DOCTOR_TITLE_WORKER);
    ASSERT_SLICE(what, "my shop");
    assert_int_equal(doctor_fpm_title(SLICE("php-fpm8.2 -F"), &what), DOCTOR_TITLE_OTHER);
}

static void test_options_are_found_apart_from_and_joined_to_their_value(void **state)
{
    const struct slice line = SLICE("nginx: master process nginx -c /a/nginx.conf -p/b");

    (void) state;
    ASSERT_SLICE(doctor_option(line, 'c'), "/a/nginx.conf");
    ASSERT_SLICE(doctor_option(line, 'p'), "/b");
    assert_int_equal(doctor_option(line, 'e').len_bytes, 0);
    assert_int_equal(doctor_option(SLICE("nginx -c"), 'c').len_bytes, 0);
}

static void test_the_environment_is_searched_by_whole_names(void **state)
{
    const struct slice environ = SLICE("MY_LD_PRELOAD=/no\0LD_PRELOAD=/yes.so\0X=1");

    (void) state;
    ASSERT_SLICE(doctor_environment(environ, "LD_PRELOAD"), "/yes.so");
    assert_int_equal(doctor_environment(environ, "LD").len_bytes, 0);
}

static void test_only_listening_sockets_of_exactly_that_path_count(void **state)
{
    const struct slice text = SLICE("Num       RefCount Protocol Flags    Type St Inode Path\n"
                                    "0000: 00000002 00000000 00000000 0005 01 11 /run/a.sock\n"
                                    "0000: 00000002 00000000 00010000 0005 01 12 /run/b c.sock\n"
                                    "0000: 00000003 00000000 00000000 0001 03 13\n");

    (void) state;
    assert_false(doctor_unix_listens(text, SLICE("/run/a.sock")));
    assert_true(doctor_unix_listens(text, SLICE("/run/b c.sock")));
    assert_false(doctor_unix_listens(text, SLICE("/run/b")));
}

static void test_both_versions_of_control_groups_are_found(void **state)
{
    const struct doctor_cgroup_paths paths = doctor_cgroup_paths(
        SLICE("9:name=systemd:/x\n4:cpu,memory:/lxc/a:b\n0::/system.slice/php.service\n"));

    (void) state;
    ASSERT_SLICE(paths.v1_memory, "/lxc/a:b");
    ASSERT_SLICE(paths.v2, "/system.slice/php.service");
    assert_int_equal(doctor_cgroup_paths(SLICE("4:memory_other:/a\n")).v1_memory.len_bytes, 0);
}

static void test_no_limit_is_said_in_two_ways(void **state)
{
    (void) state;
    assert_int_equal(doctor_cgroup_limit(SLICE("max\n")), -1);
    assert_int_equal(doctor_cgroup_limit(SLICE("9223372036854771712\n")), -1);
    assert_int_equal(doctor_cgroup_limit(SLICE("1073741824\n")), 1073741824);
}

static void test_phpinfo_gives_version_build_and_jit(void **state)
{
    const struct slice text = SLICE("phpinfo()\nPHP Version => 8.2.36\n\nDebug Build => no\n"
                                    "Thread Safety => disabled\nPHP Version => 9\n"
                                    "opcache.jit => tracing => tracing\n"
                                    "opcache.jit_buffer_size => 64M => 64M\n");
    struct doctor_php_info info = doctor_php_info(text);

    (void) state;
    ASSERT_SLICE(info.version, "8.2.36");
    assert_int_equal(info.zts, 0);
    assert_int_equal(info.debug, 0);
    assert_int_equal(info.jit, 1);
    info = doctor_php_info(SLICE("PHP Version => 8.2.36\nThread Safety => enabled\n"
                                 "opcache.jit => tracing => tracing\n"
                                 "opcache.jit_buffer_size => 0 => 0\n"));
    assert_int_equal(info.zts, 1);
    assert_int_equal(info.jit, 0);
    assert_int_equal(doctor_php_info(SLICE("Segmentation fault")).jit, -1);
}

static void test_modules_are_names_without_headings_and_warnings(void **state)
{
    struct slice rest = SLICE("PHP Warning:  Unable to load x\n[PHP Modules]\nCore\n\n"
                              "[Zend Modules]\nZend OPcache\n");
    struct slice name;

    (void) state;
    assert_true(doctor_next_module(&rest, &name));
    ASSERT_SLICE(name, "Core");
    assert_true(doctor_next_module(&rest, &name));
    ASSERT_SLICE(name, "Zend OPcache");
    assert_false(doctor_next_module(&rest, &name));
}

static void test_branches_come_out_of_versions_and_names(void **state)
{
    (void) state;
    ASSERT_SLICE(doctor_php_branch(SLICE("8.2.36")), "8.2");
    ASSERT_SLICE(doctor_php_branch(SLICE("php-fpm7.4")), "7.4");
    ASSERT_SLICE(doctor_php_branch(SLICE("8.10.1")), "8.10");
    assert_int_equal(doctor_php_branch(SLICE("php-fpm")).len_bytes, 0);
    assert_int_equal(doctor_php_branch(SLICE("php-fpm82")).len_bytes, 0);
}

static void test_addresses_come_in_many_spellings(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {":6081", "", 6081},
        {"http=:6091,HTTP", "", 6091},
        {"localhost", "localhost", 0},
        {"[::1]:80", "::1", 80},
    };
    struct varnish_address address;

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(varnish_parse_address(slice_of(rows[i].text), &address));
        assert_string_equal(address.host, rows[i].host);
        assert_int_equal(address.port, rows[i].port);
    }
    assert_false(varnish_parse_address(SLICE("a:99999"), &address));
    assert_false(varnish_parse_address(SLICE(""), &address));
}

static void test_listeners_and_parameters_are_read_from_a_command_line(void **state)
{
    struct slice line = SLICE("varnishd\0-a\0:6081\0-phttp_resp_size=64k\0-alocalhost:6082,PROXY\0"
                              "-p\0http_resp_hdr_len=16384\0");
    struct varnish_address address;

    (void) state;
    assert_int_equal(varnish_parse_bytes(varnish_parameter(line, "http_resp_size")), 65536);
    assert_int_equal(varnish_parse_bytes(varnish_parameter(line, "http_resp_hdr_len")), 16384);
    assert_int_equal(varnish_parse_bytes(varnish_parameter(line, "workspace_backend")), -1);
    assert_true(varnish_next_listener(&line, &address));
    assert_int_equal(address.port, 6081);
    assert_true(varnish_next_listener(&line, &address));
    assert_int_equal(address.port, 6082);
    assert_false(varnish_next_listener(&line, &address));
}

static void test_backends_come_out_of_vcl_whatever_else_is_in_it(void **state)
{
    struct slice rest = SLICE("vcl 4.1;\n# backend x { .host = \"1.1.1.1\"; }\n/* backend y { */\n"
                              "backend none none;\nbackend default { // first\n"
                              "  .probe = { .url = \"/}\"; .timeout = 2s; }\n"
                              "  .port = \"8080\"; .host=\"127.0.0.1\";\n}\n"
                              "backend two { .host = \"shop.test\"; }\n"
                              "sub vcl_recv { if (req.url ~ \"backend { .host\") { } }\n");
    struct varnish_address address;

    (void) state;
    assert_true(varnish_next_backend(&rest, &address));
    assert_string_equal(address.host, "127.0.0.1");
    assert_int_equal(address.port, 8080);
    assert_true(varnish_next_backend(&rest, &address));
    assert_string_equal(address.host, "shop.test");
    assert_int_equal(address.port, 80);
    assert_false(varnish_next_backend(&rest, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyed_numbers_are_found_at_the_start_of_their_line_only),
        cmocka_unit_test(test_numbers_that_are_none_or_too_large_are_refused),
        cmocka_unit_test(test_mappings_give_files_and_say_when_they_were_replaced),
        cmocka_unit_test(test_titles_tell_masters_from_workers),
        cmocka_unit_test(test_options_are_found_apart_from_and_joined_to_their_value),
        cmocka_unit_test(test_the_environment_is_searched_by_whole_names),
        cmocka_unit_test(test_only_listening_sockets_of_exactly_that_path_count),
        cmocka_unit_test(test_both_versions_of_control_groups_are_found),
        cmocka_unit_test(test_no_limit_is_said_in_two_ways),
        cmocka_unit_test(test_phpinfo_gives_version_build_and_jit),
        cmocka_unit_test(test_modules_are_names_without_headings_and_warnings),
        cmocka_unit_test(test_branches_come_out_of_versions_and_names),
        cmocka_unit_test(test_addresses_come_in_many_spellings),
        cmocka_unit_test(test_listeners_and_parameters_are_read_from_a_command_line),
        cmocka_unit_test(test_backends_come_out_of_vcl_whatever_else_is_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
