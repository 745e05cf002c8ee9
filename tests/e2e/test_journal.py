#!/usr/bin/env python3
"""test_journal.py - a host without /var/log/kern.log: what the kernel said is in the journal alone.

systemd-journal-remote writes a real journal while the collector follows it; a worker is killed, the
journal tells that it was the OOM killer, once truly (from the kernel) and once by a liar.
"""
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage          # noqa: E402
import test_gateway   # noqa: E402

REMOTE = "/lib/systemd/systemd-journal-remote"
BOOT = "5" * 32
OOM = ("Out of memory: Killed process %d (php-fpm8.2) total-vm:900000kB, anon-rss:257240kB, "
       "file-rss:100kB, shmem-rss:0kB, UID:33 pgtables:700kB oom_score_adj:0")


class Journal:
    """A journal file that grows: write(transport, identifier, message)."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.count = 0
        self.writer = subprocess.Popen(
            [REMOTE, "-o", os.path.join(folder, "host.journal"), "-"], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def write(self, transport, identifier, message):
        self.count += 1
        now_us = int(time.time() * 1000000)
        fields = {"__CURSOR": "s=%s;i=%x;b=%s;m=%x;t=%x;x=%x" % ("4" * 32, self.count, BOOT,
                                                                 self.count, now_us, self.count),
                  "__REALTIME_TIMESTAMP": now_us, "__MONOTONIC_TIMESTAMP": 1000000 * self.count,
                  "_BOOT_ID": BOOT, "_HOSTNAME": "shop", "_TRANSPORT": transport,
                  "SYSLOG_IDENTIFIER": identifier, "MESSAGE": message}
        self.writer.stdin.write("".join("%s=%s\n" % field for field in fields.items()).encode() + b"\n")
        self.writer.stdin.flush()

    def close(self):
        self.writer.stdin.close()
        self.writer.wait(10)


class WithJournal(test_gateway.Injected):
    logs = ("access.log", "error.log", "fpm.log", "journal")


def kill_a_worker(st, uri):
    """SIGKILL the worker that serves `uri`; its pid."""
    waiting = st.in_background(uri)
    busy = stage.wait_for("a busy worker", st.asleep)[0]
    os.kill(busy, 9)
    waiting[0].join()
    return busy


@unittest.skipUnless(os.path.exists(REMOTE), "systemd-journal-remote is not installed")
class FromJournal(unittest.TestCase):
    def test_the_kernel_is_believed_and_who_calls_himself_kernel_is_not(self):
        with WithJournal(workers=2) as st:
            journal = Journal(st.path("journal"))
            journal.write("kernel", "kernel", "Linux version 6.1")
            stage.wait_for("a journal", lambda: os.listdir(st.path("journal")))
            st.start()
            self.assertNotIn("cannot follow", stage.text_of(st.path("run.out")))
            true_pid = kill_a_worker(st, "/sleep/truly?s=5")
            journal.write("kernel", "kernel", OOM % true_pid)
            time.sleep(2.5)  # files alone must be able to tell the two apart
            lied_pid = kill_a_worker(st, "/sleep/lied?s=5")
            journal.write("syslog", "kernel", OOM % lied_pid)
            time.sleep(2)
            rows = st.rows()
            journal.close()
            offline = st.rows("access.log", "error.log", "fpm.log", "journal")
        for answer in (rows, offline):
            row = answer["/sleep/truly"][0]
            self.assertEqual((row["verdict"], row["killer"], row["pids"]),
                             ("worker_oom_killed", "kernel", [true_pid]), row)
            row = answer["/sleep/lied"][0]
            self.assertEqual((row["verdict"], row["pids"]), ("worker_killed", [lied_pid]), row)


if __name__ == "__main__":
    unittest.main(verbosity=2)
