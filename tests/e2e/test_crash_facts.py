#!/usr/bin/env python3
"""test_crash_facts.py - a real php-fpm worker dies in every way that we know; nothing of its death
changes, and its recorder page tells who, where and why.

No collector: the page is read by tests/e2e/print_crash, the message by a socket of this test.
Names of functions and classes are new in each run.
"""
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import scratch  # noqa: E402
import stage    # noqa: E402
import wire     # noqa: E402

NAME = "z%06x" % random.randrange(1 << 24)
PRINT_CRASH = os.path.join(stage.ROOT, "build/release/tests/e2e/print_crash")
SHIM = os.path.join(stage.ROOT, "build/libfpmscope.so")

# Each body runs inside Shop\Till_NAME::pay_NAME(), called from a function do_NAME().
C = r"""static $c; $c ??= FFI::cdef('
    void *memset(void *s, int c, size_t n); void abort(void); void *malloc(size_t n);
    void free(void *p); int kill(int pid, int sig); int getpid(void);
    typedef struct {int q; int r;} div_t; div_t div(int a, int b);
    int open(const char *name, int flags, int mode); int ftruncate(int fd, long n);
    void *mmap(void *a, size_t n, int prot, int flags, int fd, long offset);
    void *dlopen(const char *name, int flags); void *dlsym(void *h, const char *name);
    ');
"""
FAULTS = {
    "null_write": C + "$p = FFI::new('char *'); $c->memset($p, 1, 16);",
    "abort": C + "$c->abort();",
    "double_free": C + "$p = $c->malloc(3000); $c->free($p); $c->free($p);",
    "divide": C + "$c->div(7, 0);",
    "bus": C + "$fd = $c->open($_GET['file'], 02 | 0100, 0600); $c->ftruncate($fd, 4096);"
               "$m = $c->mmap(null, 4096, 3, 1, $fd, 0); $c->ftruncate($fd, 0); $c->memset($m, 1, 8);",
    "overflow": "endless_NAME('a');",
    "kill": C + "$c->kill($c->getpid(), 9);",
    "segv_sent": C + "$c->kill($c->getpid(), 11);",
    "null_call": C + "$f = FFI::cdef('typedef void (*f)(void); typedef struct {f call;} s;');"
                     "$s = $f->new('s'); ($f->cast('f', $f->cast('size_t', 0)))();",
    "corrupt_heap": C + "$p = FFI::cast('char *', $c->malloc(5000)); $c->memset($p, 65, 200000);"
                        "for ($i = 0; $i < 1000; $i++) $c->malloc(700 + $i);",
    "shutdown": C + "register_shutdown_function(function () { static $x; " + C +
                "$p = FFI::new('char *'); $c->memset($p, 1, 16); });",
    "finished": C + "echo 'answer'; fastcgi_finish_request(); usleep(100000);"
                    "$p = FFI::new('char *'); $c->memset($p, 1, 16);",
}
SCRIPT = r"""<?php
namespace Shop {
class Till_NAME {
    public function pay_NAME($fault) {
        switch ($fault) {
CASES
        }
    }
}
}
namespace {
function endless_NAME($x) {
    return preg_replace_callback('/./', fn($m) => endless_NAME($m[0]), $x);
}
function do_NAME($fault) {
    (new Shop\Till_NAME)->pay_NAME($fault);
}
do_NAME($_GET['fault']);
}
"""


def write_script(path):
    cases = "".join("case '%s': %s break;\n" % item for item in FAULTS.items())
    cases = cases.replace("FFI::", "\\FFI::")
    with open(path, "w") as out:
        out.write(SCRIPT.replace("CASES", cases).replace("NAME", NAME))
    os.chmod(path, 0o644)


