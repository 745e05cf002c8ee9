#!/usr/bin/env python3
"""test_collector_facts.py - php-fpm does not notice the collector, and nothing that is told is lost.

    tests/e2e/test_collector_facts.py [WORD...]     only facts whose names contain a word

Needs build/fpmscope and build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when
a fact is none.
"""
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from collector_stage import FPMSCOPE, Stage, get_numbered, swallow, wait_for  # noqa: E402
from facts import Skip, needs_root  # noqa: E402
from shim_stage import SHIM  # noqa: E402


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


# --- streams ----------------------------------------------------------------------------------

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


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
