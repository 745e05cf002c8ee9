#!/usr/bin/env python3
"""bench_armed.py - what an armed request costs, against the requests around it in the same worker.

    tests/bench/bench_armed.py [--build DIR] [--requests N] [WORKLOAD...]     all three workloads

One php-fpm with one worker and the shim in its default mode, one request at a time.  CPU time and page
faults of each are read from /proc beside it, and the collector's data tells which of them were armed.
Two masters differ by more than this (2 to 5 % for life), so nothing is compared between processes.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bench_fpm  # noqa: E402

WORKLOADS = ("hello", "extensions", "oo")
WARM = 300        # the first requests of a worker are not like others
REST_S = 0.0004   # a request's end comes after its answer
NEAR = 8          # requests on each side that an armed one is compared with
FLUSH_S = 1.5     # until the worker's last packet is in the store


def run_time_us(worker):
    return int(Path("/proc/%d/schedstat" % worker).read_text().split()[0]) / 1000


def page_faults(worker):
    return int(Path("/proc/%d/stat" % worker).read_text().rsplit(")", 1)[1].split()[7])


def measure(pool, page, requests):
    """[(CPU time in us, page faults)] of so many requests, one after the other."""
    worker, result = pool.workers()[0], []
    before = run_time_us(worker), page_faults(worker)
    for _ in range(requests):
        pool.get(page)
        time.sleep(REST_S)
        after = run_time_us(worker), page_faults(worker)
        result.append((after[0] - before[0], after[1] - before[1]))
        before = after
    return result


def armed_and_last(pool, build):
    """The numbers of the armed requests, and the last number of all."""
    time.sleep(FLUSH_S)
    text = subprocess.run([build + "/fpmscope", "export", "--data", pool.dir + "/data"],
                          capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in text.splitlines()]
    return ({e["seq"] for e in events if e["e"] == "hold"}, max(e["seq"] for e in events if e["e"] == "req"))


def bench(build, name, page, requests):
    pool = bench_fpm.Pool(build, True, 1)
    try:
        bench_fpm.pin([pool])
        for _ in range(WARM):
            pool.get(page)
        figures = measure(pool, page, requests)
        armed, last = armed_and_last(pool, build)
    finally:
        pool.stop()
    print("| %s | %s" % (name, row_of(figures, [n in armed for n in range(last - requests + 1, last + 1)])), flush=True)


def row_of(figures, is_armed):
    """An armed request against the unarmed ones around it: a machine has slow minutes, in which more is armed."""
    more, usual, faults = [], [], []
    for i, (cpu, fault_count) in enumerate(figures):
        near = range(max(0, i - NEAR), min(len(figures), i + NEAR + 1))
        others = [figures[j][0] for j in near if not is_armed[j]]
        if is_armed[i] and others:
            usual.append(statistics.median(others))
            more.append(cpu - usual[-1])
            faults.append(fault_count)
    if not more:
        return "none of %d | | | | |" % len(figures)
    share = len(more) * statistics.median(more) / sum(cpu for cpu, _ in figures)
    return "%d of %d | %.0f | %+.0f | %.1f | %.2f %% |" % (
        len(more), len(figures), statistics.median(usual), statistics.median(more), statistics.mean(faults), 100 * share)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(Path(__file__).parents[2] / "build"))
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("workloads", nargs="*", default=[], metavar="WORKLOAD")
    args = parser.parse_args()
    names = args.workloads or WORKLOADS
    print("| workload | armed | requests around them, us | more | page faults when armed | share of all CPU time |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, page in bench_fpm.own_pages(names).items():
        bench(os.path.abspath(args.build), name, page, args.requests)


if __name__ == "__main__":
    main()