class Collector(threading.Thread):
    """A socket that takes every packet and remembers the CRASH messages."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.crashes = []
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(path)
        self.server.listen(64)
        self.start()

    def run(self):
        while True:
            try:
                connection = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        with connection:
            while True:
                try:
                    packet = connection.recv(65536)
                except OSError:
                    return
                if not packet:
                    return
                self.crashes += [fields for name, fields in wire.decode(packet) if name == "CRASH"]


class CrashFacts(unittest.TestCase):
    """One worker at a time: who dies is who served."""

    @classmethod
    def setUpClass(cls):
        cls.stage = stage.Stage(workers=1)
        cls.pages = scratch.make("pages", scratch.SHM)
        cls.collector = Collector(cls.stage.socket)
        cls.script = cls.stage.path("fault.php")
        write_script(cls.script)
        cls.stage.write_configuration()
        env = dict(cls.stage.environment(), LD_PRELOAD=SHIM, FPMSCOPE_PAGES=cls.pages)
        cls.fpm = cls.stage.spawn(cls.stage.fpm_command(), "run.out", env)
        stage.wait_for("a worker (%s)" % cls.stage.path("fpm.log"), cls.worker)

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()
        cls.stage.__exit__()
        shutil.rmtree(cls.pages, ignore_errors=True)

    @classmethod
    def worker(cls):
        pids = cls.stage.workers()
        return pids[0] if pids and cls.page(pids[0]) else None

    @classmethod
    def page(cls, pid):
        names = [name for name in os.listdir(cls.pages) if name.startswith("%d-" % pid)]
        return os.path.join(cls.pages, names[0]) if names else None

    def fault(self, name):
        """Let the worker die of `name`; returns (pid, report or None)."""
        pid = stage.wait_for("a worker", self.worker)
        page, uri = self.page(pid), "/pay?fault=%s&file=%s" % (name, self.stage.path("tmp/bus"))
        start = time.monotonic()
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(20)
            conn.connect(self.stage.path("fpm.sock"))
            conn.sendall(fcgi_client.request(self.script, uri))
            try:
                while conn.recv(65536):
                    pass
            except OSError:
                pass
        stage.wait_for("the death of %d by %s" % (pid, name),
                       lambda: not os.path.exists("/proc/%d" % pid), 10)
        self.took_s = time.monotonic() - start
        if os.environ.get("FPMSCOPE_SHOW"):
            subprocess.run([PRINT_CRASH, page])
        run = subprocess.run([PRINT_CRASH, page], capture_output=True, text=True, errors="replace")
        return pid, json.loads(run.stdout) if run.returncode == 0 else None

    def assert_fpm_logged(self, pid, signo):
        pattern = r"child %d exited on signal %d " % (pid, signo)
        stage.wait_for("php-fpm's line about %d" % pid, lambda: re.search(pattern, self.log()), 5)

    def log(self):
        with open(self.stage.path("fpm.log"), errors="replace") as lines:
            return lines.read()

    def assert_told(self, pid, report, signo, seconds=1.0):
        self.assert_fpm_logged(pid, signo)
        self.assertIsNotNone(report)
        self.assertEqual(report["signo"], signo)
        self.assertTrue(report["complete"])
        self.assertLess(self.took_s, seconds)
        message = stage.wait_for("the message", lambda: self.collector.crashes and
                                 self.collector.crashes[-1])
        self.assertEqual(message["signo"], signo)

    def assert_frame(self, report, pattern):
        self.assertTrue(any(re.search(pattern, frame) for frame in report["native"]),
                        "no %s in %s" % (pattern, report["native"]))

    def php_frames(self, method=True):
        """The innermost frames of the script, as lines of a report must show them."""
        return (["pay_%s\tShop\\Till_%s\t%s:" % (NAME, NAME, self.script)] if method else []) + \
            ["do_%s\t\t%s:" % (NAME, self.script), "\t\t%s:" % self.script]

    def assert_php(self, report, leaf):
        lines = report["php"]
        self.assertEqual(lines[0].split("\t")[0], leaf, lines)
        for line, start in zip(lines[1:], self.php_frames()):
            self.assertTrue(line.startswith(start), "%r is not at the start of %r" % (start, line))
        self.assertEqual(len(lines), 1 + len(self.php_frames()))

    def test_a_write_through_null_names_libc_ffi_and_the_script(self):
        pid, report = self.fault("null_write")
        self.assert_told(pid, report, 11)
        self.assertEqual(report["address"], 0)
        self.assertTrue(report["in_request"])
        self.assertFalse(report["response_sent"])
        self.assertRegex(report["faulting"], r"^libc\.so\.6\+0x[0-9a-f]+$")
        self.assertEqual(report["library"], "ffi.so")
        self.assert_frame(report, r"libffi\.so")
        self.assert_frame(report, r"^zend_call_function|^execute_ex|^zend_execute.*\(php-fpm8\.2\)")
        self.assert_frame(report, r"^__libc_start_main\w* \(libc\.so\.6\)$")
        self.assert_php(report, "memset")
        self.assertFalse(report["stack_overflow"])

    def test_an_abort_is_its_own(self):
        pid, report = self.fault("abort")
        self.assert_told(pid, report, 6)
        self.assertEqual(report["sender"], pid)
        self.assert_frame(report, r"^abort \(libc\.so\.6\)")
        self.assertEqual(report["library"], "ffi.so")
        self.assert_php(report, "abort")

    def test_a_double_free_is_found_by_libc_and_told(self):
        pid, report = self.fault("double_free")
        self.assert_told(pid, report, 6)
        self.assert_frame(report, r"^abort \(libc\.so\.6\)")
        self.assert_frame(report, r"ffi\.so")
        self.assert_php(report, "free")

    def test_a_division_by_zero_keeps_its_signal(self):
        pid, report = self.fault("divide")
        self.assert_told(pid, report, 8)
        self.assertEqual(report["native"][0], "div (libc.so.6)")
        self.assert_php(report, "div")

    def test_a_truncated_mapping_is_a_bus_error(self):
        pid, report = self.fault("bus")
        self.assert_told(pid, report, 7)
        self.assertRegex(report["faulting"], r"^libc\.so\.6\+0x")
        self.assert_php(report, "memset")

    def test_endless_recursion_is_a_stack_overflow(self):
        pid, report = self.fault("overflow")
        self.assert_told(pid, report, 11, seconds=3)
        self.assertTrue(report["stack_overflow"])
        if not report["native"][0].startswith("[anon]"):  # pcre's JIT has no unwind tables
            self.assertEqual(len(report["native"]), 32, report["native"])
            self.assert_frame(report, r"php-fpm8\.2")
        text = "\n".join(report["php"])
        self.assertGreater(text.count("endless_" + NAME), 10)
        self.assertRegex(text, r"\{\d{3,} frames cut\}")
        self.assertTrue(report["php"][-1].startswith("\t\t" + self.script), "the outermost is kept")

    def test_a_kill_from_inside_leaves_no_last_words(self):
        pid, report = self.fault("kill")
        self.assert_fpm_logged(pid, 9)
        self.assertIsNone(report)
        self.assertLess(self.took_s, 1)

    def test_a_sent_segfault_is_sent_again(self):
        pid, report = self.fault("segv_sent")
        self.assert_told(pid, report, 11)
        self.assertEqual((report["code"], report["sender"]), (0, pid))

    def test_a_call_through_null_shows_its_caller(self):
        pid, report = self.fault("null_call")
        self.assert_told(pid, report, 11)
        self.assertEqual(report["faulting"], "0x0")
        self.assertEqual(report["library"], "ffi.so")
        self.assert_frame(report, r"^__libc_start_main\w* \(libc\.so\.6\)$")

    def test_a_crash_inside_malloc_is_an_ordinary_crash(self):
        pid, report = self.fault("corrupt_heap")
        self.assertIn(report["signo"], (6, 11))
        self.assert_told(pid, report, report["signo"])
        self.assert_frame(report, r"libc\.so\.6")
        self.assertTrue(any("pay_" + NAME in line for line in report["php"]))

    def test_a_shutdown_function_dies_with_its_stack(self):
        pid, report = self.fault("shutdown")
        self.assert_told(pid, report, 11)
        self.assertEqual(report["php"][0].split("\t")[0], "memset")
        self.assertIn("{closure}", report["php"][1])

    def test_a_death_after_the_answer_says_so(self):
        pid, report = self.fault("finished")
        self.assert_told(pid, report, 11)
        self.assertTrue(report["response_sent"])
        self.assertTrue(report["in_request"])
        self.assert_php(report, "memset")

    def test_the_kernel_logs_a_segfault_as_ever(self):
        for pause in (0, 6, 6, 6):  # it logs ten in five seconds, whoever crashes here
            time.sleep(pause)
            pid, _ = self.fault("null_write")
            dmesg = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace")
            if dmesg.returncode != 0 or not dmesg.stdout:
                self.skipTest("dmesg is not readable here")
            if re.search(r"\[%d\]: segfault at 0 ip " % pid, dmesg.stdout):
                return
        if "segfault at" not in dmesg.stdout:
            self.skipTest("this kernel does not log segfaults")
        self.fail("no line about %d" % pid)


@unittest.skipIf(os.getuid() != 0, "chroot needs root")
class ChrootedCrash(unittest.TestCase):
    """No /proc in there: the page has no map, the collector's copy of it serves."""

    def test_a_chrooted_worker_is_named_by_the_map_of_its_life(self):
        with stage.Stage(workers=1) as scene:
            root = scene.path("root")
            os.mkdir(root)
            write_script(os.path.join(root, "fault.php"))
            scene.settings["pool_extra"] = "chroot = %s" % root
            scene.write_configuration()
            pages = scratch.make("pages", scratch.SHM)
            self.addCleanup(shutil.rmtree, pages, ignore_errors=True)
            scene.spawn(scene.fpm_command(), "run.out",
                        dict(scene.environment(), LD_PRELOAD=SHIM, FPMSCOPE_PAGES=pages))
            pid = stage.wait_for("a worker", lambda: (scene.workers() or [None])[0])
            page = stage.wait_for("its page", lambda: [
                os.path.join(pages, name) for name in os.listdir(pages)
                if name.startswith("%d-" % pid)])[0]
            shutil.copy("/proc/%d/maps" % pid, scene.path("maps"))
            with socket.socket(socket.AF_UNIX) as conn:
                conn.connect(scene.path("fpm.sock"))
                conn.sendall(fcgi_client.request("/fault.php", "/x?fault=null_write"))
                stage.wait_for("its death", lambda: not os.path.exists("/proc/%d" % pid))

            def report(*more):
                run = subprocess.run([PRINT_CRASH, page] + list(more), capture_output=True)
                return json.loads(run.stdout)
            alone, helped = report(), report(scene.path("maps"))
            self.assertEqual(len(alone["native"]), 1)
            self.assertTrue(alone["php"][1].startswith("pay_" + NAME), alone["php"])
            self.assertEqual(helped["library"], "ffi.so")
            self.assertTrue(any(f.startswith("execute_ex (php-fpm") for f in helped["native"]))

    def test_the_collector_has_that_map(self):
        with stage.Stage(workers=1, docroot="/shop") as scene:
            root = scene.path("root")
            os.makedirs(os.path.join(root, "shop"))
            write_script(os.path.join(root, "shop/index.php"))
            scene.settings["pool_extra"] = "chroot = %s" % root
            scene.start()
            self.assertEqual(scene.get("/pay?fault=null_write")[0], 502)
            # The end comes first, the unwound report some 30 ms later.
            crash = stage.wait_for("the report", lambda: [
                row for row in scene.json("crashes")["crashes"] if row["native_stack"]])[0]
            self.assertRegex(crash["faulting"], r"^libc\.so\.6\+0x")
            self.assertTrue(any("ffi.so" in f for f in crash["native_stack"]), crash)


if __name__ == "__main__":
    unittest.main(verbosity=2)
