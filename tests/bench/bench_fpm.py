#!/usr/bin/env python3
"""bench_fpm.py - what the shim costs a request, on real php-fpm.

    bench_fpm.py [--build DIR] [--rounds N] [--slice SECONDS] [--masters N] [--pin] [--workload NAME]
                 [--exact] [--only cpu|instructions|cycles|syscalls|memory]

cpu           php-fpm masters, A with the shim and a collector, B plain, and B' plain again (the null
              run, which says what the machine's noise makes of no difference) are driven in interleaved
              slices; the figure is CPU time per request (run time of the workers from
              /proc/PID/schedstat), the tenth part of a master's slices that was best.  Two plain masters
              differ by some per cent for as long as they live, by where their memory happens to lie:
              with --masters N there are N of each kind, and their mean is compared.  Many short slices
              (--rounds 150 --slice 0.05) with workers and client on one CPU and the collector on another
              (--pin) differ least.
instructions  one-worker php-fpm under callgrind, with and without the shim: instructions per request,
              from the difference of two runs of different length.  Repeatable.
cycles        the same by callgrind's model of caches and branches: instructions, 10 more for a first-level
              miss, 15 more for a mispredicted branch; and the misses of data reads.  Only with --only.
syscalls      system calls per request, counted by strace on the worker.
memory        RssAnon of a worker after 200 requests, plain and with the shim.

With --exact the shim runs in exact mode (FPMSCOPE_EXACT=1).

Prints Markdown; results that matter go to RESULTS.md with the command that made them.
"""
import argparse
import atexit
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import fcgi_client  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
PHP_FPM = shutil.which("php-fpm8.2") or "/usr/sbin/php-fpm8.2"
WORKLOADS = ("hello", "oo", "extensions")
SLICE_SECONDS = 0.5

CONF = """[global]
error_log = {dir}/fpm.log
daemonize = no
[www]
{user}
listen = {dir}/fpm.sock
listen.mode = 0666
clear_env = {clear_env}
pm = static
pm.max_children = {workers}
pm.max_requests = 0
"""


class Page:
    """One request: which script, by which URI, and what the web server says beside it.  `lengths` of
    the two runs under callgrind whose difference is counted: the first requests are not like others."""

    def __init__(self, script, uri, status=200, extra=None, lengths=(15, 45)):
        self.script, self.uri, self.status, self.extra = script, uri, status, extra
        self.lengths = lengths


