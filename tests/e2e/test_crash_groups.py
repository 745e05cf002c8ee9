#!/usr/bin/env python3
"""test_crash_groups.py - deaths by what they share and since when; `502 --follow` beside them.

One php-fpm crashes in two ways; between them a mark is set and php-fpm is reloaded, so that the
second way must come out as new.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage  # noqa: E402

PUSH = r"""<?php
namespace Acme\ErpSync\Model;
class Push {
    public static function old_bug() {
        \FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(null, 0, 16);
    }
}
"""
INDEX = r"""<?php
require __DIR__ . '/app/code/Acme/ErpSync/Model/Push.php';
function new_bug() { FFI::cdef('void abort(void);')->abort(); }
switch (explode('/', trim(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/'))[0]) {
case 'old': Acme\ErpSync\Model\Push::old_bug(); break;
case 'new': new_bug(); break;
}
echo "done";
"""


class Follower:
    """`fpmscope 502 --follow` in a pipe; its lines as they come, with the time."""

    def __init__(self, st, *options):
        self.process = subprocess.Popen([st.fpmscope, "502", "--follow"] + list(options),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=st.environment(), stdin=subprocess.DEVNULL)
        self.lines = []
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.time(), line.rstrip("\n")))

    def stop(self):
        """The exit code and what it said on stderr."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(10)
        self.thread.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, said


class CrashGroups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = st = stage.Stage(workers=3, global_extra="process_control_timeout = 5s")
        st.docroot = st.path("web")
        model = os.path.join(st.docroot, "app/code/Acme/ErpSync/Model")
        os.makedirs(model)
        with open(os.path.join(model, "Push.php"), "w") as out:
            out.write(PUSH)
        with open(os.path.join(st.docroot, "index.php"), "w") as out:
            out.write(INDEX)
        st.start()
        cls.table, cls.objects = Follower(st), Follower(st, "--json")
        cls.by_log = Follower(st, "--filter", "lines~/access[.]log:", "--fields", "uri,lines")
        time.sleep(1.2)  # "from now" begins before the first request
        st.drive(["/ok"] * 6 + ["/old/a", "/old/b", "/old/a"], 1)
        subprocess.run([st.fpmscope, "mark", "release-12"], env=st.environment(), check=True,
                       stdout=subprocess.DEVNULL)
        with open(st.path("fpm.pid")) as pid_file:
            os.kill(int(pid_file.read()), signal.SIGUSR2)
        time.sleep(1.5)
        stage.wait_for("the reloaded php-fpm", st.answers)
        st.drive(["/ok", "/new/x", "/new/x", "/old/a"], 1)
        cls.last_request = time.time()
        time.sleep(5)
        cls.ends = [cls.table.stop(), cls.objects.stop(), cls.by_log.stop()]
        cls.crashes = st.json("crashes")

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()
        cls.stage.__exit__()

    def group(self, signal_name):
        groups = [row for row in self.crashes["groups"] if row["signal"] == signal_name]
        self.assertEqual(len(groups), 1, self.crashes["groups"])
        return groups[0]

    def test_one_bug_is_one_group_with_its_routes(self):
        old = self.group("SIGSEGV")
        self.assertEqual(old["count"], 4)
        self.assertIn("old_bug", old["php_frame"])
        self.assertEqual(sum(route["count"] for route in old["routes"]), 4)
        self.assertEqual(len(self.crashes["crashes"]), 6)

    def test_what_began_after_the_release_says_so_and_the_old_bug_does_not(self):
        old, new = self.group("SIGSEGV"), self.group("SIGABRT")
        self.assertEqual(new["count"], 2)
        self.assertEqual(new["after_mark"]["name"], "release-12")
        self.assertGreaterEqual(new["after_mark"]["requests_before"], 6)
        self.assertIsNotNone(new["after_restart"])
        self.assertIsNone(old["after_mark"])
        self.assertIsNone(old["after_restart"])

    def test_a_live_view_in_a_pipe_shows_every_failed_request_once_and_soon(self):
        rows = [line.split("\t") for _, line in self.table.lines]
        uris = sorted(row[6] for row in rows)
        self.assertEqual(uris, sorted(["/old/a", "/old/b", "/old/a", "/new/x", "/new/x", "/old/a"]))
        self.assertEqual({row[2] for row in rows}, {"worker_crash"})
        self.assertLess(self.table.lines[-1][0], self.last_request + 4)
        self.assertLess(self.table.lines[0][0], self.last_request, "nothing was held until the end")

    def test_a_live_view_as_json_is_one_object_a_line(self):
        rows = [json.loads(line) for _, line in self.objects.lines]
        self.assertEqual(len(rows), 6)
        self.assertTrue(all(len(row["pids"]) == 1 and row["join"] == "exact" for row in rows), rows)

    def test_a_live_row_names_the_module_of_its_crash_and_says_what_to_do_with_it(self):
        rows = [json.loads(line) for _, line in self.objects.lines]
        old = [row for row in rows if row["uri"].startswith("/old")]
        self.assertEqual({row.get("module") for row in old}, {"Acme_ErpSync"}, old)
        self.assertTrue(all("Acme_ErpSync" in row["advice"] for row in old), old)

    def test_a_live_row_can_be_chosen_by_the_logs_that_tell_of_it(self):
        self.assertEqual(len(self.by_log.lines), 6, self.by_log.lines)
        self.assertTrue(all("/access.log:" in line for _, line in self.by_log.lines))

    def test_ctrl_c_ends_a_live_view_without_a_word(self):
        self.assertEqual(self.ends, [(0, "")] * 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
