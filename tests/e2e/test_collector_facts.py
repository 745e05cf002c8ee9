#!/usr/bin/env python3
"""test_collector_facts.py - what the collector promises, shown on a real php-fpm, one line a fact.

    tests/e2e/test_collector_facts.py [WORD...]     only facts whose names contain a word

Needs build/fpmscope and build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when
a fact is none.
"""
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from shim_stage import PHP_FPM, ROOT, SHIM, Fpm  # noqa: E402

FPMSCOPE = ROOT / "build/fpmscope"
HELLO = '<?php echo "hello";'
SLOW = '<?php sleep(2); echo "slow";'
SCRIPTS = {"hello.php": HELLO, "slow.php": SLOW}


class Skip(Exception):
    pass


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


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
        self.dir = Path(tempfile.mkdtemp(prefix="fpmscope-facts-"))
        self.dir.chmod(0o755)
        self.pages = Path(tempfile.mkdtemp(prefix="fpmscope-pages-", dir="/dev/shm"))
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

    def collect(self, *options):
        """Start the collector; returns when it listens."""
        self.collector = subprocess.Popen(
            [FPMSCOPE, "collect", "--no-find-logs", *options], env=self.environment(),
            stdout=self.log.open("ab"), stderr=subprocess.STDOUT)
        self.processes.append(self.collector)
        wait_for("the collector", lambda: self.collector.poll() is not None or self.listens())
        assert self.collector.poll() is None, self.log.read_text()
        return self.collector

    def listens(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(self.socket) == 0

    def stop_collector(self, signo=signal.SIGTERM):
        self.collector.send_signal(signo)
        self.collector.wait(15)
        return self.collector.returncode

    def fpm(self, **kwargs):
        kwargs.setdefault("scripts", SCRIPTS)
        self.masters.append(Fpm(self, **kwargs))
        return self.masters[-1]

    def command(self, *words, **more):
        return subprocess.run([FPMSCOPE, *words], env=self.environment(**more), timeout=60,
                              capture_output=True, text=True)

    def events(self, kind=None):
        run = self.command("export")
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        return [row for row in rows if kind in (None, row["e"])]

    def requests(self, prefix="/"):
        return [row["uri"] for row in self.events("req") if row["uri"].startswith(prefix)]

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


def living(marker):
    """Pids whose command line or environment mentions `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marker.encode() in text and state != "Z":
                found.append(int(entry.name))
    return found


# --- php-fpm does not notice ----------------------------------------------------------------

def requests_are_served_before_there_is_a_collector_and_it_finds_the_workers_later():
    with Stage() as stage:
        fpm = stage.fpm(workers=2)
        get_numbered(fpm, "early", range(4))
        stage.collect()
        wait_for("both workers", lambda: len(stage.events("start")) == 2)
        # The first try after a failed one comes a second later, the next two seconds later, ...
        def later():
            get_numbered(fpm, "late", range(2))
            return len(stage.requests("/hello.php?late")) > 0
        wait_for("requests over the abstract name", later, 20)
        users = {os.stat(f"/proc/{pid}").st_uid for pid in fpm.workers()}
        assert os.geteuid() != 0 or users == {pwd.getpwnam("www-data").pw_uid} or users == {0}, users


def a_killed_collector_loses_nothing_committed_and_a_new_one_goes_on():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=3)
        failed, stop = [], threading.Event()

        def load(name):
            n = 0
            while not stop.is_set():
                try:
                    if fpm.get(f"/hello.php?{name}={n}")[0] != 200:
                        failed.append(n)
                except OSError as error:
                    failed.append(error)
                n += 1
                time.sleep(0.002)

        threads = [threading.Thread(target=load, args=(f"t{i}",)) for i in range(2)]
        for thread in threads:
            thread.start()
        seen = set()
        try:
            for _ in range(5):
                time.sleep(0.6)
                seen |= {(r["pid"], r["start"], r["seq"]) for r in stage.events("req")}
                stage.stop_collector(signal.SIGKILL)
                stage.collect()
            time.sleep(2.5)  # workers come back within their back-off
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        time.sleep(0.5)
        rows = [(r["pid"], r["start"], r["seq"]) for r in stage.events("req")]
        assert not failed, failed[:5]
        assert len(rows) == len(set(rows)), "a request is there twice"
        assert seen <= set(rows), f"{len(seen - set(rows))} committed requests are gone"
        assert len(set(rows)) > len(seen), "nothing after the last restart"
        assert stage.is_sound()
        starts = [(r["pid"], r["start"]) for r in stage.events("start")]
        assert sorted(starts) == sorted(set(starts)), starts
        highest = {}
        for pid, start, seq in rows:
            highest[pid, start] = max(seq, highest.get((pid, start), 0))
        missed = sum(highest.values()) - len(rows)
        assert stage.coverage("missed_requests") == missed, (missed, stage.coverage("missed_requests"))


def a_stopped_collector_holds_nobody_up_and_what_was_dropped_is_counted():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1)
        get_numbered(fpm, "before", range(3))
        stage.collector.send_signal(signal.SIGSTOP)
        slowest = 0
        for i in range(3000):
            begin = time.monotonic()
            assert fpm.get(f"/hello.php?stopped={i}")[0] == 200
            slowest = max(slowest, time.monotonic() - begin)
        stage.collector.send_signal(signal.SIGCONT)
        assert slowest < 1, slowest
        def told():
            get_numbered(fpm, "after", range(1))
            return stage.coverage("dropped_messages") > 0 or len(stage.requests()) > 3000
        wait_for("the drops", told)
        wait_for("requests again", lambda: stage.requests("/hello.php?after"))


def no_request_fails_when_the_store_is_on_a_full_disk_and_the_collector_says_so():
    needs_root()
    with Stage() as stage:
        stage.data.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", stage.data])
        if mounted.returncode != 0:
            raise Skip("cannot mount a tmpfs here")
        try:
            stage.collect()
            fpm = stage.fpm(workers=1)
            get_numbered(fpm, "fits", range(5))
            wait_for("the first requests", lambda: len(stage.requests()) == 5)
            with (stage.data / "ballast").open("wb", buffering=0) as ballast:
                try:
                    while ballast.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            for i in range(1500):
                assert fpm.get(f"/hello.php?full={i}")[0] == 200
            wait_for("a word about it", lambda: "full" in stage.log.read_text(), 10)
            assert stage.collector.poll() is None
            (stage.data / "ballast").unlink()
            wait_for("the rows that waited", lambda: len(stage.requests()) >= 1000)
            assert stage.is_sound()
            stage.stop_collector()
        finally:
            subprocess.run(["umount", "-l", stage.data])


def a_store_that_is_damaged_is_set_aside_and_a_new_one_begun():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1)
        get_numbered(fpm, "before", range(3))
        wait_for("requests", lambda: len(stage.requests()) == 3)
        stage.stop_collector()
        with (stage.data / "fpmscope.db").open("r+b") as store:
            size = store.seek(0, 2)
            store.seek(4096)
            store.write(b"\xa5" * (size - 4096))
        stage.collect()
        wait_for("the old store's new name", lambda: list(stage.data.glob("damaged-*.db")))

        def goes_on():
            get_numbered(fpm, "after", range(1))
            return stage.requests("/hello.php?after")
        wait_for("requests in a new store", goes_on)
        assert stage.collector.poll() is None and stage.coverage("damaged_store") == 1
        assert stage.is_sound()


# --- deaths -----------------------------------------------------------------------------------

def a_worker_killed_while_nobody_collected_leaves_its_request_and_its_end():
    with Stage() as stage:
        fpm = stage.fpm(workers=1)
        thread = threading.Thread(target=lambda: swallow(lambda: fpm.get("/slow.php?victim")))
        thread.start()
        time.sleep(0.7)
        victim = fpm.workers()[0]
        os.kill(victim, signal.SIGKILL)
        thread.join()
        stage.collect()
        begun = wait_for("its request", lambda: [r for r in stage.events("beg")
                                                 if r["uri"] == "/slow.php?victim"])
        assert begun[0]["pid"] == victim
        end = wait_for("its end", lambda: [r for r in stage.events("end") if r["pid"] == victim])
        assert len(end) == 1 and end[0]["seq"] == begun[0]["seq"], end
        wait_for("its page to go", lambda: not any(p.name.startswith(f"{victim}-")
                                                   for p in stage.pages.iterdir()))
        assert stage.command("export").returncode == 0


def swallow(act):
    try:
        act()
    except OSError:
        pass


def a_killed_worker_is_tied_to_its_request_its_signal_and_its_size():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2)
        get_numbered(fpm, "warm", range(4))
        time.sleep(1.2)
        thread = threading.Thread(target=lambda: swallow(lambda: fpm.get("/slow.php?victim")))
        thread.start()
        time.sleep(0.5)
        pages = {p.name.partition("-")[0]: p.read_bytes() for p in stage.pages.iterdir()}
        victim = int(next(pid for pid, page in pages.items() if b"/slow.php?victim" in page))
        os.kill(victim, signal.SIGKILL)
        thread.join()
        exit_ = wait_for("its exit", lambda: [r for r in stage.events("exit") if r["pid"] == victim])
        end = wait_for("its end", lambda: [r for r in stage.events("end") if r["pid"] == victim])
        begun = [r for r in stage.events("beg") if r["uri"] == "/slow.php?victim"]
        assert exit_[0]["sig"] == signal.SIGKILL and exit_[0]["master"] == fpm.pid, exit_
        assert begun[0]["pid"] == victim and end[0]["seq"] == begun[0]["seq"]
        assert end[0]["rss"] > 5000 and end[0]["start"] == begun[0]["start"] == exit_[0]["start"]


# --- who may speak ------------------------------------------------------------------------------

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


# --- starting and stopping ----------------------------------------------------------------------

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


class Run:
    """`fpmscope run` on a php-fpm of its own, as root or as an ordinary user."""

    def __init__(self, stage, user=None, daemonize=False, options=(), env=None):
        self.stage = stage
        self.dir = Path(tempfile.mkdtemp(prefix="run", dir=stage.dir))
        self.dir.chmod(0o755)
        root = os.geteuid() == 0 and user is None
        for name, text in SCRIPTS.items():
            (self.dir / name).write_text(text)
        (self.dir / "fpm.conf").write_text("\n".join([
            "[global]", f"error_log={self.dir}/fpm.log", f"pid={self.dir}/fpm.pid",
            # Without it php-fpm does not wait for its workers, also not on SIGQUIT.
            "process_control_timeout=8",
            f"daemonize={'yes' if daemonize else 'no'}", "[www]",
            "user=www-data\ngroup=www-data" if root else "", f"listen={self.dir}/fpm.sock",
            "listen.mode=0666", "pm=static", "pm.max_children=2", ""]))
        environment = stage.environment()
        for name in ("FPMSCOPE_SOCKET", "FPMSCOPE_PAGES", "FPMSCOPE_DATA"):
            environment.pop(name)
        environment["XDG_RUNTIME_DIR"] = environment["XDG_STATE_HOME"] = str(self.dir / "xdg")
        environment.update(env or {})
        if user:
            shutil.chown(self.dir, user)
        self.data = self.dir / "data"
        self.out = (self.dir / "run.out").open("w+")
        self.process = subprocess.Popen(
            [FPMSCOPE, "run", "--no-find-logs", "--data", self.data, *options, "--", PHP_FPM,
             "-y", self.dir / "fpm.conf"] + ([] if daemonize else ["-F"]),
            env=environment, stdout=self.out, stderr=subprocess.STDOUT, user=user,
            start_new_session=True, cwd="/")
        stage.processes.append(self.process)

    def ready(self):
        log = self.dir / "fpm.log"
        wait_for("php-fpm", lambda: self.process.poll() is not None or
                 (log.exists() and "ready to handle" in log.read_text()))
        assert self.process.poll() is None, self.text()
        return self

    def get(self, uri):
        import fcgi_client
        return fcgi_client.get(str(self.dir / "fpm.sock"), str(self.dir) + uri.partition("?")[0], uri)

    def text(self):
        return (self.dir / "run.out").read_text()

    def requests(self):
        out = subprocess.run([FPMSCOPE, "export", "--data", self.data], capture_output=True, text=True)
        return [r["uri"] for r in map(json.loads, out.stdout.splitlines()) if r["e"] == "req"]

    def nothing_left(self):
        wait_for("everything to end", lambda: not living(str(self.dir)))


def run_ends_on_ctrl_c_and_sigterm_prints_the_summary_and_leaves_nothing():
    for signo in (signal.SIGINT, signal.SIGTERM):
        with Stage() as stage:
            run = Run(stage).ready()
            for i in range(5):
                assert run.get(f"/hello.php?n={i}")[0] == 200
            run.process.send_signal(signo)
            assert run.process.wait(20) == 0, run.text()
            run.nothing_left()
            assert len(run.requests()) == 5
            assert len(run.text().splitlines()) > 1, run.text()  # the summary


def run_lets_a_request_finish_that_was_being_served():
    with Stage() as stage:
        run = Run(stage).ready()
        answer = []
        thread = threading.Thread(target=lambda: answer.append(run.get("/slow.php")[0]))
        thread.start()
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        thread.join()
        assert answer == [200], answer
        assert run.process.wait(20) == 0
        run.nothing_left()


def run_leaves_nothing_behind_when_it_is_killed():
    with Stage() as stage:
        run = Run(stage).ready()
        run.process.kill()
        run.process.wait()
        run.nothing_left()


def run_works_for_an_ordinary_user_with_a_pool_of_his_own():
    needs_root()
    with Stage() as stage:
        run = Run(stage, user="nobody", options=("--set", "interval_bytes=4096")).ready()
        for i in range(4):
            assert run.get(f"/hello.php?n={i}")[0] == 200
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0, run.text()
        run.nothing_left()
        assert len(run.requests()) == 4, run.text()
        owners = {p.stat().st_uid for p in run.data.iterdir()}
        assert owners == {pwd.getpwnam("nobody").pw_uid}, owners


def run_stays_with_a_php_fpm_that_goes_to_the_background():
    with Stage() as stage:
        run = Run(stage, daemonize=True).ready()
        time.sleep(1)
        assert run.process.poll() is None, run.text()
        assert run.get("/hello.php?n=1")[0] == 200
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(20) == 0, run.text()
        run.nothing_left()
        assert len(run.requests()) == 1


def run_gives_the_programs_exit_status_and_names_a_missing_one():
    with Stage() as stage:
        missing = stage.command("run", "--", "no-such-php-fpm")
        assert missing.returncode == 127 and "no-such-php-fpm" in missing.stderr, missing
        wrong = stage.command("run", "--no-summary", "--", PHP_FPM, "-F", "-y", "/nowhere.conf")
        plain = subprocess.run([PHP_FPM, "-F", "-y", "/nowhere.conf"], capture_output=True)
        assert wrong.returncode == plain.returncode != 0, (wrong.returncode, plain.returncode)
        usage = stage.command("run")
        assert usage.returncode == 2 and "which program" in usage.stderr, usage
        assert not living(str(stage.dir)), living(str(stage.dir))


def a_reload_under_run_keeps_the_shim():
    with Stage() as stage:
        run = Run(stage).ready()
        assert run.get("/hello.php?before")[0] == 200
        run.process.send_signal(signal.SIGUSR2)
        log = run.dir / "fpm.log"
        wait_for("the reload", lambda: log.read_text().count("ready to handle") == 2)
        assert run.get("/hello.php?after")[0] == 200
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0
        assert sorted(run.requests()) == ["/hello.php?after", "/hello.php?before"], run.requests()
        run.nothing_left()


def streams_go_out_and_come_in_again_as_they_were():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1)
        get_numbered(fpm, "x", range(5))
        wait_for("requests", lambda: len(stage.requests()) == 5)
        assert stage.command("mark", "release 7").returncode == 0
        out = stage.dir / "out.jsonl"
        assert stage.command("export", "-o", str(out)).returncode == 0
        assert out.stat().st_mode & 0o077 == 0
        assert stage.command("export", "-o", str(out)).returncode == 3  # never over another file
        again = str(stage.dir / "again")
        assert stage.command("import", "--data", again, str(out)).returncode == 0
        first = out.read_text().splitlines()
        second = stage.command("export", "--data", again).stdout.splitlines()
        assert len(first) > 15 and first == second, set(first) ^ set(second)
        assert any('"release 7"' in line for line in first)


def facts():
    skip = {"get_numbered", "needs_root", "as_www_data", "knock", "facts", "main", "living", "swallow", "wait_for"}
    return [(name, value) for name, value in globals().items()
            if callable(value) and getattr(value, "__module__", "") == "__main__" and
            not isinstance(value, type) and name not in skip]


def main():
    words, failed = sys.argv[1:], 0
    for needed in (SHIM, FPMSCOPE):
        if not needed.exists():
            sys.exit(f"test_collector_facts: '{needed}' is not there: run make first")
    for name, fact in facts():
        if words and not any(word in name for word in words):
            continue
        begin = time.monotonic()
        try:
            fact()
            verdict = "ok  "
        except Skip as why:
            verdict = f"skip ({why})"
        except Exception:
            traceback.print_exc()
            verdict, failed = "FAIL", failed + 1
        print(f"{verdict} {name.replace('_', ' ')} ({time.monotonic() - begin:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
