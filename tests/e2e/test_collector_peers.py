#!/usr/bin/env python3
"""test_collector_peers.py - who may speak to the collector, and what it refuses to start on.

    tests/e2e/test_collector_peers.py [WORD...]     only facts whose names contain a word

Needs build/fpmscope and build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when
a fact is none.
"""
import os
import pwd
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from collector_stage import FPMSCOPE, SCRIPTS, Stage, get_numbered, wait_for  # noqa: E402
from facts import needs_root  # noqa: E402
from shim_stage import SHIM  # noqa: E402


def as_www_data(act):
    """The words that act() returns, in a child with that user's rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        user = pwd.getpwnam("www-data")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.write(writing, " ".join(act()).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read().split()


def knock(path):
    """What happens at the path and at the abstract name."""
    said = []
    for address in (path, "\0fpmscope:" + path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.settimeout(5)
            try:
                door.connect(address)
                said.append(str(len(door.recv(10))))
            except OSError as error:
                said.append(type(error).__name__)
    return said


def a_stranger_reaches_neither_the_path_nor_the_abstract_name():
    needs_root()
    with Stage() as stage:
        stage.collect()
        out = as_www_data(lambda: knock(stage.socket))
        assert out[0] == "PermissionError" and out[1] in ("0", "ConnectionResetError"), out
        wait_for("the count", lambda: stage.coverage("strangers") == 1)
        modes = {oct(os.stat(p).st_mode & 0o777) for p in (stage.data, os.path.dirname(stage.socket))}
        assert modes == {"0o700"}, modes
        for path in list(stage.data.iterdir()) + [Path(stage.socket)]:
            assert path.stat().st_mode & 0o077 == 0, path


def workers_in_a_chroot_find_a_restarted_collector():
    needs_root()
    with Stage() as stage:
        stage.collect()
        root = stage.dir / "root"
        root.mkdir(mode=0o755)
        fpm = stage.fpm(workers=1, chroot=str(root))
        get_numbered(fpm, "first", range(2))
        wait_for("requests", lambda: len(stage.requests()) == 2)
        stage.stop_collector(signal.SIGKILL)
        stage.collect()
        def back():
            get_numbered(fpm, "again", range(1))
            return stage.requests("/hello.php?again")
        wait_for("requests after the restart", back)


def a_worker_that_speaks_too_much_or_rubbish_disturbs_nobody():
    """A child of the master, with the pool user's rights, floods the abstract name with rubbish."""
    flood = '''<?php
        $libc = FFI::cdef("int socket(int a, int b, int c); int connect(int fd, const char *a, int n);
                           long send(int fd, const char *p, size_t n, int flags);");
        $path = "\\0fpmscope:" . %r;
        $fd = $libc->socket(1, 5, 0);
        $address = "\\x01\\x00" . $path;
        if ($libc->connect($fd, $address, strlen($address)) != 0) { echo "not connected"; exit; }
        $n = 0;
        for ($end = microtime(true) + 2; microtime(true) < $end; )
            for ($i = 0; $i < 100; $i++)
                $n += $libc->send($fd, random_bytes(200), 200, 0x4040) > 0;
        echo $n;'''
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=3, scripts=dict(SCRIPTS, **{"flood.php": flood % stage.socket}))
        answer = []
        thread = threading.Thread(target=lambda: answer.append(fpm.body("/flood.php")))
        thread.start()
        time.sleep(0.3)
        get_numbered(fpm, "honest", range(50))
        thread.join()
        assert int(answer[0]) > 1000, answer
        wait_for("the honest ones", lambda: len(stage.requests("/hello.php?honest")) == 50)
        assert stage.collector.poll() is None
        assert stage.coverage("damaged_packets") + stage.coverage("unknown_messages") > 0


# --- starting ---------------------------------------------------------------------------------

def what_cannot_be_used_is_said_in_one_line():
    with Stage() as stage:
        stage.collect()
        second = stage.command("collect", "--data", str(stage.dir / "other"))
        assert second.returncode == 4 and f"(pid {stage.collector.pid})" in second.stderr, second
        second = stage.command("collect", "--socket", str(stage.dir / "run/d.sock"))
        assert second.returncode == 4 and "another collector" in second.stderr, second
        long = stage.command("collect", "--data", str(stage.dir / "x"), "--socket", "/tmp/" + "x" * 200)
        assert long.returncode == 3 and "too long" in long.stderr, long
        unknown = stage.command("collect", "--colour")
        assert unknown.returncode == 2 and unknown.stdout == "", unknown
        assert stage.stop_collector() == 0
        with sqlite3.connect(stage.data / "fpmscope.db") as db:
            db.execute("PRAGMA user_version = 99")
        newer = stage.command("collect")
        assert newer.returncode == 3 and "newer fpmscope" in newer.stderr, newer
        for name in ("fpmscope.db-wal", "fpmscope.db-shm"):
            (stage.data / name).unlink(missing_ok=True)
        (stage.data / "fpmscope.db").write_bytes(b"rubbish " * 1000)
        damaged = stage.command("export")
        assert damaged.returncode == 3 and "damaged" in damaged.stderr, damaged
        assert len(damaged.stderr.splitlines()) == 1, damaged.stderr
        none = stage.command("export", "--data", str(stage.dir / "nowhere"))
        assert none.returncode == 3 and "no data" in none.stderr, none


def a_collector_that_is_told_to_stop_while_it_starts_stops_cleanly():
    with Stage() as stage:
        for _ in range(20):
            process = subprocess.Popen([FPMSCOPE, "collect", "--no-find-logs"], env=stage.environment(),
                                       stderr=subprocess.DEVNULL)
            stage.processes.append(process)
            while process.poll() is None and not stage.listens():
                pass
            process.terminate()
            assert process.wait(10) == 0


def a_configuration_file_gives_defaults_and_a_wrong_one_is_named():
    with Stage() as stage:
        config = stage.dir / "f.conf"
        config.write_text(f"socket = {stage.dir}/run/ini.sock\nquiet = no\nno-find-logs = yes\n")
        process = subprocess.Popen([FPMSCOPE, "collect", "--config", config],
                                   env=stage.environment(), stderr=subprocess.PIPE, text=True)
        stage.processes.append(process)
        assert "ini.sock" in process.stderr.readline()
        process.terminate()
        assert process.wait(10) == 0
        config.write_text("colour = red\n")
        wrong = stage.command("collect", "--config", str(config))
        assert wrong.returncode == 2 and "no option 'colour'" in wrong.stderr, wrong
        missing = stage.command("collect", "--config", "/nowhere.conf")
        assert missing.returncode == 2 and "/nowhere.conf" in missing.stderr, missing


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
