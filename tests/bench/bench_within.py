#!/usr/bin/env python3
"""bench_within.py - what the shim's malloc family costs a request, with and without it in one worker.

    tests/bench/bench_within.py [--build DIR] [--requests N] [--runs N] [WORKLOAD...]     extensions

Two php-fpm masters differ by 2 to 5 % for as long as they live, by where their memory lies.  Here one
worker's calls lead through the shim for 20 requests and past it for the next 20 (toggle_hooks.c), and
each stretch is compared with its neighbours.  Counted are the hooks and the native samples; not the
rest of a request (hello world in bench_fpm.py) and not armed requests (bench_armed.py).
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
# The worker earns its budget all the time and can spend it in one half: 0.25 % is 0.5 % there.
KINDS = {"samples and hooks": {"FPMSCOPE_BUDGET_PPM": "2500"}, "hooks alone": {"FPMSCOPE_BUDGET_PPM": "0"},
         "null: the same on both sides": {"TOGGLE_NULL": "1"}}
# A heap that is trimmed at each request's end costs 3.5 us a page fault, by chance.
STEADY = {"FPMSCOPE_ZEND_BUDGET_PPM": "0", "MALLOC_TRIM_THRESHOLD_": "1000000000",
          "MALLOC_MMAP_THRESHOLD_": "1000000000"}


def compile_toggle(folder):
    out = folder + "/toggle_hooks.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", out, str(HERE / "toggle_hooks.c")],
                   check=True)
    return out


def middle_half(figures):
    figures, cut = sorted(figures), len(figures) // 4
    return statistics.mean(figures[cut:len(figures) - cut])


def log_ratios(build, toggle, page, requests, env):
    """Of each stretch through the shim to the two past it that lie around it."""
    pool = bench_fpm.Pool(build, True, 1, preload=[toggle], env={**STEADY, **env})
    try:
        bench_fpm.pin([pool])
        for _ in range(WARM):
            pool.get(page)
        times = [cpu for cpu, _ in bench_armed.measure(pool, page, requests)]
    finally:
        pool.stop()
    # The end of a request and the beginning of the next share a reading: the outer two do not count.
    of = [middle_half(times[i + 1:i + EVERY - 1]) for i in range(0, requests - EVERY + 1, EVERY)]
    # The even ones lead through the shim; in the first the slots were looked up.
    return [math.log(of[i] / ((of[i - 1] + of[i + 1]) / 2)) for i in range(2, len(of) - 1, 2)]


def interval(figures):
    """The median, and where it lies nine times in ten (bootstrap)."""
    medians = sorted(statistics.median(random.choices(figures, k=len(figures))) for _ in range(1000))
    return [math.exp(figure) for figure in (statistics.median(figures), medians[50], medians[949])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(HERE.parents[1] / "build"))
    parser.add_argument("--requests", type=int, default=2000, help="of a run")
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    args = parser.parse_args()
    print("| workload | what | CPU time through the shim over past it | nine times in ten |")
    print("|---|---|--:|---|")
    with tempfile.TemporaryDirectory(prefix="fpmscope-within-") as folder:
        os.chmod(folder, 0o755)
        toggle = compile_toggle(folder)
        for name, page in bench_fpm.own_pages(args.workloads or ["extensions"]).items():
            figures = {kind: [] for kind in KINDS}
            for _ in range(args.runs):
                for kind, env in KINDS.items():
                    figures[kind] += log_ratios(os.path.abspath(args.build), toggle, page, args.requests, env)
            for kind in KINDS:
                print("| %s | %s | %.3f | %.3f to %.3f |" % (name, kind, *interval(figures[kind])), flush=True)


if __name__ == "__main__":
    main()
