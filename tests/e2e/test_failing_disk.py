#!/usr/bin/env python3
"""test_failing_disk.py - the disk under the store fails in the middle of writes; nothing committed is lost.

    tests/e2e/test_failing_disk.py [WORD...]     only facts whose names contain a word

A load of known requests meanwhile, and kill -9 of the collector: no request fails, what a reader saw
committed stays, once, what was not stored is counted, and the store is sound in the end.
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from collector_stage import FPMSCOPE, SCRIPTS, SLOW, Stage, get_numbered, swallow, wait_for  # noqa: E402
from facts import Skip, needs_root  # noqa: E402
from shim_stage import ROOT, SHIM  # noqa: E402
from test_nothing_lost import check, kill_at_random, load_while  # noqa: E402

FAULTY_DISK = ROOT / "build/release/tests/e2e/injected/faulty_disk.so"


def told(stage, clients, reader):
    answered, stored, missed = check(stage, clients, reader)
    assert stored > 0 and reader.seen, (answered, stored, missed)
    assert not list(stage.data.glob("damaged-*")), "a sound store was set aside"
    print(f"     {answered} requests answered, {stored} stored, {missed} missed; a reader saw {len(reader.seen)}")


def collect_on_a_faulty_disk(stage, env):
    """It may fail to open the store, and says so; then it is started again, as systemd would."""
    for _ in range(20):
        try:
            return stage.collect(**env)
        except AssertionError:
            said = stage.log.read_text().splitlines()[-1]
            assert "nput/output error" in said or "No space" in said, said
    raise AssertionError("it never comes up")


def writes_that_fail_or_stop_in_the_middle_lose_nothing_committed():
    with Stage() as stage:
        env = {"LD_PRELOAD": str(FAULTY_DISK), "FAULTY_DISK": f"{random.randrange(1 << 30)}:60:300"}

        def fail_then_recover():
            time.sleep(3)
            kill_at_random(stage, 6, lambda: collect_on_a_faulty_disk(stage, env))
            time.sleep(1)
            stage.stop_collector(signal.SIGKILL)
            stage.collect()
        collect_on_a_faulty_disk(stage, env)
        told(stage, *load_while(stage, fail_then_recover))
        said = stage.log.read_text()
        assert "I/O" in said or "full" in said, "no fault came, or it was not said: " + said[-500:]


def a_disk_that_is_full_at_random_moments_and_kills_lose_nothing_committed():
    needs_root()
    with Stage() as stage:
        stage.data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", stage.data]).returncode:
            raise Skip("cannot mount a tmpfs here")
        ballast = stage.data / "ballast"

        def fill_and_free():
            for _ in range(8):
                time.sleep(random.uniform(0.05, 0.4))
                with ballast.open("wb", buffering=0) as file:
                    try:
                        while file.write(b"x" * random.choice((512, 4096, 65536))):
                            pass
                    except OSError:
                        pass
                time.sleep(random.uniform(0.05, 0.4))
                if random.random() < 0.6:
                    stage.stop_collector(signal.SIGKILL)
                    ballast.unlink()  # a collector does not start on a full disk
                    stage.collect()
                else:
                    ballast.unlink()
        try:
            stage.collect()
            told(stage, *load_while(stage, fill_and_free))
        finally:
            subprocess.run(["umount", "-l", stage.data])


def overwrite(stage):
    for name in ("fpmscope.db", "fpmscope.db-wal"):
        path = stage.data / name
        if path.exists() and path.stat().st_size > 8192:
            with path.open("r+b") as file:
                file.seek(4096)
                file.write(os.urandom(path.stat().st_size - 4096))


def a_death_that_the_damaged_store_did_not_take_is_told_by_the_new_one():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1, scripts=dict(SCRIPTS, **{"slow.php": SLOW}))
        get_numbered(fpm, "before", range(50))
        wait_for("requests", lambda: len(stage.requests()) == 50)
        stage.collector.send_signal(signal.SIGSTOP)
        asking = threading.Thread(target=swallow, args=(lambda: fpm.get("/slow.php?dies"),))
        asking.start()
        time.sleep(0.4)
        os.kill(fpm.workers()[0], signal.SIGKILL)
        asking.join()
        overwrite(stage)
        stage.collector.send_signal(signal.SIGCONT)
        wait_for("a new store", lambda: list(stage.data.glob("damaged-*.db")), 30)
        wait_for("the death", lambda: [e for e in stage.events("end") if e.get("seq") == 51])
        assert [e for e in stage.events("beg") if e["uri"].startswith("/slow.php")]


def a_store_that_is_overwritten_while_it_is_open_is_set_aside():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2)
        get_numbered(fpm, "before", range(200))
        wait_for("requests", lambda: len(stage.requests()) == 200)
        overwrite(stage)

        def goes_on():
            get_numbered(fpm, "after", range(20))
            return list(stage.data.glob("damaged-*.db")) and stage.requests("/hello.php?after")
        wait_for("a new store", goes_on, 30)
        assert stage.collector.poll() is None and stage.coverage("damaged_store") >= 1
        assert stage.is_sound()


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE, FAULTY_DISK]))
