"""collector_stage.py - a stage for the collector: the real one, and real php-fpm masters beside it.

    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2)
        get_numbered(fpm, "n", range(4))
        wait_for("them", lambda: len(stage.requests("/hello.php?n")) == 4)
"""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import scratch
from shim_stage import ROOT, Fpm

FPMSCOPE = ROOT / "build/fpmscope"
HELLO = '<?php echo "hello";'
SLOW = '<?php sleep(2); echo "slow";'
SCRIPTS = {"hello.php": HELLO, "slow.php": SLOW}


def wait_for(what, condition, seconds=15.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


class Stage:
    """A directory, a collector that can be started and killed, php-fpm masters beside it."""

    def __enter__(self):
        self.dir = Path(scratch.make("facts"))
        self.dir.chmod(0o755)
        self.pages = Path(scratch.make("pages", scratch.SHM))
        self.socket, self.data = str(self.dir / "run/c.sock"), self.dir / "data"
        (self.dir / "run").mkdir(mode=0o700)
        self.log = self.dir / "collect.out"
        self.masters, self.processes, self.collector = [], [], None
        return self

    def environment(self, **more):
        env = dict(os.environ, FPMSCOPE_SOCKET=self.socket, FPMSCOPE_PAGES=str(self.pages),
                   FPMSCOPE_DATA=str(self.data), NO_COLOR="1")
        env.pop("LD_PRELOAD", None)
        env.update(more)
        return env

    def collect(self, *options, launcher=(), **env):
        """Start the collector, by a command that runs it when there is one; returns when it listens."""
        self.collector = subprocess.Popen(
            [*launcher, FPMSCOPE, "collect", "--no-find-logs", *options], env=self.environment(**env),
            stdout=self.log.open("ab"), stderr=subprocess.STDOUT)
        self.processes.append(self.collector)
        wait_for("the collector", lambda: self.collector.poll() is not None or self.listens(), 30)
        assert self.collector.poll() is None, self.log.read_text()
        return self.collector

    def listens(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(self.socket) == 0

    def stop_collector(self, signo=signal.SIGTERM, seconds=15):
        self.collector.send_signal(signo)
        self.collector.wait(seconds)
        return self.collector.returncode

    def fpm(self, **kwargs):
        kwargs.setdefault("scripts", SCRIPTS)
        self.masters.append(Fpm(self, **kwargs))
        return self.masters[-1]

    def command(self, *words, **more):
        return subprocess.run([FPMSCOPE, *words], env=self.environment(**more), timeout=60,
                              capture_output=True, text=True)

    def raw(self, *words):
        """The bytes that a command prints."""
        return subprocess.run([FPMSCOPE, *words], env=self.environment(), timeout=60,
                              capture_output=True).stdout

    def events(self, kind=None):
        run = self.command("export")
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        return [row for row in rows if kind in (None, row["e"])]

    def requests(self, prefix="/"):
        return [row["uri"] for row in self.events("req") if row["uri"].startswith(prefix)]

    def rows(self, table):
        """How many rows a table of the store has."""
        with sqlite3.connect(f"file:{self.data}/fpmscope.db?mode=ro", uri=True) as db:
            return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def coverage(self, name):
        with sqlite3.connect(f"file:{self.data}/fpmscope.db?mode=ro", uri=True) as db:
            return db.execute("SELECT coalesce(sum(n), 0) FROM coverage WHERE name = ?",
                              (name,)).fetchone()[0]

    def is_sound(self):
        with sqlite3.connect(self.data / "fpmscope.db") as db:
            return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"

    def __exit__(self, *_):
        for fpm in self.masters:
            fpm.stop()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.pages, ignore_errors=True)


def get_numbered(fpm, name, numbers):
    """One request each for /hello.php?NAME=N; the store keeps the name."""
    for i in numbers:
        assert fpm.get(f"/hello.php?{name}={i}")[0] == 200


def swallow(act):
    try:
        act()
    except OSError:
        pass