def own_pages(names):
    """The scripts of workloads/, copied to where workers, who are somebody else, may read them.  They are old:
    opcache compiles a file of less than two seconds anew in each request, and how many those are is chance."""
    folder = tempfile.mkdtemp(prefix="fpmscope-workloads-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    for name in names:
        shutil.copyfile("%s/workloads/%s.php" % (HERE, name), "%s/%s.php" % (folder, name))
        os.chmod("%s/%s.php" % (folder, name), 0o644)
        os.utime("%s/%s.php" % (folder, name), (time.time() - 3600,) * 2)
    return {name: Page("%s/%s.php" % (folder, name), "/%s.php" % name,
                       lengths=(40, 240) if name == "hello" else (15, 45)) for name in names}


class Pool:
    """A php-fpm master with static workers, plain, under the shim, or under somebody else's libraries
    (`preload`, behind the shim), variables and command line `arguments`."""

    def __init__(self, build, shim, workers=2, wrapper=(), preload=(), env=None, arguments=()):
        self.dir = tempfile.mkdtemp(prefix="fpmscope-bench-")
        os.chmod(self.dir, 0o755)
        with open(self.dir + "/fpm.conf", "w") as out:
            out.write(CONF.format(dir=self.dir, workers=workers, clear_env="no" if env else "yes", user="user = www-data\ngroup = www-data"
                                  if os.getuid() == 0 else ""))
        self.sock = self.dir + "/fpm.sock"
        self.collector = None
        env = dict(os.environ, FPMSCOPE_SOCKET=self.dir + "/collector.sock", **(env or {}))
        env.pop("LD_PRELOAD", None)
        if preload:
            env["LD_PRELOAD"] = ":".join(preload)
        if shim:
            self.collector = subprocess.Popen(
                [build + "/fpmscope", "collect", "--data", self.dir + "/data"], env=env,
                stdout=subprocess.DEVNULL, stderr=open(self.dir + "/collect.log", "w"))
            self.wait(env["FPMSCOPE_SOCKET"])
            env["LD_PRELOAD"] = ":".join([build + "/libfpmscope.so", *preload])
        self.master = subprocess.Popen(list(wrapper) + [PHP_FPM, "-F", "-y", self.dir + "/fpm.conf"] + list(arguments),
                                       env=env, stdout=subprocess.DEVNULL,
                                       stderr=open(self.dir + "/master.log", "w"))
        self.wait(self.sock)
        time.sleep(0.3)

    def wait(self, path):
        for _ in range(1500):
            if os.path.exists(path):
                return
            time.sleep(0.02)
        raise SystemExit("bench: %s never came up, see %s" % (path, self.dir))

    def workers(self):
        out = subprocess.run(["pgrep", "-P", str(self.master.pid)], capture_output=True, text=True)
        return [int(pid) for pid in out.stdout.split()]

    def get(self, page):
        with fcgi_client.connect(self.sock, timeout=900) as conn:  # valgrind is slow
            conn.sendall(fcgi_client.request(page.script, page.uri, extra=page.extra))
            out, _ = fcgi_client.read_response(conn)
        status, _, body = fcgi_client.parse(out)
        assert status == page.status and body, (status, body[:200])

    def cpu_ns(self):
        return sum(int(open("/proc/%d/schedstat" % pid).read().split()[0]) for pid in self.workers())

    def slice(self, page, seconds=SLICE_SECONDS):
        """CPU microseconds per request over about `seconds`."""
        before, n, end = self.cpu_ns(), 0, time.monotonic() + seconds
        while time.monotonic() < end:
            self.get(page)
            n += 1
        return (self.cpu_ns() - before) / n / 1000

    def stop(self):
        for process in (self.master, self.collector):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


def pin(pools):
    """Client and workers share the last CPU, which a send() to a collector on another one wakes."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[-1:])
    for pool in pools:
        for pid in pool.workers():
            os.sched_setaffinity(pid, cpus[-1:])
        if pool.collector:
            os.sched_setaffinity(pool.collector.pid, cpus[:1])


def best_tenth(figures):
    figures = sorted(figures)
    return figures[len(figures) // 10]


def cpu_of_each(pools, page, args):
    """The best tenth of the slices of each pool, in microseconds; slices in turns, in changing order."""
    order, figures = list(pools), {pool: [] for pool in pools}
    for _ in range(args.rounds):
        random.shuffle(order)
        for pool in order:
            figures[pool].append(pool.slice(page, args.slice))
    return [best_tenth(figures[pool]) for pool in pools]


def compare_cpu(build, page, args):
    """{kind: (mean, smallest, largest)} over the masters of a kind, in microseconds a request."""
    cpus = os.sched_getaffinity(0)
    kinds = [(kind, kind == "shim") for _ in range(args.masters) for kind in ("plain", "shim", "null")]
    pools = [Pool(build, shim, 2 if args.masters == 1 else 1) for _, shim in kinds]
    try:
        if args.pin:
            pin(pools)
        for pool in pools:
            pool.slice(page, 1.5)  # a worker that is busy holds its packets
        each = cpu_of_each(pools, page, args)
    finally:
        os.sched_setaffinity(0, cpus)
        for pool in pools:
            pool.stop()
    per = {kind: [us for (other, _), us in zip(kinds, each) if other == kind] for kind, _ in kinds}
    return {kind: (sum(us) / len(us), min(us), max(us)) for kind, us in per.items()}


def bench_cpu(build, pages, args):
    print("| workload | plain us | shim us | ratio | difference us | null run ratio | plain, shim, null: least to most |")
    print("|---|---|---|---|---|---|---|")
    for name, page in pages.items():
        of = compare_cpu(build, page, args)
        plain, shim, null = (of[kind][0] for kind in ("plain", "shim", "null"))
        spread = ", ".join("%.1f to %.1f" % of[kind][1:] for kind in ("plain", "shim", "null"))
        print("| %s | %.1f | %.1f | %.3f | %+.1f | %.3f | %s |" %
              (name, plain, shim, shim / plain, shim - plain, null / plain, spread), flush=True)


def count_events(build, shim, page, requests, options=()):
    """{event: how many} of the only worker's life, `requests` requests long."""
    out = tempfile.mkdtemp(prefix="fpmscope-callgrind-")
    os.chmod(out, 0o777)  # the worker that writes it is www-data
    pool = Pool(build, shim, 1, ["valgrind", "--tool=callgrind", "--trace-children=no",
                                 "--callgrind-out-file=%s/out.%%p" % out, *options])
    try:
        worker = pool.workers()[0]
        for _ in range(requests):
            pool.get(page)
        os.kill(worker, signal.SIGQUIT)
        path = "%s/out.%d" % (out, worker)
        for _ in range(1000):
            text = open(path).read() if os.path.exists(path) else ""
            totals = re.search(r"^totals: (.+)", text, re.M)
            if totals:
                names = re.search(r"^events: (.+)", text, re.M).group(1).split()
                return Counter(dict(zip(names, map(int, totals.group(1).split()))))
            time.sleep(0.05)
        raise SystemExit("bench: callgrind wrote no totals, see %s" % pool.dir)
    finally:
        pool.stop()
        shutil.rmtree(out, ignore_errors=True)


def events_per_request(build, shim, page, lengths, options=()):
    """From two runs of so many requests: what happens once cancels out."""
    short, long = (count_events(build, shim, page, n, options) for n in lengths)
    return Counter({name: (long[name] - short[name]) / (lengths[1] - lengths[0]) for name in long})


def bench_instructions(build, pages):
    print("| workload | plain | shim | ratio | difference |")
    print("|---|---|---|---|---|")
    for name, page in pages.items():
        per = {shim: events_per_request(build, shim, page, page.lengths)["Ir"] for shim in (False, True)}
        print("| %s | %.0f | %.0f | %.4f | %+.0f |" % (name, per[False], per[True],
                                                    per[True] / per[False], per[True] - per[False]),
              flush=True)


def modelled_cycles(events):
    return (events["Ir"] + 10 * (events["I1mr"] + events["D1mr"] + events["D1mw"]) +
            15 * (events["Bcm"] + events["Bim"]))


def bench_cycles(build, pages):
    print("| workload | plain | shim | ratio | read misses, plain | shim |")
    print("|---|---|---|---|---|---|")
    options = ("--cache-sim=yes", "--branch-sim=yes")
    for name, page in pages.items():
        lengths = page.lengths if name == "hello" else (8, 20)  # slow
        plain, shim = (events_per_request(build, with_it, page, lengths, options) for with_it in (False, True))
        cycles = modelled_cycles(plain), modelled_cycles(shim)
        print("| %s | %.0f | %.0f | %.4f | %.0f | %.0f |" %
              (name, *cycles, cycles[1] / cycles[0], plain["D1mr"], shim["D1mr"]), flush=True)


def count_syscalls(build, shim, page, requests=200):
    pool = Pool(build, shim, 1)
    try:
        pool.slice(page, 1.5)  # a worker that is busy holds its packets
        trace = pool.dir + "/strace"
        tracer = subprocess.Popen(["strace", "-f", "-o", trace, "-p", str(pool.workers()[0])],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1)
        for _ in range(requests):
            pool.get(page)
        time.sleep(0.2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        calls = [line for line in open(trace) if re.match(r"\d+ +\w+\(", line)]
        return len(calls) / requests
    finally:
        pool.stop()


def bench_syscalls(build, pages):
    print("| workload | plain | shim | difference |")
    print("|---|---|---|---|")
    for name, page in pages.items():
        plain, shim = (count_syscalls(build, s, page) for s in (False, True))
        print("| %s | %.2f | %.2f | %+.2f |" % (name, plain, shim, shim - plain), flush=True)


def rss_anon_kib(pid):
    return int(re.search(r"RssAnon:\s+(\d+) kB", open("/proc/%d/status" % pid).read()).group(1))


def memory_after(build, shim, page, requests=200):
    pool = Pool(build, shim, 1)
    try:
        for _ in range(requests):
            pool.get(page)
        return rss_anon_kib(pool.workers()[0])
    finally:
        pool.stop()


def bench_memory(build, pages):
    print("| workload | RssAnon plain, KiB | shim | difference |")
    print("|---|---|---|---|")
    for name, page in pages.items():
        plain, shim = (memory_after(build, s, page) for s in (False, True))
        print("| %s | %d | %d | %+d |" % (name, plain, shim, shim - plain), flush=True)


def add_cpu_arguments(parser):
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--slice", type=float, default=SLICE_SECONDS)
    parser.add_argument("--masters", type=int, default=1)
    parser.add_argument("--pin", action="store_true")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    add_cpu_arguments(parser)
    parser.add_argument("--only", choices=("cpu", "instructions", "cycles", "syscalls", "memory"))
    parser.add_argument("--workload", choices=WORKLOADS)
    parser.add_argument("--exact", action="store_true")
    args = parser.parse_args()
    if args.exact:
        os.environ["FPMSCOPE_EXACT"] = "1"
    build = os.path.abspath(args.build)
    pages = own_pages([args.workload] if args.workload else WORKLOADS)
    for name, run in (("syscalls", lambda: bench_syscalls(build, pages)),
                      ("instructions", lambda: bench_instructions(build, pages)),
                      ("cycles", lambda: bench_cycles(build, pages)),
                      ("memory", lambda: bench_memory(build, pages)),
                      ("cpu", lambda: bench_cpu(build, pages, args))):
        if args.only == name or args.only is None and name != "cycles":
            print("\n%s per request\n" % {"syscalls": "System calls", "instructions": "Instructions",
                                          "cycles": "Modelled cycles", "memory": "Memory", "cpu": "CPU time"}[name], flush=True)
            run()


if __name__ == "__main__":
    main()
