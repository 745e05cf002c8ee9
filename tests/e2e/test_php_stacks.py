#!/usr/bin/env python3
"""test_php_stacks.py - the PHP stack of a crash is the one that PHP itself would print.

Each case writes debug_backtrace() to a file and dies in the next statement; the stack in the
recorder page must be the same: functions, classes, files and lines, through closures, generators,
fibers, magic calls, callbacks, eval, includes and anonymous classes; with opcache, without it, and
with its JIT.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import scratch  # noqa: E402
import stage    # noqa: E402

PRINT_CRASH = os.path.join(stage.ROOT, "build/release/tests/e2e/print_crash")
SHIM = os.path.join(stage.ROOT, "build/libfpmscope.so")
NAME_MAX, CUT = 128, 64

SCRIPT = r"""<?php
namespace Shop;
function finish() {
    $c = \FFI::cdef('void *memset(void *s, int c, size_t n);');
    $p = \FFI::new('char *');
    file_put_contents($_GET['out'], json_encode(debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS),
        JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE));
    $c->memset($p, 1, 16);
}
const DEATH = 8;
class Base { function run() { finish(); } static function call_static() { (new static)->run(); } }
class Derived extends Base { function run() { parent::run(); } }
class Magic {
    function __call($n, $a) { finish(); }
    static function __callStatic($n, $a) { finish(); }
    function __get($n) { finish(); }
    function __toString(): string { finish(); return ''; }
    function __invoke() { finish(); }
}
trait Deed { function deed() { finish(); } }
class Doer { use Deed; }
class Gone { function __destruct() { finish(); } }
class Iter implements \IteratorAggregate { function getIterator(): \Iterator { finish(); } }
function gen() { yield 1; finish(); yield 2; }
function outer_gen() { yield 0; yield from gen(); }
function deep($n) { if ($n > 0) { deep($n - 1); return 0; } finish(); }
function fail() { try { throw new \Exception('x'); } finally { finish(); } }
switch ($_GET['case']) {
    case 'plain': finish(); break;
    case 'method': (new Derived)->run(); break;
    case 'static': Derived::call_static(); break;
    case 'closure': (function () { finish(); })(); break;
    case 'arrow': (fn() => finish())(); break;
    case 'bound': \Closure::bind(function () { finish(); }, new Derived, Base::class)(); break;
    case 'callback': array_map(function ($x) { finish(); }, [1]); break;
    case 'usort': $a = [2, 1]; usort($a, [new Doer, 'deed']); break;
    case 'call_user_func': call_user_func_array([new Derived, 'run'], []); break;
    case 'first_class': $f = finish(...); $f(); break; // 8.1
    case 'reflection': (new \ReflectionMethod(Derived::class, 'run'))->invoke(new Derived); break;
    case 'magic_call': (new Magic)->anything(1, 2); break;
    case 'magic_static': Magic::anything(); break;
    case 'magic_get': (new Magic)->prop; break;
    case 'to_string': $s = 'a' . new Magic; break;
    case 'invoke': (new Magic)(); break;
    case 'trait': (new Doer)->deed(); break;
    case 'destructor': $g = new Gone; unset($g); break;
    case 'generator': foreach (gen() as $x); break;
    case 'yield_from': foreach (outer_gen() as $x); break;
    case 'iterator': foreach (new Iter as $x); break;
    case 'anonymous': (new class { function go() { finish(); } })->go(); break;
    case 'anonymous_child': (new class extends Derived { function go() { $this->run(); } })->go();
        break;
    case 'eval': eval("\n\n\\Shop\\finish();"); break;
    case 'eval_function': eval('function in_eval() { finish(); }'); eval('function in_eval2() {
        \Shop\finish(); } in_eval2();'); break;
    case 'include': include $_GET['include']; break;
    case 'fiber': (new \Fiber(function () { deep(2); }))->start(); break; // 8.1
    case 'fiber_resumed': $f = new \Fiber(function () { \Fiber::suspend(); deep(1); }); // 8.1
        $f->start(); $f->resume(); break;
    case 'preg': preg_replace_callback('/a/', function ($m) { finish(); }, 'a'); break;
    case 'deep': deep(200); break;
    case 'finally': fail(); break;
    case 'buffer': ob_start(function ($b) { finish(); }); echo 'x'; ob_end_flush(); break;
    case 'autoload': spl_autoload_register(function ($c) { finish(); }); new \Nowhere(); break;
    case 'error_handler': set_error_handler(function () { finish(); }); echo $undefined; break;
}
"""
INCLUDED = "<?php\nfunction in_include() {\n    \\Shop\\finish();\n}\n\nin_include();\n"
# A different PHP is tested with FPMSCOPE_PHP_FPM=/path/to/php-fpm.
VERSION = subprocess.run([stage.PHP_FPM, "-v"], capture_output=True, text=True).stdout.split()[1]
ENGINES = {"opcache": [], "no_opcache": ["-d", "opcache.enable=0"],
           "jit": ["-d", "opcache.jit=tracing", "-d", "opcache.jit_buffer_size=32M"]}
if tuple(map(int, VERSION.split(".")[:2])) < (8, 1):
    # Line numbers must not move: what the old parser cannot read becomes an empty case.
    SCRIPT = "\n".join("    case '': case '': break;" if "// 8.1" in line or "Fiber" in line
                       else "" if line.startswith("        $f->start()") else line
                       for line in SCRIPT.split("\n"))
CASES = [case for case in (line.split("'")[1] for line in SCRIPT.splitlines()
                           if line.strip().startswith("case '")) if case]


def expected_lines(backtrace, script, line):
    """The lines of a report for a debug_backtrace(); innermost first."""
    place, lines = "%s:%d" % (script, line), []
    for frame in backtrace:
        function, name = frame["function"], frame.get("class", "").split("\0")[0]
        if function == "Shop\\outer_gen":  # a generator that delegates is left out:
            place = "%s:%d" % (frame["file"], frame["line"])  # see preload/DESIGN.md, C4
            continue
        if function in ("include", "eval"):
            function = name = ""
        internal = place is None
        lines.append("%s\t%s\t%s" % (function, name, "" if internal else place))
        place = "%s:%d" % (frame["file"], frame["line"]) if "file" in frame else None
    lines.append("\t\t%s" % place)
    return lines


class PhpStacks(unittest.TestCase):
    """One master per engine; a worker dies in every case."""

    def start(self, options):
        self.pages = scratch.make("pages", scratch.SHM)
        self.addCleanup(shutil.rmtree, self.pages, ignore_errors=True)  # last: php-fpm would make it again
        self.stage = stage.Stage(workers=1)
        self.addCleanup(self.stage.__exit__)
        for name, text in (("script.php", SCRIPT), ("included.php", INCLUDED)):
            with open(self.stage.path(name), "w") as out:
                out.write(text)
        self.stage.write_configuration()
        env = dict(self.stage.environment(), LD_PRELOAD=SHIM, FPMSCOPE_PAGES=self.pages)
        self.stage.spawn(self.stage.fpm_command() + options, "run.out", env)

    def worker(self):
        pids = self.stage.workers()
        return pids[0] if pids and self.page(pids[0]) else None

    def page(self, pid):
        names = [name for name in os.listdir(self.pages) if name.startswith("%d-" % pid)]
        return os.path.join(self.pages, names[0]) if names else None

    def die(self, case):
        """(backtrace by PHP, lines of the report)"""
        pid = stage.wait_for("a worker", self.worker)
        page, out = self.page(pid), self.stage.path("tmp/%s.json" % case)
        uri = "/?case=%s&out=%s&include=%s" % (case, out, self.stage.path("included.php"))
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(20)
            conn.connect(self.stage.path("fpm.sock"))
            conn.sendall(fcgi_client.request(self.stage.path("script.php"), uri))
            try:
                while conn.recv(65536):
                    pass
            except OSError:
                pass
        stage.wait_for("the death in " + case, lambda: not os.path.exists("/proc/%d" % pid))
        with open(out) as text:
            backtrace = json.load(text)
        run = subprocess.run([PRINT_CRASH, page], capture_output=True, text=True, errors="replace")
        self.assertEqual(run.returncode, 0, run.stderr)
        return backtrace, json.loads(run.stdout)["php"]

    def compare(self, options):
        self.start(options)
        for case in CASES:
            with self.subTest(case=case):
                backtrace, lines = self.die(case)
                expected = ["memset\t\t"] + expected_lines(
                    backtrace, self.stage.path("script.php"), DEATH_LINE)
                self.assertEqual(lines, cut(expected))

    def test_with_opcache(self):
        self.compare(ENGINES["opcache"])

    def test_without_opcache(self):
        self.compare(ENGINES["no_opcache"])

    def test_with_the_tracing_jit(self):
        if VERSION.startswith("7"):
            self.skipTest("PHP 7 has no JIT")
        self.compare(ENGINES["jit"])


def cut(lines):
    """As the shim cuts a deep stack: the innermost 48, the outermost 16."""
    if len(lines) <= CUT:
        return lines
    return lines[:48] + ["{%d frames cut}\t\t" % (len(lines) - CUT)] + lines[-16:]


DEATH_LINE = 1 + [i for i, line in enumerate(SCRIPT.splitlines()) if "$c->memset" in line][0]


if __name__ == "__main__":
    unittest.main(verbosity=2)
