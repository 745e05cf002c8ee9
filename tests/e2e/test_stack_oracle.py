#!/usr/bin/env python3
"""test_stack_oracle.py - the shim's native stacks are libunwind's, frame by frame, at every malloc.

    tests/e2e/test_stack_oracle.py [WORD...]     only facts whose names contain a word

injected/stack_oracle.c is preloaded instead of the shim, into php-fpm under pages that allocate in many
places and into other programs; it takes each stack twice, the second time by libunwind.  The walk is the
shim's alone, and it may have no question for libunwind, either.  Needs libunwind; skips without.
"""
import ctypes.util
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import facts
import scratch
import shim_stage

ROOT = shim_stage.ROOT
ORACLE = ROOT / "build/release/tests/e2e/injected/stack_oracle.so"
CACHED = ["-d", "opcache.file_update_protection=0"]  # scripts that were written just now, too
ENGINES = {"opcache": CACHED, "no opcache": ["-d", "opcache.enable=0"],
           "jit": [*CACHED, "-d", "opcache.jit=tracing", "-d", "opcache.jit_buffer_size=32M",
                   "-d", "opcache.jit_hot_loop=5", "-d", "opcache.jit_hot_func=5"]}
COMPILED_BYTES_MIN = 8000  # by the JIT; its stubs alone are some 2,400
STATUS = """<?php $status = opcache_get_status();
echo json_encode([count($status['scripts'] ?? []), ($status['jit']['buffer_size'] ?? 0) - ($status['jit']['buffer_free'] ?? 0)]);"""
REQUESTS = 3

# Fibers, callbacks out of C (usort, PCRE, libxml2, array functions), destructors, generators, eval.
CALLBACKS = r"""<?php
class Gone { public $doc; function __construct() { $this->doc = new DOMDocument; }
             function __destruct() { $this->doc->loadXML('<a><b/></a>'); } }
function money($x) { return (new NumberFormatter('nl_NL', NumberFormatter::CURRENCY))->formatCurrency($x, 'EUR'); }
function inner() { for ($i = 0; $i < 50; $i++) { $d = new DOMDocument; $d->loadXML("<a><b>$i</b></a>"); Fiber::suspend($i); } }
function gen() { for ($i = 0; $i < 20; $i++) yield money($i); }
$f = new Fiber(function () { inner(); });
$f->start();
while (!$f->isTerminated()) $f->resume();
$a = range(0, 50);
usort($a, fn($x, $y) => strlen(money($x)) <=> strlen(money($y)));
array_walk($a, function (&$x) { $x = money($x); });
preg_replace_callback('/a+/', fn($m) => (new DOMDocument)->saveXML(), str_repeat('ab', 100));
$parser = xml_parser_create();
xml_set_element_handler($parser, fn() => money(1), fn() => money(2));
xml_parse($parser, '<a><b/><c>d</c></a>', true);
foreach (gen() as $text) new Gone;
eval('for ($i = 0; $i < 20; $i++) money($i);');
try { throw new Exception(money(3)); } catch (Exception) { collator_sort(collator_create('nl_NL'), $a); }
for ($i = 0; $i < 2000; $i++) $last = ($i % 7 == 0) ? new Gone : $i * 2;
ob_start(fn($text) => strtoupper($text) . money(4));
echo "called back\n";
"""
# Libraries with hand-written code of their own: OpenSSL's, zlib's, glibc's.
PYTHON = """
import hashlib, json, re, ssl, sqlite3, tempfile, zlib, decimal, functools
print(hashlib.sha512(b'x' * 99999).hexdigest()[:8], len(zlib.compress(b'ab' * 99999)))
ssl.create_default_context()
db = sqlite3.connect(':memory:')
db.create_function('twice', 1, lambda n: json.loads(json.dumps([n] * 50))[0] * 2)
db.executescript('create table t (n int, s text); create index i on t (s);')
db.executemany('insert into t values (?, ?)', [(i, 'x' * i) for i in range(500)])
print(db.execute('select sum(twice(n)), group_concat(s) from t').fetchone()[0])
sorted(range(500), key=functools.cmp_to_key(lambda a, b: len(re.sub('1+', 'a' * a, str(b)))))
"""


class Book:
    """What the oracle writes: counts, and the first difference in words."""

    def __init__(self):
        if not ctypes.util.find_library("unwind"):
            raise facts.Skip("needs libunwind")
        self.dir = Path(scratch.make("oracle"))
        self.environment = {"LD_PRELOAD": str(ORACLE), "STACK_ORACLE": str(self.dir / "book")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def read(self):
        data = (self.dir / "book").read_bytes()
        return struct.unpack_from("QQQQ", data), data[32:].split(b"\0")[0].decode(errors="replace")

    def expect_alike(self, what, least):
        (stacks, frames, differences, questions), text = self.read()
        print(f"  {what}: {stacks} stacks, {frames} frames, {differences} differ, {questions} questions")
        assert differences == 0, text
        assert stacks >= least and frames > 3 * stacks, (stacks, frames)
        assert questions == 0, "libunwind would have started"


def serve(book, engine, pages):
    scripts = {"extensions.php": (ROOT / "tests/bench/workloads/extensions.php").read_text(),
               "callbacks.php": CALLBACKS, "status.php": STATUS}
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(workers=1, scripts=scripts, shim=False, env=book.environment,
                        arguments=ENGINES[engine])
        for page in pages * REQUESTS:
            assert fpm.body(page), page
        scripts, compiled_bytes = json.loads(fpm.body("/status.php"))
        assert (scripts > 0) == (engine != "no opcache"), scripts
        assert (compiled_bytes > COMPILED_BYTES_MIN) == (engine == "jit"), compiled_bytes


def compare_in_php_fpm(engine):
    with Book() as book:
        serve(book, engine, ["/extensions.php", "/callbacks.php"])
        book.expect_alike(f"php-fpm, {engine}", 50000)


def php_fpm_is_followed_as_libunwind_does():
    compare_in_php_fpm("opcache")


def without_opcache_too():
    compare_in_php_fpm("no opcache")


def with_the_tracing_jit_too():
    compare_in_php_fpm("jit")


def other_programs_are_followed_as_libunwind_does():
    with Book() as book:
        subprocess.run([sys.executable, "-c", PYTHON], env=dict(os.environ, PYTHONMALLOC="malloc") | book.environment,
                       stdout=subprocess.DEVNULL, check=True)
        book.expect_alike("python", 50000)


def a_single_frame_that_is_missing_is_a_difference():
    with Book() as book:
        book.environment["STACK_ORACLE_FORGETS"] = "5000"
        serve(book, "opcache", ["/callbacks.php"])
        (_, _, differences, _), text = book.read()
        assert differences == 1 and "ours 0 " in text and "theirs 0 " in text, (differences, text)


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [ORACLE]))
