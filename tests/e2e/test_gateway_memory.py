#!/usr/bin/env python3
"""test_gateway_memory.py - who held the memory when the OOM killer took a worker.

A real control group whose limit a "mysqld" breaks, while the kernel is told to take a worker first,
as many hosts tell it; and a kill of which the kernel says no more than its one line,
where the collector's own look at /proc has to answer.
"""
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cgroup         # noqa: E402
import stage          # noqa: E402
import varnish_stage  # noqa: E402

MIB = 1 << 20

# Holds what its first line says, and more when a file appears.
HOLDER = r"""
import os, sys, time
def take(mib):
    return bytearray(b'x') * (mib << 20)
held = [take(int(sys.argv[1]))]
print('holding', flush=True)
while True:
    if len(sys.argv) > 2 and os.path.exists(sys.argv[2]):
        held.append(take(8))
    time.sleep(0.02)
"""

OOM = ("%s shop kernel: [%d.0] php-fpm8.2 invoked oom-killer: gfp_mask=0x1100cca(GFP), order=0, "
       "oom_score_adj=0\n"
       "%s shop kernel: [%d.1] Out of memory: Killed process %d (php-fpm8.2) total-vm:90000kB, "
       "anon-rss:20000kB, file-rss:100kB, shmem-rss:0kB, UID:33 pgtables:700kB oom_score_adj:0\n")


class Holder:
    """A process of another name that holds memory; `with` ends it."""

    def __init__(self, stand, name, mib, grow_when=""):
        path = stand.path(name)
        shutil.copy(os.path.realpath(sys.executable), path)
        command = [path, "-c", HOLDER, str(mib)] + ([grow_when] if grow_when else [])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"holding\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def row_of(stand, uri):
    rows = [row for row in stand.json("502", "--all")["rows"] if row["uri"] == uri]
    assert len(rows) == 1, rows
    return rows[0]


class OutOfMemory(unittest.TestCase):
    def in_flight(self, stand, uri):
        """(thread, pid) of a request that a worker serves now."""
        thread = threading.Thread(target=stand.get, args=(uri,))
        thread.start()
        return thread, stand.pid_of(uri.split("/")[2])

    @unittest.skipUnless(cgroup.can_be_made() and os.access("/dev/kmsg", os.R_OK),
                         "no memory cgroup can be made here, or /dev/kmsg is not readable: the "
                         "kernel cannot be asked for an OOM kill")
    def test_a_worker_that_paid_for_mysqld_is_innocent_and_mysqld_is_named(self):
        with varnish_stage.VarnishStage(varnish=False) as stand:
            stand.start()
            try:
                group = cgroup.Cgroup(160 * MIB)
            except OSError as problem:
                self.skipTest("no memory cgroup can be made here: %s" % problem)
            # The group can only be removed when nobody is in it.
            with group, Holder(stand, "mysqld", 1, stand.note("go-mysqld")) as holder:
                group.write("cgroup.procs", holder.process.pid)
                waiting, pid = self.in_flight(stand, "/wait/bystander/20000")
                with open("/proc/%d/oom_score_adj" % pid, "w") as out:
                    out.write("1000")  # as hosts mark what they can do without
                group.write("cgroup.procs", pid)
                open(stand.note("go-mysqld"), "w").close()
                waiting.join()
            time.sleep(2)
            row = row_of(stand, "/wait/bystander/20000")
        self.assertEqual((row["verdict"], row["killer"], row["signal"], row["pids"]),
                         ("worker_oom_killed", "kernel", "SIGKILL", [pid]), row)
        self.assertTrue(row["innocent"], row)
        self.assertIn("mysqld", row["culprit"])
        self.assertIn("mysqld", row["advice"])
        self.assertIn("mysqld", " ".join(row["evidence"]))

    def test_without_the_kernels_list_the_collectors_own_look_tells_who_held_memory(self):
        with varnish_stage.VarnishStage(varnish=False) as stand:
            stand.start()
            with Holder(stand, "redis-server", 300):
                stage.wait_for("the collector's look at /proc", lambda: self.is_seen(stand), 25)
                waiting, pid = self.in_flight(stand, "/wait/taken/20000")
                os.kill(pid, 9)
                waiting.join()
                now = time.strftime("%b %e %H:%M:%S")
                with open(stand.path("kern.log"), "a") as out:
                    out.write(OOM % (now, 5, now, 5, pid))
                time.sleep(2)
            row = row_of(stand, "/wait/taken/20000")
        self.assertEqual((row["verdict"], row["pids"]), ("worker_oom_killed", [pid]), row)
        seen = [line for line in row["evidence"] if line.startswith("memory ")]
        self.assertEqual(len(seen), 1, row)
        self.assertRegex(seen[0], r"redis-server [23]\d\d MiB")
        self.assertRegex(seen[0], r"php-fpm: pool www x\d+ ")

    @staticmethod
    def is_seen(stand):
        run = subprocess.run([stand.fpmscope, "export", "--data", stand.data, "--format=events"],
                             capture_output=True, text=True, env=stand.environment())
        return '"redis-server"' in run.stdout


if __name__ == "__main__":
    unittest.main(verbosity=2)
