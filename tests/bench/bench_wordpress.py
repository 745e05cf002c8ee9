#!/usr/bin/env python3
"""bench_wordpress.py - what the shim costs a real application: WordPress with MariaDB.

    bench_wordpress.py [--build DIR] [--rounds N] [--slice SECONDS] [--masters N] [--pin]
                       [--only instructions|syscalls|cpu|memory|alarms]

instructions, syscalls, cpu   as bench_fpm.py, on the front page
memory    RssAnon of a worker after 200 requests of all kinds, plain and with the shim
alarms    1,200 requests of all kinds: every route whose verdict is leak or suspect is a false alarm

Installs Debian's packages when they are missing (root).  Prints Markdown.
"""
import argparse
import json
import os
import subprocess
import time

import bench_fpm
import wordpress
from bench_fpm import Pool, rss_anon_kib

KINDS = ("front", "post", "search", "feed", "missing", "login")


def serve(pool, site, requests):
    for i in range(requests):
        pool.get(site.pages[KINDS[i % len(KINDS)]])


def warm(build, site):
    """A new site computes and stores much at its first visits: not in the first run that is counted."""
    pool = Pool(build, False, 1)
    try:
        serve(pool, site, 2 * len(KINDS))
    finally:
        pool.stop()


def bench_memory(build, site, requests=200):
    figures = {}
    for shim in (False, True):
        pool = Pool(build, shim, 1)
        try:
            serve(pool, site, requests)
            figures[shim] = rss_anon_kib(pool.workers()[0])
        finally:
            pool.stop()
    print("| RssAnon plain | shim | difference |\n|---|---|---|\n| %d KiB | %d KiB | %+d KiB |" %
          (figures[False], figures[True], figures[True] - figures[False]), flush=True)


def bench_alarms(build, site, requests=1200):
    pool = Pool(build, True, 2)
    try:
        serve(pool, site, requests)
        time.sleep(1)
        out = subprocess.run([build + "/fpmscope", "summary", "--json", "--data", pool.dir + "/data"],
                             capture_output=True, text=True)
        summary = json.loads(out.stdout)
    finally:
        pool.stop()
    print("| route | verdict | hits |\n|---|---|---|")
    for route in summary["routes"]:
        print("| %s | %s | %d |" % (route["route"], route["verdict"], route["hits"]))
    alarms = [route for route in summary["routes"] if route["verdict"] in ("leak", "suspect")]
    print("\nfalse alarms in %d requests: %d" % (requests, len(alarms)), flush=True)


def main():
    jobs = {
        "syscalls": lambda site: bench_fpm.bench_syscalls(build, {"WordPress": site.pages["front"]}),
        "memory": lambda site: bench_memory(build, site),
        "alarms": lambda site: bench_alarms(build, site),
        "instructions": lambda site: bench_fpm.bench_instructions(build, {"WordPress": site.pages["front"]}),
        "cpu": lambda site: bench_fpm.bench_cpu(build, {"WordPress": site.pages["front"]}, args),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(bench_fpm.ROOT, "build"))
    bench_fpm.add_cpu_arguments(parser)
    parser.add_argument("--only", choices=jobs)
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    with wordpress.Site() as site:
        warm(build, site)
        for name, job in jobs.items():
            if args.only in (None, name):
                print("\n%s\n" % name, flush=True)
                job(site)


if __name__ == "__main__":
    main()
