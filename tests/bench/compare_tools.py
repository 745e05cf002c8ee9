#!/usr/bin/env python3
"""compare_tools.py - the shim beside other people's tools, on the same php-fpm, in the same run.

    compare_tools.py [--build DIR] [--rounds N]         `make bench-compare`

Each tool has a php-fpm master of its own with one worker; all are driven in turns, so that the noise of the
machine is everybody's.  The figure is CPU time per request, best slice; "null" is plain php-fpm once more.
What a tool could not do is its row, too: a worker that died, a file that it never wrote.

heaptrack, Xdebug, Excimer and gperftools are Debian's packages, unpacked into a directory of the bench:
nothing is installed or enabled for anybody else.
"""
import argparse
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bench_fpm
from bench_fpm import HERE, Pool, own_pages

PACKAGES = ("heaptrack", "libheaptrack", "php8.2-xdebug", "php-excimer", "libgoogle-perftools4", "libtcmalloc-minimal4")
PHP = "usr/lib/php/20220829/"
LIB = "usr/lib/x86_64-linux-gnu/"
WORKLOADS = ("oo", "extensions")
SLICE_SECONDS = 0.25
HEAP_PROFILE = {"HEAPPROFILE": "{dir}/heap", "HEAP_PROFILE_ALLOCATION_INTERVAL": str(50 << 20)}


def unpack(folder):
    """Packages that this machine has no access to are the tools that are missing below."""
    for name in PACKAGES:
        if subprocess.run(["apt-get", "download", "-q", name], cwd=folder, capture_output=True).returncode != 0:
            print("bench: cannot download " + name, file=sys.stderr)
    for package in glob.glob(folder + "/*.deb"):
        subprocess.run(["dpkg", "-x", package, folder], check=True)


def compile_library(folder, name):
    out = "%s/%s.so" % (folder, name)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-fno-builtin", "-D_GNU_SOURCE", "-o", out,
                    "%s/rivals/%s.c" % (HERE, name)], check=True)
    return out


class Tool:
    """How php-fpm is started under a tool, and where it leaves what it saw (a glob in its folder)."""

    def __init__(self, name, shim=False, preload=(), settings=(), needs=(), leaves=None, attach=None, env=None):
        self.name, self.shim, self.preload, self.settings = name, shim, preload, settings
        self.needs, self.leaves, self.attach, self.env = needs, leaves, attach, env or {}
        self.pool, self.missing, self.best, self.trouble, self.tracer = None, None, {}, "", None
        self.dir = tempfile.mkdtemp(prefix="fpmscope-rival-")
        os.chmod(self.dir, 0o777)

    def start(self, build):
        self.missing = [path for path in self.needs if not glob.glob(path)]
        if self.missing:
            self.trouble = "not to be had: " + os.path.basename(self.missing[0])
            return
        env = {key: value.format(dir=self.dir) for key, value in self.env.items()}
        arguments = [part.format(dir=self.dir) for part in self.settings]
        try:
            self.pool = Pool(build, self.shim, 1, preload=self.preload, env=dict(env, RIVAL_DIR=self.dir),
                             arguments=arguments)
            self.worker = self.pool.workers()[0]
        except BaseException as why:  # SystemExit: it never came up
            self.trouble = "php-fpm did not come up" if isinstance(why, SystemExit) else "%s: %s" % (type(why).__name__, why)
            self.pool = None
            return
        if self.attach:
            self.tracer = subprocess.Popen([part.format(pid=self.worker, dir=self.dir) for part in self.attach],
                                           stdout=open(self.dir + "/attach.log", "w"), stderr=subprocess.STDOUT,
                                           stdin=subprocess.DEVNULL)
            time.sleep(5)

    def slice(self, name, page):
        if not self.pool or self.trouble:
            return
        try:
            cpu_us = self.pool.slice(page, SLICE_SECONDS)
        except Exception as why:
            self.trouble = "a request failed (%s)" % (str(why) or type(why).__name__)[:60]
            return
        if self.pool.workers() != [self.worker]:
            self.trouble = "the worker died"
            return
        self.best[name] = min(self.best.get(name, cpu_us), cpu_us)

    def stop(self):
        if self.tracer and self.tracer.poll() is None:
            self.tracer.send_signal(signal.SIGINT)
            try:
                self.tracer.wait(20)
            except subprocess.TimeoutExpired:
                self.tracer.kill()
        saw = ""
        if self.pool:
            if self.leaves and not self.trouble:
                files = [path for path in glob.glob(self.dir + "/" + self.leaves) if os.path.getsize(path) > 0]
                saw = "%d file(s), %.1f kB" % (len(files), sum(map(os.path.getsize, files)) / 1000) if files else "saw nothing"
            self.pool.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
        return self.trouble or saw


