#!/usr/bin/env python3
"""test_cost.py - instructions and system calls that the shim may cost: they repeat, times do not.

    tests/e2e/test_cost.py [WORD...]     only facts whose names contain a word

Each figure is the difference of two runs of different length, with the shim less without, held against
a ceiling a little above what tests/bench/RESULTS.md says.  Needs valgrind and strace; skips without.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from shim_stage import ROOT, SHIM  # noqa: E402

PAIRS = ROOT / "build/release/tests/e2e/alloc_pairs"

PAIR_MAX = 24        # 23: malloc 12, free 11
PAIR_IN_THREAD_MAX = 73  # 69
CALLS_MAX = 1.3      # 1: a message a request, or fewer; a heap that grows elsewhere makes the rest
HELLO_MAX = 3000     # 2,720 to 2,780; what is not the shim's own is php-fpm's, where its strings lie


def needs(tool):
    if not shutil.which(tool):
        raise facts.Skip("no " + tool)


def instructions(folder, where, count, shim):
    """Of a whole run of alloc_pairs, under a name that the shim takes for php-fpm."""
    program = Path(folder) / "php-fpm-pairs"
    shutil.copy(PAIRS, program)
    env = {**os.environ, "FPMSCOPE_SOCKET": folder + "/none.sock"}
    env.pop("LD_PRELOAD", None)
    if shim:
        env["LD_PRELOAD"] = str(SHIM)
    out = folder + "/callgrind.out"
    subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, str(program), where, str(count)],
                   env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return int(re.search(r"^totals: (\d+)", Path(out).read_text(), re.M).group(1))


def more_a_pair(where):
    with tempfile.TemporaryDirectory(prefix="fpmscope-cost-") as folder:
        per = {shim: (instructions(folder, where, 60000, shim) - instructions(folder, where, 10000, shim)) / 50000
               for shim in (False, True)}
    print("  a pair: plain %.1f, with the shim %.1f" % (per[False], per[True]))
    return per[True] - per[False]


def a_malloc_and_a_free_cost_little_on_the_thread_that_runs_php():
    needs("valgrind")
    more = more_a_pair("main")
    assert 5 < more <= PAIR_MAX, more  # nothing at all would mean that nothing is counted


def they_cost_more_on_other_threads_but_not_much():
    needs("valgrind")
    more = more_a_pair("thread")
    assert 5 < more <= PAIR_IN_THREAD_MAX, more


def page(name):
    sys.path.insert(0, str(ROOT / "tests/bench"))
    import bench_fpm
    return bench_fpm, bench_fpm.own_pages([name])[name]


def a_request_that_does_nothing_costs_little():
    needs("valgrind")
    bench_fpm, hello = page("hello")
    per = {shim: bench_fpm.events_per_request(str(ROOT / "build"), shim, hello, (20, 80))["Ir"]
           for shim in (False, True)}
    print("  hello world: plain %.0f, with the shim %.0f" % (per[False], per[True]))
    assert 500 < per[True] - per[False] <= HELLO_MAX, per


def stacks_that_are_new_cost_no_system_calls():
    needs("strace")
    bench_fpm, extensions = page("extensions")
    per = {shim: bench_fpm.count_syscalls(str(ROOT / "build"), shim, extensions) for shim in (False, True)}
    print("  system calls: plain %.1f, with the shim %.1f" % (per[False], per[True]))
    assert 0 < per[True] - per[False] <= CALLS_MAX, per


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, PAIRS]))
