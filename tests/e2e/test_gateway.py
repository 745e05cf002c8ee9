#!/usr/bin/env python3
"""test_gateway.py - causes of 5xx injected into a real nginx and php-fpm come out of `502 --json`.

The collector runs beside them; rows are asked from its store, and once more from the log files
alone, where less may be known but nothing may be wrong.
"""
import http.client
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

INDEX = r"""<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
switch (explode('/', trim($path, '/'))[0]) {
case 'segv':    FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(null, 0, 16); break;
case 'abort':   FFI::cdef('void abort(void);')->abort(); break;
case 'sleep':   /* to the end: a reload's SIGQUIT interrupts one usleep() */
                $end = microtime(true) + (float) ($_GET['s'] ?? 1);
                while (($left = $end - microtime(true)) > 0) usleep((int) ceil($left * 1000000)); break;
case 'header':  for ($i = 0; $i < 40; $i++) header("X-Large-$i: " . str_repeat('x', 1000)); break;
case 'fatal':   throw new RuntimeException('broken'); break;
case 'memory':  $a = []; while (true) $a[] = str_repeat('a', 1 << 18); break;
case 'partial': echo str_repeat('x', 100000); flush(); usleep(200000);
                FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(null, 0, 16); break;
}
echo "done";
"""


class Injected(stage.Stage):
    """A stage whose docroot is one script with faults."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.docroot = self.path("web")
        os.mkdir(self.docroot)
        with open(os.path.join(self.docroot, "index.php"), "w") as out:
            out.write(INDEX)

    def master(self):
        with open(self.path("fpm.pid")) as pid_file:
            return int(pid_file.read())

    def in_background(self, *uris):
        threads = [threading.Thread(target=self.get_quietly, args=(uri,)) for uri in uris]
        for thread in threads:
            thread.start()
        return threads

    def get_quietly(self, uri):
        try:
            return self.get(uri)[0]
        except (OSError, http.client.HTTPException):  # cut off in the middle
            return 0

    def asleep(self):
        """The workers that are in a /sleep/, by what nginx has not logged yet."""
        pids = []
        for pid in self.workers():
            try:
                with open("/proc/%d/syscall" % pid) as status:
                    syscall = status.read().split()[0]
            except (OSError, IndexError):
                continue
            if syscall in ("230", "35"):  # clock_nanosleep, nanosleep
                pids.append(pid)
        return pids

    def rows(self, *files):
        """By path: rows of the store, or of these files."""
        command = [self.fpmscope, "502", "--json", "--all"] + [self.path(name) for name in files]
        run = subprocess.run(command, capture_output=True, text=True, env=self.environment(),
                             timeout=60, stdin=subprocess.DEVNULL)
        by_path = {}
        for row in json.loads(run.stdout)["rows"]:
            by_path.setdefault(row["uri"].split("?")[0], []).append(row)
        return by_path


class Gateway(unittest.TestCase):
    def expect(self, rows, path, verdict, **attributes):
        self.assertIn(path, rows)
        for row in rows[path]:
            self.assertEqual(row["verdict"], verdict, row)
            for key, value in attributes.items():
                self.assertEqual(row.get(key), value, row)

    def test_deaths_headers_and_errors_of_php(self):
        with Injected(workers=3, memory_limit="48M",
                      pool_extra="request_terminate_timeout = 2s") as st:
            st.start()
            st.drive(["/segv/a", "/abort/a", "/header/a", "/fatal/a", "/memory/a", "/ok", "/ok"] * 2, 2)
            st.get_quietly("/partial/a")
            st.get("/sleep/terminated?s=8")
            waiting = st.in_background("/sleep/killed?s=1.5")
            busy = stage.wait_for("a busy worker", st.asleep)[0]
            os.kill(busy, signal.SIGKILL)
            waiting[0].join()
            time.sleep(1.5)
            rows = st.rows()
            self.expect(rows, "/segv/a", "worker_crash", signal="SIGSEGV", join="exact")
            self.expect(rows, "/abort/a", "worker_crash", signal="SIGABRT", join="exact")
            self.expect(rows, "/header/a", "header_too_big", hop="fastcgi", pids=[])
            self.expect(rows, "/fatal/a", "php_fatal", client_status=500)
            self.expect(rows, "/memory/a", "php_memory_limit", client_status=500)
            self.expect(rows, "/partial/a", "worker_crash", client_status=200)
            self.expect(rows, "/sleep/terminated", "request_timeout_killed", killer="master")
            self.expect(rows, "/sleep/killed", "worker_killed", signal="SIGKILL", pids=[busy])
            self.assertNotIn("/ok", rows)
            self.assertEqual(len(rows["/segv/a"]), 2)
            offline = st.rows("access.log", "error.log", "fpm.log")
            for path, same in rows.items():
                for row in offline.get(path, []):
                    self.assertIn(row["verdict"], (same[0]["verdict"], "unknown"), row)

    def refused_by_a_full_pool(self, st, rounds=4):
        """URIs answered 502 while all workers sleep and the backlog is full.  A machine that
        stands still for seconds lets the pool run empty in between: then once more."""
        for n in range(rounds):
            flood = st.in_background(*["/sleep/holding%d?s=2" % i for i in range(8)])
            time.sleep(0.8)
            uris = ["/refused/%d/%d" % (n, i) for i in range(3)]
            refused = [uri for uri in uris if st.get_quietly(uri) == 502]
            for thread in flood:
                thread.join()
            if refused:
                return refused
        raise AssertionError("the pool was never full in %d rounds" % rounds)

    def test_a_full_pool_a_reload_and_a_stop(self):
        with Injected(workers=2, pool_extra="listen.backlog = 1") as st:
            st.start()
            refused = self.refused_by_a_full_pool(st)
            reloading = st.in_background("/sleep/reloaded?s=3", "/sleep/reloaded?s=3")
            stage.wait_for("both workers in a request", lambda: len(st.asleep()) == 2)
            os.kill(st.master(), signal.SIGUSR2)
            for thread in reloading:
                thread.join()
            stage.wait_for("php-fpm again", st.answers)
            time.sleep(2)
            rows = st.rows()
            for uri in refused:
                self.expect(rows, uri, "pool_exhausted", reason="backlog_full")
            self.expect(rows, "/sleep/reloaded", "pool_restart", reason="reload", innocent=True)
            self.assertEqual(len(rows["/sleep/reloaded"]), 2)

    def test_a_slow_answer_is_no_crash(self):
        with Injected(workers=2, nginx_extra="fastcgi_read_timeout 1s;") as st:
            st.start()
            self.assertEqual(st.get("/sleep/slow?s=2")[0], 504)
            time.sleep(2.5)
            self.expect(st.rows(), "/sleep/slow", "php_read_timeout", client_status=504, pids=[])


if __name__ == "__main__":
    unittest.main(verbosity=2)