def tools_in(folder):
    xdebug, excimer = folder + "/" + PHP + "xdebug.so", folder + "/" + PHP + "excimer.so"
    tcmalloc = (glob.glob(folder + "/" + LIB + "libtcmalloc.so.4") or [folder + "/libtcmalloc.so.4"])[0]
    heaptrack = (glob.glob(folder + "/usr/lib/**/libheaptrack_preload.so", recursive=True)
                 or glob.glob("/usr/lib/**/libheaptrack_preload.so", recursive=True) or [folder + "/libheaptrack_preload.so"])[0]
    no_deepbind, forwarder = compile_library(folder, "no_deepbind"), compile_library(folder, "forwarder")
    return [
        Tool("plain"),
        Tool("null: plain again"),
        Tool("counting forwarder", preload=(no_deepbind, forwarder)),
        Tool("fpmscope", shim=True),
        Tool("heaptrack, attached", attach=("heaptrack", "-o", "{dir}/trace", "-p", "{pid}"),
             needs=("/usr/bin/heaptrack", "/usr/bin/gdb"), leaves="trace*"),
        Tool("heaptrack, preloaded", preload=(heaptrack,), env={"DUMP_HEAPTRACK_OUTPUT": "{dir}/trace.$$"},
             needs=(heaptrack,), leaves="trace*"),
        Tool("gperftools' heap profiler", preload=(tcmalloc,), env=HEAP_PROFILE, needs=(tcmalloc,),
             leaves="heap*"),
        Tool("the same, without RTLD_DEEPBIND", preload=(no_deepbind, tcmalloc), env=HEAP_PROFILE,
             needs=(tcmalloc,), leaves="heap*"),
        Tool("Xdebug's profiler", settings=("-d", "zend_extension=" + xdebug, "-d", "xdebug.mode=profile", "-d",
                                            "xdebug.output_dir={dir}"), needs=(xdebug,), leaves="cachegrind*"),
        Tool("Excimer, 10 ms of CPU", settings=("-d", "extension=" + excimer, "-d", "auto_prepend_file=%s/rivals/excimer.php" % HERE),
             needs=(excimer,), leaves="excimer*"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(bench_fpm.ROOT, "build"))
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="fpmscope-rivals-")
    os.chmod(folder, 0o755)
    pages = own_pages(WORKLOADS)
    try:
        unpack(folder)
        tools = tools_in(folder)
        for tool in tools:
            tool.start(os.path.abspath(args.build))
        for _ in range(args.rounds):
            for tool in tools:
                for name, page in pages.items():
                    tool.slice(name, page)
        print("| tool | " + " | ".join("%s us | ratio" % name for name in WORKLOADS) + " | what it left, or could not |")
        print("|---|" + "--:|--:|" * len(WORKLOADS) + "---|")
        plain = tools[0].best
        for tool in tools:
            cells = ["%.0f | %.3f" % (tool.best[name], tool.best[name] / plain[name]) if name in tool.best else "- | -"
                     for name in WORKLOADS]
            print("| %s | %s | %s |" % (tool.name, " | ".join(cells), tool.stop()), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
