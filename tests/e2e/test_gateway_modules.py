#!/usr/bin/env python3
"""test_gateway_modules.py - pages that are too slow or too large: the module that did it is named.

A shop of modules under a real php-fpm with a slow log; names are drawn anew in each run.
"""
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import leak_pages  # noqa: E402
import shop        # noqa: E402
import stage       # noqa: E402

shop.BODIES.update(
    sleeps=r"""
    public function %(method)s()
    {
        for ($end = microtime(true) + 8; microtime(true) < $end;) {
            usleep(200 * 1000);
        }
        return 'late';
    }
""",
    # Takes its memory first, so that somebody can kill it as the kernel would.
    eats=r"""
    public function %(method)s()
    {
        $rows = str_repeat('x', 40 << 20);
        file_put_contents(sys_get_temp_dir() . '/fpmscope-victim', getmypid());
        usleep(20 * 1000 * 1000);
        return strlen($rows);
    }
""")

OOM = ("Nov 22 00:00:00 shop kernel: [1.0] php-fpm8.2 invoked oom-killer: gfp_mask=0x1100cca(GFP), "
       "order=0, oom_score_adj=0\n"
       "Nov 22 00:00:00 shop kernel: [1.1] Out of memory: Killed process %d (php-fpm8.2) "
       "total-vm:900000kB, anon-rss:257240kB, file-rss:100kB, shmem-rss:0kB, UID:33 "
       "pgtables:700kB oom_score_adj:0\n")


class Modules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pages = leak_pages.pages(random.Random(), ["sleeps", "eats", "memory_limit", "healthy"])
        cls.page = {page.fault: page for page in pages}
        with stage.Stage(workers=3, nginx_extra="fastcgi_read_timeout 4s;", pool_extra=(
                "request_slowlog_timeout = 1s\nrequest_terminate_timeout = 6s\n"
                "slowlog = {dir}/slow.log")) as stand:
            stand.logs = stand.logs + ("slow.log", "kern.log")
            stand.settings["pool_extra"] = stand.settings["pool_extra"].format(dir=stand.dir)
            for name in ("slow.log", "kern.log"):
                open(stand.path(name), "w").close()
            stand.docroot = shop.write_shop(stand.path("shop"), pages)
            stand.start()
            cls.inject(stand)
            time.sleep(2)
            cls.rows = {row["uri"]: row for row in stand.json("502", "--all")["rows"]}
            cls.slow_log = stage.text_of(stand.path("slow.log"))

    @classmethod
    def inject(cls, stand):
        for _ in range(5):
            stand.get(cls.page["healthy"].route)
        stand.get(cls.page["memory_limit"].route)
        pid, _ = stand.kill_victim(cls.page["eats"].route)
        with open(stand.path("kern.log"), "a") as out:
            out.write((OOM % pid).replace("Nov 22 00:00:00", time.strftime("%b %e %H:%M:%S")))
        stand.get(cls.page["sleeps"].route)
        time.sleep(4)

    def row(self, fault, verdict):
        page = self.page[fault]
        self.assertIn(page.route, self.rows)
        row = self.rows[page.route]
        self.assertEqual(row["verdict"], verdict, row)
        return page, row

    def named(self, fault, verdict):
        page, row = self.row(fault, verdict)
        self.assertEqual(row.get("module"), page.module_name, row)
        self.assertIn(page.module_name, row["advice"])

    def test_who_ran_into_memory_limit_is_named(self):
        self.named("memory_limit", "php_memory_limit")

    def test_who_made_the_worker_grow_that_was_killed_for_memory_is_named(self):
        self.named("eats", "worker_oom_killed")

    def test_who_made_nginx_wait_too_long_is_named_by_the_slow_log(self):
        if "[0x" not in self.slow_log:
            self.skipTest("php-fpm cannot trace its workers here (ptrace): the slow log is empty")
        self.named("sleeps", "php_read_timeout")


if __name__ == "__main__":
    unittest.main(verbosity=2)
