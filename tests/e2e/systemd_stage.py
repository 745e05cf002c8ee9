"""systemd_stage.py - a systemd of our own as pid 1 of its namespaces, with one unit to run.

    with Systemd({"fpmscope.service": text}) as systemd:
        systemd.control("start", "fpmscope")
        out = systemd.run("fpmscope", "export").stdout

It sees this machine's files; /run, /var/lib, the units and the control groups are its own.  Nothing of
the machine's other units is started.  Raises Skip where namespaces or control groups are not to be had.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

import scratch
from facts import Skip

SYSTEMD = "/lib/systemd/systemd"
GROUPS = Path("/sys/fs/cgroup")
# What units depend on without saying so, and the one that is reached at the start.
TARGETS = ("sysinit", "basic", "shutdown", "sockets", "timers", "paths", "slices", "network", "multi-user")
ENTER = """set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=755 none /var/lib
umount -R /sys/fs/cgroup
if [ {hybrid} = 1 ]; then
    mount -t tmpfs none /sys/fs/cgroup
    mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
else
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
for place in /etc/systemd/system /usr/lib/systemd/system /usr/lib/systemd/system-generators; do
    mount -t tmpfs none $place
done
cp {units}/* /etc/systemd/system/
container=e2e exec {systemd} --system --unit=stage.target --log-target=null --show-status=no
"""


class Systemd:
    def __init__(self, units):
        self.dir = Path(scratch.make("systemd"))
        self.group = f"fpmscope-e2e-{os.getpid()}"
        self.units, self.process, self.pid = units, None, 0
        hybrid = (GROUPS / "systemd").is_dir()
        self.groups = [GROUPS / "systemd", GROUPS / "unified"] if hybrid else [GROUPS]
        self.script = ENTER.format(hybrid=int(hybrid), units=self.dir, systemd=SYSTEMD)

    def __enter__(self):
        for name in TARGETS:
            (self.dir / f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        (self.dir / "stage.target").write_text("[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n")
        for name, text in self.units.items():
            (self.dir / name).write_text(text)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        if not Path(SYSTEMD).exists() or os.geteuid() != 0:
            raise Skip("needs root and systemd")
        try:
            for group in self.groups:
                (group / self.group).mkdir()
        except OSError as error:
            raise Skip(f"control groups: {error.strerror}") from error
        self.process = subprocess.Popen(
            ["unshare", "-mpfCui", "--kill-child", "sh", "-c", self.script], preexec_fn=self._join,
            stdout=subprocess.DEVNULL, stderr=(self.dir / "out").open("wb"), stdin=subprocess.DEVNULL)
        end = time.monotonic() + 15
        while not (self.pid and self.control("is-system-running").stdout.strip() in ("running", "degraded")):
            if time.monotonic() > end or self.process.poll() is not None:
                raise Skip("systemd does not come up here: " + (self.dir / "out").read_text()[-200:])
            time.sleep(0.2)
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            self.pid = int(children[0]) if children else 0

    def _join(self):
        for group in self.groups:
            (group / self.group / "cgroup.procs").write_text(str(os.getpid()))

    def run(self, *words, **kwargs):
        """A command inside; its result."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-a", *map(str, words)], capture_output=True,
                              text=True, timeout=60, check=False, **kwargs)

    def inside(self, *words):
        """What is put before a command to run it inside."""
        return ("nsenter", "-t", str(self.pid), "-a", *words)

    def control(self, *words):
        return self.run("systemctl", "--no-pager", *words)

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
        for group in self.groups:
            self._remove(group / self.group)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _remove(self, group):
        """Control groups go from the leaves up, when their last process has gone."""
        end = time.monotonic() + 5
        while group.is_dir() and time.monotonic() < end:
            for path in sorted((p for p in group.rglob("*") if p.is_dir()), reverse=True):
                try:
                    path.rmdir()
                except OSError:
                    pass
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.1)
