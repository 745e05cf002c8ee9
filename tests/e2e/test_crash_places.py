#!/usr/bin/env python3
"""test_crash_places.py - workers die in awkward places; each ends as it does without the shim.

    tests/e2e/test_crash_places.py [WORD...]     only places whose names contain a word

Inside malloc with its lock held, inside the loader with its own, inside libunwind, inside dlopen, inside the shim's own handler, in a
thread, in a child, with heaps and engine globals overwritten: php-fpm's line about the end is the same
with the shim as without, it comes within a second, and the next worker serves.
"""
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from shim_stage import HELLO, ROOT, SHIM, Stage  # noqa: E402

CRASH_ON_LOAD = ROOT / "build/release/tests/e2e/injected/crash_on_load.so"
C = r"""<?php $c = FFI::cdef('void *memset(void *s, int c, size_t n); void *malloc(size_t n); void free(void *p);
    void abort(void); int fork(void); int waitpid(int pid, int *status, int options); int usleep(unsigned n);
    int pthread_create(size_t *thread, void *attr, void *start, void *arg); int munmap(size_t at, size_t n);
    void *dlopen(const char *name, int flags); void *dlsym(void *h, const char *name); int getpid(void);
    size_t strlen(const char *s);');
$crash = fn () => $c->memset(FFI::new('char *'), 1, 16);
$function = fn ($name) => $c->dlsym(null, $name);
$thread = fn ($name, $arg) => $c->pthread_create(FFI::addr($c->new('size_t')), null, $function($name), $arg);
"""
UNSORTED = """$p = FFI::cast('char *', $c->malloc(5000)); $guard = $c->malloc(5000); $c->free($p);
    $c->memset($p, 65, 16); """


@dataclass(frozen=True)
class Place:
    """A way to die; `tells` False: the page itself is gone, there are no last words."""
    name: str
    script: str
    tells: bool = True
    lives: bool = False  # the worker does; what the page prints is compared


PLACES = (
    Place("in malloc, walking a list of garbage", UNSORTED + "$c->malloc(90000);"),
    Place("in malloc, while a second thread exists and locks are real",
          "$thread('usleep', FFI::cast('void *', 3000000)); " + UNSORTED + "$c->malloc(90000);"),
    Place("in free, of a block that never was one", "$c->free(FFI::cast('void *', 0x100000));"),
    Place("in free, abort() says the heap is broken",
          "$p = FFI::cast('char *', $c->malloc(3000)); $c->free($p); $c->free($p);"),
    Place("with the heap overwritten", "$p = FFI::cast('char *', $c->malloc(5000)); $c->memset($p, 65, 300000);"
          "for ($i = 0; $i < 5000; $i++) $c->malloc(700 + $i);"),
    Place("in the loader's list of libraries, its lock held",
          "FFI::cdef('int dl_iterate_phdr(void *visit, void *data);')->dl_iterate_phdr(FFI::cast('void *', 64), null);"),
    Place("in libunwind", "FFI::cdef('int _ULx86_64_step(void *cursor);', 'libunwind.so.8')"
          "->_ULx86_64_step(FFI::cast('void *', 64));"),
    Place("in dlopen, in a constructor", f"$c->dlopen('{CRASH_ON_LOAD}', 2);"),
    Place("in the shim's own handler: its page is gone", """
        preg_match('/^([0-9a-f]+)-([0-9a-f]+) rw-s .*fpmscope-test-pages/m', file_get_contents('/proc/self/maps'), $m);
        if ($m) $c->munmap(hexdec($m[1]), hexdec($m[2]) - hexdec($m[1])); $crash();""", tells=False),
    Place("in a thread", "$thread('strlen', null); sleep(5);"),
    Place("by abort() in a thread", "$thread('abort', null); sleep(5);"),
    Place("in a child of the worker", """$status = $c->new('int'); $pid = $c->fork(); if ($pid == 0) $crash();
        $c->waitpid($pid, FFI::addr($status), 0); echo 'child ', $status->cdata & 127;""", lives=True),
    Place("in a child that aborts", """$status = $c->new('int'); $pid = $c->fork(); if ($pid == 0) $c->abort();
        $c->waitpid($pid, FFI::addr($status), 0); echo 'child ', $status->cdata & 127;""", lives=True),
    Place("with the engine's globals overwritten", """$e = FFI::cdef('extern char executor_globals[1000];');
        $c->memset($e->executor_globals, 65, 1000);"""),
    Place("with the current frame overwritten", """$e = FFI::cdef('extern size_t executor_globals[200];');
        $c->memset(FFI::cast('void *', $e->executor_globals[61]), 65, 4096);"""),
    Place("after the engine's frame pointer became a loop", """$e = FFI::cdef('extern size_t executor_globals[200];');
        $at = $e->executor_globals[61]; FFI::cast('size_t *', $at)[6] = $at; $crash();"""),
    Place("with the stack pointer in nowhere", """$f = FFI::cdef('void siglongjmp(void *, int);');
        $b = $c->malloc(400); $c->memset($b, 65, 400); $f->siglongjmp($b, 1);"""),
    Place("in a destructor at the end", "$x = new class($crash) { function __construct(public $f) {} "
          "function __destruct() { ($this->f)(); } };"),
)


@dataclass
class End:
    """What php-fpm said, and how long it took."""
    words: str
    seconds: float
    answer: tuple
    told: bool


def line_about(fpm, pid):
    """The rest of php-fpm's line about the end of `pid`, without times."""
    found = re.search(rf"child {pid} (exited on signal \d+ \([^)]*\)|exited with code \d+)", fpm.log_text())
    return found[1] if found else ""


def die(place, shim):
    with Stage() as stage:
        fpm = stage.fpm(scripts={"die.php": C + place.script, "hello.php": HELLO}, shim=shim)
        fpm.body("/hello.php")
        pid, begin, answer = fpm.workers()[0], time.monotonic(), ()
        try:
            answer = fpm.get("/die.php")
        except ConnectionError:
            pass
        while not place.lives and not line_about(fpm, pid) and time.monotonic() < begin + 10:
            time.sleep(0.01)
        seconds = time.monotonic() - begin
        assert fpm.body("/hello.php?next") == b"hello"
        time.sleep(0.1)
        told = any(crash["from_pid"] == pid for crash in stage.sink.all("CRASH")) if shim else False
        return End(line_about(fpm, pid), seconds, answer[::2], told)


def check(place):
    plain, shim = die(place, False), die(place, True)
    assert place.lives or plain.words, f"it does not even die without the shim: {plain}"
    assert shim.words == plain.words and shim.answer == plain.answer, (plain, shim)
    assert shim.seconds < plain.seconds + 1, (plain, shim)
    assert shim.told == (place.tells and not place.lives), shim


def main():
    for needed in (SHIM, CRASH_ON_LOAD):
        if not needed.exists():
            sys.exit(f"{sys.argv[0]}: '{needed}' is not there: run make first")
    words = sys.argv[1:]
    told = [facts.tell(place.name, lambda: check(place)) for place in PLACES
            if not words or any(word in place.name for word in words)]
    return 0 if all(told) else 1


if __name__ == "__main__":
    sys.exit(main())
