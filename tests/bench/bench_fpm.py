#!/usr/bin/env python3
"""bench_fpm.py - what the shim costs a request, on real php-fpm.

    bench_fpm.py [--build DIR] [--rounds N] [--only cpu|instructions|syscalls] [--workload NAME]

cpu           two php-fpm masters, A with the shim and a collector, B plain, are driven in interleaved
              slices; the figure is CPU time per request (run time of the workers from
              /proc/PID/schedstat), best slice of A over best slice of B.  Beside it the null run:
              plain against plain, which says what the machine's noise makes of no difference.
instructions  one-worker php-fpm under callgrind, with and without the shim: instructions per request,
              from the difference of two runs of different length.  Repeatable.
syscalls      system calls per request, counted by strace on the worker.

Prints Markdown; results that matter go to RESULTS.md with the command that made them.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

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
pm = static
pm.max_children = {workers}
pm.max_requests = 0
"""


class Pool:
    """A php-fpm master with static workers, plain or under the shim."""

    def __init__(self, build, shim, workers=2, wrapper=()):
        self.dir = tempfile.mkdtemp(prefix="fpmscope-bench-")
        os.chmod(self.dir, 0o755)
        with open(self.dir + "/fpm.conf", "w") as out:
            out.write(CONF.format(dir=self.dir, workers=workers, user="user = www-data\ngroup = www-data"
                                  if os.getuid() == 0 else ""))
        self.sock = self.dir + "/fpm.sock"
        self.collector = None
        env = dict(os.environ, FPMSCOPE_SOCKET=self.dir + "/collector.sock")
        env.pop("LD_PRELOAD", None)
        if shim:
            self.collector = subprocess.Popen(
                [build + "/fpmscope", "collect", "--data", self.dir + "/data"], env=env,
                stdout=subprocess.DEVNULL, stderr=open(self.dir + "/collect.log", "w"))
            self.wait(env["FPMSCOPE_SOCKET"])
            env["LD_PRELOAD"] = build + "/libfpmscope.so"
        self.master = subprocess.Popen(list(wrapper) + [PHP_FPM, "-F", "-y", self.dir + "/fpm.conf"],
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

    def get(self, workload):
        script = "%s/workloads/%s.php" % (HERE, workload)
        status, _, body = fcgi_client.get(self.sock, script, "/%s.php" % workload)
        assert status == 200 and body, (status, body[:200])

    def cpu_ns(self):
        return sum(int(open("/proc/%d/schedstat" % pid).read().split()[0]) for pid in self.workers())

    def slice(self, workload, seconds=SLICE_SECONDS):
        """CPU microseconds per request over about `seconds`."""
        before, n, end = self.cpu_ns(), 0, time.monotonic() + seconds
        while time.monotonic() < end:
            self.get(workload)
            n += 1
        return (self.cpu_ns() - before) / n / 1000

    def stop(self):
        for process in (self.master, self.collector):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


def compare_cpu(build, shim, workload, rounds):
    """(best A, best B) of interleaved slices; A has the shim when `shim`."""
    a, b = Pool(build, shim), Pool(build, False)
    try:
        for pool in (a, b):
            pool.slice(workload, 0.5)
        figures = [(a.slice(workload), b.slice(workload)) if i % 2 == 0 else
                   tuple(reversed((b.slice(workload), a.slice(workload)))) for i in range(rounds)]
        return min(f[0] for f in figures), min(f[1] for f in figures)
    finally:
        a.stop()
        b.stop()


def bench_cpu(build, workloads, rounds):
    print("| workload | plain us | shim us | ratio | difference us | null run ratio |")
    print("|---|---|---|---|---|---|")
    for workload in workloads:
        shim, plain = compare_cpu(build, True, workload, rounds)
        null_a, null_b = compare_cpu(build, False, workload, rounds)
        print("| %s | %.1f | %.1f | %.3f | %+.1f | %.3f |" %
              (workload, plain, shim, shim / plain, shim - plain, null_a / null_b), flush=True)


def count_instructions(build, shim, workload, requests):
    """Instructions that the only worker executed in its life, `requests` requests long."""
    out = tempfile.mkdtemp(prefix="fpmscope-callgrind-")
    os.chmod(out, 0o777)  # the worker that writes it is www-data
    pool = Pool(build, shim, 1, ["valgrind", "--tool=callgrind", "--trace-children=no",
                                 "--callgrind-out-file=%s/out.%%p" % out])
    try:
        worker = pool.workers()[0]
        for _ in range(requests):
            pool.get(workload)
        os.kill(worker, signal.SIGQUIT)
        path = "%s/out.%d" % (out, worker)
        for _ in range(1000):
            total = re.search(r"^totals: (\d+)", open(path).read(), re.M) if os.path.exists(path) else None
            if total:
                return int(total.group(1))
            time.sleep(0.05)
        raise SystemExit("bench: callgrind wrote no totals, see %s" % pool.dir)
    finally:
        pool.stop()
        shutil.rmtree(out, ignore_errors=True)


def instructions_per_request(build, shim, workload, lengths):
    """From two runs of so many requests: what happens once cancels out."""
    short, long = (count_instructions(build, shim, workload, n) for n in lengths)
    return (long - short) / (lengths[1] - lengths[0])


def bench_instructions(build, workloads):
    print("| workload | plain | shim | ratio | difference |")
    print("|---|---|---|---|---|")
    for workload in workloads:
        lengths = (40, 240) if workload == "hello" else (15, 45)
        per = {shim: instructions_per_request(build, shim, workload, lengths) for shim in (False, True)}
        print("| %s | %.0f | %.0f | %.4f | %+.0f |" % (workload, per[False], per[True],
                                                    per[True] / per[False], per[True] - per[False]),
              flush=True)


def count_syscalls(build, shim, workload, requests=50):
    pool = Pool(build, shim, 1)
    try:
        for _ in range(20):
            pool.get(workload)
        trace = pool.dir + "/strace"
        tracer = subprocess.Popen(["strace", "-f", "-o", trace, "-p", str(pool.workers()[0])],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1)
        for _ in range(requests):
            pool.get(workload)
        time.sleep(0.2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        calls = [line for line in open(trace) if re.match(r"\d+ +\w+\(", line)]
        return len(calls) / requests
    finally:
        pool.stop()


def bench_syscalls(build, workloads):
    print("| workload | plain | shim | difference |")
    print("|---|---|---|---|")
    for workload in workloads:
        plain, shim = (count_syscalls(build, s, workload) for s in (False, True))
        print("| %s | %.2f | %.2f | %+.2f |" % (workload, plain, shim, shim - plain), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", choices=("cpu", "instructions", "syscalls"))
    parser.add_argument("--workload", choices=WORKLOADS)
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    workloads = [args.workload] if args.workload else WORKLOADS
    for name, run in (("syscalls", lambda: bench_syscalls(build, workloads)),
                      ("instructions", lambda: bench_instructions(build, workloads)),
                      ("cpu", lambda: bench_cpu(build, workloads, args.rounds))):
        if args.only in (None, name):
            print("\n%s per request\n" % {"syscalls": "System calls", "instructions": "Instructions",
                                          "cpu": "CPU time"}[name], flush=True)
            run()


if __name__ == "__main__":
    main()
