/* test_kernel_message.c - what kernels old and new say about a process that ended badly. */
#include <signal.h>

#include "log_fixture.h"

static struct log_kernel parse(const char *message)
{
    struct log_event event;

    log_event_init(&event, LOG_KERNEL);
    assert_true(kernel_message_parse(slice_of(message), &event.kernel));
    return event.kernel;
}

static void test_a_segfault_names_module_and_offset(void **state)
{
    const struct log_kernel kernel = parse(
        "php-fpm8.2[14490]: segfault at 7fff0f438fd8 ip 00007f3a0952cad8 sp 00007ffcdcff5188 error "
        "4 in libc.so.6[167ad8,7f3a093eb000+156000] likely on CPU 0 (core 0, socket 0)");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_SEGFAULT);
    assert_slice(kernel.comm, "php-fpm8.2");
    assert_int_equal(kernel.pid, 14490);
    assert_int_equal(kernel.signo, SIGSEGV);
    assert_int_equal(kernel.addr, 0x7fff0f438fd8);
    assert_int_equal(kernel.ip, 0x7f3a0952cad8);
    assert_int_equal(kernel.sp, 0x7ffcdcff5188);
    assert_int_equal(kernel.error, 4);
    assert_slice(kernel.module, "libc.so.6");
    assert_int_equal(kernel.module_base, 0x7f3a093eb000);
    assert_int_equal(kernel.module_offset, 0x167ad8);
}

static void test_an_old_segfault_has_the_offset_by_subtraction(void **state)
{
    const struct log_kernel kernel = parse("php-fpm[26045]: segfault at 18 ip 000000000058d839 sp "
                                           "00007fff9460e130 error 4 in php-fpm[400000+323000]");

    (void) state;
    assert_slice(kernel.module, "php-fpm");
    assert_int_equal(kernel.module_base, 0x400000);
    assert_int_equal(kernel.module_offset, 0x58d839 - 0x400000);
}

static void test_a_segfault_outside_of_any_module_has_none(void **state)
{
    const struct log_kernel kernel =
        parse("php-fpm: pool w[5][77]: segfault at 0 ip 0000000000000000 sp "
              "00007ffd0 error 14 likely on CPU 1 (core 1, socket 0)");

    (void) state;
    assert_slice(kernel.comm, "php-fpm: pool w[5]");
    assert_int_equal(kernel.pid, 77);
    assert_slice(kernel.module, "");
    assert_int_equal(kernel.error, 0x14);
}

static void test_a_trap_names_its_signal(void **state)
{
    struct log_kernel kernel =
        parse("traps: php-fpm8.1[1234] general protection fault ip:55d0c0 sp:7ffd error:0 in "
              "php-fpm8.1[55d000+300000]");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_GENERAL_PROTECTION);
    assert_slice(kernel.comm, "php-fpm8.1");
    assert_int_equal(kernel.pid, 1234);
    assert_int_equal(kernel.ip, 0x55d0c0);
    assert_int_equal(kernel.module_offset, 0xc0);
    assert_int_equal(kernel.signo, SIGSEGV);
    kernel = parse("php-fpm[9] general protection ip:1 sp:2 error:0");
    assert_int_equal(kernel.pid, 9);
    kernel = parse("traps: php-fpm[9] trap invalid opcode ip:7f0 sp:2 error:0 in a.so[700+1000]");
    assert_int_equal(kernel.signo, SIGILL);
    kernel = parse("traps: php-fpm[9] trap divide error ip:7f0 sp:2 error:0 in a.so[700+1000]");
    assert_int_equal(kernel.signo, SIGFPE);
}

static void test_an_oom_kill_gives_victim_and_memory(void **state)
{
    struct log_kernel kernel =
        parse("Memory cgroup out of memory: Killed process 9687 (php-fpm8.2) total-vm:763456kB, "
              "anon-rss:257240kB, file-rss:11328kB, shmem-rss:1608kB, UID:33 pgtables:1192kB "
              "oom_score_adj:-17");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_OOM_KILLED);
    assert_int_equal(kernel.pid, 9687);
    assert_slice(kernel.comm, "php-fpm8.2");
    assert_int_equal(kernel.total_vm_kib, 763456);
    assert_int_equal(kernel.anon_rss_kib, 257240);
    assert_int_equal(kernel.oom_score_adj, -17);
    assert_int_equal(kernel.uid, 33);
    assert_slice(kernel.constraint, "CONSTRAINT_MEMCG");
    kernel = parse(
        "Out of memory: Killed process 18421 (a) b) total-vm:5kB, anon-rss:3kB, file-rss:0kB");
    assert_slice(kernel.comm, "a) b");
    assert_slice(kernel.constraint, "");
    assert_int_equal(kernel.uid, -1);
}

