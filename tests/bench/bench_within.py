#!/usr/bin/env python3
"""bench_within.py - what the shim costs a request, with and without it in one worker.

    tests/bench/bench_within.py [--build DIR] [--requests N] [--runs N] [WORKLOAD...]     extensions

Two php-fpm masters differ by 2 to 5 % for as long as they live, by where their memory lies.  Here one
worker's calls lead through the shim for 20 requests and past it for the next 20 (toggle_hooks.c), and
each stretch is compared with its neighbours: the hooks of the malloc family alone, and everything
that php-fpm calls.  What PHP itself calls at a request's end (zend_hooks.c) is called on both sides.
"""
import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import bench_armed  # noqa: E402
import bench_fpm  # noqa: E402

WARM, EVERY = 200, 20  # as in toggle_hooks.c
KINDS = {"hooks": {"FPMSCOPE_BUDGET_PPM": "0", "FPMSCOPE_ZEND_BUDGET_PPM": "0"},
         "everything": {"TOGGLE_ALL": "1"},
         "null": {"TOGGLE_NULL": "1"}}
# A heap that is trimmed at each request's end costs 3.5 us a page fault, by chance.
STEADY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}


def compile_toggle(folder):
    out = folder + "/toggle_hooks.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", out, str(HERE / "toggle_hooks.c")],
                   check=True)
    return out


def middle_half(figures):
    """Their mean: others' interrupts lie outside of it."""
    figures, cut = sorted(figures), len(figures) // 4
    return statistics.mean(figures[cut:len(figures) - cut])


def stretch(pool, page):
    """CPU microseconds of a request, in EVERY of them."""
    worker = pool.workers()[0]
    before = bench_armed.run_time_us(worker)
    for _ in range(EVERY):
        pool.get(page)
    time.sleep(bench_armed.REST_S)
    return (bench_armed.run_time_us(worker) - before) / EVERY


def stretches(build, toggle, page, requests, env):
    """[(us a request through the shim, us past it in the two stretches that lie around it)]"""
    pool = bench_fpm.Pool(build, True, 1, preload=[toggle], env={**STEADY, **env})
    try:
        bench_fpm.pin([pool])
        for _ in range(WARM):
            pool.get(page)
        of = [stretch(pool, page) for _ in range(requests // EVERY)]
    finally:
        pool.stop()
    # The even ones lead through the shim; in the first the slots were looked up.
    return [(of[i], (of[i - 1] + of[i + 1]) / 2) for i in range(2, len(of) - 1, 2)]


def interval(figures):
    """Of the middle half, and where it lies nine times in ten (bootstrap)."""
    means = sorted(middle_half(random.choices(figures, k=len(figures))) for _ in range(1000))
    return middle_half(figures), means[50], means[949]


def print_row(workload, kind, pairs):
    ratios = [math.exp(figure) for figure in interval([math.log(through / past) for through, past in pairs])]
    more = interval([through - past for through, past in pairs])
    print("| %s | %s | %.4f | %.4f to %.4f | %+.2f us | %+.2f to %+.2f |" % (workload, kind, *ratios, *more), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(HERE.parents[1] / "build"))
    parser.add_argument("--requests", type=int, default=2000, help="of a run")
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    args = parser.parse_args()
    print("| workload | what | CPU time through the shim over past it | nine times in ten | more | nine times in ten |")
    print("|---|---|--:|---|--:|---|")
    with tempfile.TemporaryDirectory(prefix="fpmscope-within-") as folder:
        os.chmod(folder, 0o755)
        toggle = compile_toggle(folder)
        for name, page in bench_fpm.own_pages(args.workloads or ["extensions"]).items():
            figures = {kind: [] for kind in KINDS}
            for _ in range(args.runs):
                for kind, env in KINDS.items():
                    figures[kind] += stretches(os.path.abspath(args.build), toggle, page, args.requests, env)
            for kind in KINDS:
                print_row(name, kind, figures[kind])


if __name__ == "__main__":
    main()
