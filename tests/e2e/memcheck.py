#!/usr/bin/env python3
"""memcheck.py - a live collector under valgrind: no error, and nothing lost at its end.

    tests/e2e/memcheck.py [--seconds N]     `make memcheck` (root)

Real php-fpm workers serve, leak, crash, are shot and reloaded; a followed log is appended and
replaced; readers look.  The collector's own reader children (they unwind with few system calls left)
are followed by valgrind, and may be killed for it; their words are not asked for here.
"""
import argparse
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import collector_stage  # noqa: E402
from collector_stage import Stage, swallow, wait_for  # noqa: E402
from shim_stage import ROOT  # noqa: E402

FPMSCOPE = ROOT / "build/debug/fpmscope"
C = "FFI::cdef('void *memset(void *s, int c, size_t n);')"
SCRIPTS = {
    "hello.php": '<?php echo "hello";',
    "leak.php": '<?php FFI::new("char[70000]", false, true); echo 1;',
    "heavy.php": '<?php $a = str_repeat("x", 30 << 20); echo 1;',
    "crash.php": f"<?php {C}->memset(FFI::new('char *'), 1, 16);",
    "slow.php": "<?php sleep(2);",
}
ACCESS = ('127.0.0.1 - - [22/Nov/2026:11:00:%02d +0000] "GET /crash.php?n=%d HTTP/1.1" 502 150 "-" "x\\x1b[31m"\n')
ERROR = ('2026/11/22 11:00:%02d [error] 7#7: *%d recv() failed (104: Connection reset by peer) while reading '
         'response header from upstream, client: 127.0.0.1, server: a, request: "GET /crash.php?n=%d HTTP/1.1", '
         'upstream: "fastcgi://unix:/x:", host: "a"\n')


def valgrind(log):
    return ("valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=99",
            "--show-leak-kinds=definite", f"--log-file={log}", "--child-silent-after-fork=yes",
            "--max-stackframe=3000000")


def serve(fpm, stop):
    n = 0
    while not stop.is_set():
        for name in ("hello", "leak", "leak", "heavy"):
            n += 1
            swallow(lambda: fpm.get(f"/{name}.php?n={n}&secret=s{n}"))
        time.sleep(0.01)


def write_logs(stage, i):
    """Lines, half lines and rubbish; now and then a new file in their place."""
    if i % 10 == 9:
        for name in ("access.log", "error.log"):
            (stage.dir / name).rename(stage.dir / (name + ".1"))
    with (stage.dir / "access.log").open("ab") as access, (stage.dir / "error.log").open("ab") as error:
        access.write((ACCESS % (i % 60, i)).encode() + b"\xff\xfe\x00" * 10 + b"half")
        error.write((ERROR % (i % 60, i, i)).encode() * 3)


def disturb(stage, fpm, i):
    write_logs(stage, i)
    swallow(lambda: fpm.get(f"/crash.php?n={i}"))
    if i % 3 == 0:
        threading.Thread(target=swallow, args=(lambda: fpm.get("/slow.php"),)).start()
        time.sleep(0.3)
        os.kill(fpm.workers()[0], signal.SIGKILL)
    if i % 5 == 4:
        os.kill(fpm.pid, signal.SIGUSR2)
        time.sleep(1)
    stage.command("summary", "--json")


def numbers(log):
    """(errors, bytes definitely lost) of valgrind's summary."""
    text = log.read_text(errors="replace")
    errors = re.findall(r"ERROR SUMMARY: (\d+) errors", text)
    lost = re.findall(r"definitely lost: ([\d,]+) bytes", text)
    assert errors, text[-3000:]
    return int(errors[-1]), int(lost[-1].replace(",", "")) if lost else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    if not shutil.which("valgrind") or os.geteuid() != 0:
        print("skip: needs root and valgrind")
        return 0
    collector_stage.FPMSCOPE = FPMSCOPE
    with Stage() as stage:
        report = stage.dir / "valgrind.log"
        for name in ("access.log", "error.log"):
            (stage.dir / name).write_text("")
        stage.collect("--log", stage.dir / "access.log", "--log", stage.dir / "error.log",
                      launcher=valgrind(report))
        fpm = stage.fpm(workers=4, scripts=SCRIPTS, global_conf="process_control_timeout=5s")
        stop, end, i = threading.Event(), time.monotonic() + options.seconds, 0
        thread = threading.Thread(target=serve, args=(fpm, stop))
        thread.start()
        while time.monotonic() < end and stage.collector.poll() is None:
            disturb(stage, fpm, i)
            i += 1
        stop.set()
        thread.join()
        wait_for("requests in the store", stage.requests)
        stored, crashes = len(stage.requests()), len(stage.events("crash"))
        status = stage.stop_collector(seconds=120)
        errors, lost = numbers(report)
        print(f"valgrind: {errors} errors, {lost} bytes definitely lost, exit status {status}; "
              f"{stored} requests and {crashes} crashes stored in {options.seconds:g} s")
        if errors or lost or status:
            print(report.read_text(errors="replace")[:8000])
            return 1
        return 0 if stored and crashes else 1


if __name__ == "__main__":
    sys.exit(main())