static void test_old_kernels_announce_and_then_kill_once(void **state)
{
    struct log_kernel kernel =
        parse("Out of memory: Kill process 18421 (php-fpm7.1) score 987 or sacrifice child");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_OOM_SUMMARY);
    assert_int_equal(kernel.pid, 18421);
    kernel = parse("Killed process 18421 (php-fpm7.1) total-vm:123456kB, anon-rss:67890kB, "
                   "file-rss:0kB, shmem-rss:0kB");
    assert_int_equal(kernel.what, KERNEL_OOM_KILLED);
    assert_int_equal(kernel.anon_rss_kib, 67890);
    kernel =
        parse("Killed process 5225 (php-fpm), UID 48, total-vm:9kB, anon-rss:4kB, file-rss:0kB");
    assert_slice(kernel.comm, "php-fpm");
    assert_int_equal(kernel.uid, 48);
}

static void test_the_invoker_may_be_another_than_the_victim(void **state)
{
    const struct log_kernel kernel =
        parse("python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=200");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_OOM_INVOKED);
    assert_slice(kernel.comm, "python3");
    assert_int_equal(kernel.oom_score_adj, 200);
}

static void test_the_summary_gives_constraint_task_and_cgroup(void **state)
{
    const struct log_kernel kernel = parse(
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,task=x,mems_allowed=0,"
        "global_oom,task_memcg=/system.slice/php8.2-fpm.service,task=php-fpm8.2,pid=18421,uid=33");

    (void) state;
    assert_int_equal(kernel.what, KERNEL_OOM_SUMMARY);
    assert_slice(kernel.constraint, "CONSTRAINT_NONE");
    assert_slice(kernel.comm, "php-fpm8.2");
    assert_slice(kernel.task_memcg, "/system.slice/php8.2-fpm.service");
    assert_int_equal(kernel.pid, 18421);
    assert_int_equal(kernel.uid, 33);
}

static void test_rows_of_the_task_dump_count_pages_in_every_kernel(void **state)
{
    static const char *const rows[] = {
        "[   9687]    33  9687   190864    67223    64310     2832        81  1220608        0     "
        "5 mysqld",
        "[   9687]    33  9687   190864    67223  1220608        0             5 mysqld",
        "[ 9687]    33  9687   190864    67223     200        0             5 mysqld",
        "[ 9687]    33  9687   190864    67223 0  -17   5 mysqld",
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct log_kernel kernel = parse(rows[i]);

        assert_int_equal(kernel.what, KERNEL_OOM_TASK);
        assert_int_equal(kernel.pid, 9687);
        assert_int_equal(kernel.uid, 33);
        assert_int_equal(kernel.total_vm_kib, 190864 * 4);
        assert_int_equal(kernel.rss_kib, 67223 * 4);
        assert_int_equal(kernel.oom_score_adj, 5);
        assert_slice(kernel.comm, "mysqld");
    }
}

static void test_messages_about_other_things_are_refused(void **state)
{
    static const char *const messages[] = {
        "",
        "usb 1-1: new high-speed USB device",
        "Code: e1 ff ff ff c3 66",
        "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file name",
        "php-fpm8.2: segfault at 0 ip 0",
        "[1] 2 3",
        "oom_reaper: reaped process 9687 (php-fpm8.2), now anon-rss:0kB",
        "a] ip:",
        "php-fpm[9] ip:1 sp:2 error:0", /* no name of a trap: found by the fuzzer */
        "Killed process",
        "Killed process 5 (",
    };
    struct log_event event;

    (void) state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        log_event_init(&event, LOG_KERNEL);
        assert_false(kernel_message_parse(slice_of(messages[i]), &event.kernel));
        assert_int_equal(event.kernel.what, KERNEL_OTHER);
        assert_int_equal(event.kernel.pid, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_segfault_names_module_and_offset),
        cmocka_unit_test(test_an_old_segfault_has_the_offset_by_subtraction),
        cmocka_unit_test(test_a_segfault_outside_of_any_module_has_none),
        cmocka_unit_test(test_a_trap_names_its_signal),
        cmocka_unit_test(test_an_oom_kill_gives_victim_and_memory),
        cmocka_unit_test(test_old_kernels_announce_and_then_kill_once),
        cmocka_unit_test(test_the_invoker_may_be_another_than_the_victim),
        cmocka_unit_test(test_the_summary_gives_constraint_task_and_cgroup),
        cmocka_unit_test(test_rows_of_the_task_dump_count_pages_in_every_kernel),
        cmocka_unit_test(test_messages_about_other_things_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
