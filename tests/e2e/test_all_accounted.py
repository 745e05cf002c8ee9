#!/usr/bin/env python3
"""test_all_accounted.py - what workers served is stored or counted, however late the collector is.

    tests/e2e/test_all_accounted.py [WORD...]     only facts whose names contain a word

The collector stands still (SIGSTOP) while workers are born, serve, die and are replaced; then it goes
on, stops or is killed.  A worker numbers its requests, so that nothing can be missing unseen.
"""
import contextlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from collector_stage import FPMSCOPE, SCRIPTS, SLOW, Stage, get_numbered, swallow, wait_for  # noqa: E402
from shim_stage import ROOT, SHIM  # noqa: E402

SLOW_FORK = ROOT / "build/release/tests/e2e/injected/slow_fork.so"


@contextlib.contextmanager
def stopped(collector):
    """Within, the collector gets no CPU; its sockets and those that wait at its doors fill."""
    collector.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        collector.send_signal(signal.SIGCONT)


def collected_from_the_start(stage):
    stage.collect()
    wait_for("the store's birth", lambda: stage.rows("fact"))


def what_waits_in_sockets_is_stored_before_a_clean_stop():
    with Stage() as stage:
        collected_from_the_start(stage)
        old = stage.fpm(workers=1)
        with stopped(stage.collector):
            get_numbered(old, "old", range(100))
            young = stage.fpm(workers=1)  # its connections wait at the door
            get_numbered(young, "young", range(100))
            time.sleep(0.3)  # a request is told after its answer
            stage.collector.send_signal(signal.SIGTERM)
        stage.collector.wait(15)
        assert len(stage.requests("/hello.php?old")) == 100, len(stage.requests("/hello.php?old"))
        assert len(stage.requests("/hello.php?young")) == 100, len(stage.requests("/hello.php?young"))


def workers_that_live_and_die_before_they_are_met_are_told_in_full():
    with Stage() as stage:
        collected_from_the_start(stage)
        with stopped(stage.collector):
            fpm = stage.fpm(workers=2, pool="pm.max_requests=3")
            get_numbered(fpm, "brief", range(60))
            time.sleep(1.2)  # the scan is due when it goes on
        wait_for("them", lambda: len(stage.requests("/hello.php?brief")) == 60)
        assert stage.coverage("refused_packets") == 0
        assert stage.coverage("missed_requests") == 0


def a_worker_that_is_shot_before_it_is_met_leaves_its_requests_and_its_last_one():
    with Stage() as stage:
        collected_from_the_start(stage)
        with stopped(stage.collector):
            fpm = stage.fpm(workers=1, scripts=dict(SCRIPTS, **{"slow.php": SLOW}))
            get_numbered(fpm, "before", range(5))
            victim = fpm.workers()[0]
            asking = threading.Thread(target=swallow, args=(lambda: fpm.get("/slow.php?shot"),))
            asking.start()
            time.sleep(0.5)
            os.kill(victim, signal.SIGKILL)
            asking.join()
            time.sleep(1.2)
        wait_for("its end", lambda: [e for e in stage.events("end") if e["pid"] == victim])
        assert len(stage.requests("/hello.php?before")) == 5, stage.requests("/hello.php?before")
        (end,) = [e for e in stage.events("end") if e["pid"] == victim]
        assert end.get("seq") == 6, end
        assert [e for e in stage.events("exit") if e["pid"] == victim and e.get("sig") == 9]


CRASH = "<?php FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(FFI::new('char *'), 1, 16);"
CRASHES = 60


def crashes_that_are_unwound_by_late_children_cost_no_newborn_worker_its_words():
    with Stage() as stage:
        stage.collect(LD_PRELOAD=str(SLOW_FORK), SLOW_FORK_MS="60")
        fpm = stage.fpm(workers=3, scripts=dict(SCRIPTS, **{"crash.php": CRASH}))
        for i in range(CRASHES):
            get_numbered(fpm, f"between{i}", range(i % 5))
            swallow(lambda: fpm.get("/crash.php"))
        wait_for("the crashes", lambda: len(stage.events("crash")) == CRASHES)
        assert stage.coverage("refused_packets") == 0
        assert all(end.get("seq") for end in stage.events("end"))


# --- everything at once ---------------------------------------------------------------------------

class Client(threading.Thread):
    """Asks until it is told to stop; counts answers and failures."""

    def __init__(self, fpm, over):
        super().__init__()
        self.fpm, self.over, self.answered, self.failed = fpm, over, 0, 0

    def run(self):
        while not self.over.is_set():
            try:
                self.fpm.get("/hello.php?n")
                self.answered += 1
            except OSError:
                self.failed += 1
            time.sleep(0.002)


def disturb(stage, fpm, rng):
    """One accident: to the collector, or to a worker."""
    kind = rng.choice(("stand", "stand", "stop", "kill", "shoot", "shoot", "shoot"))
    if kind == "stand":
        with stopped(stage.collector):
            for _ in range(rng.randint(0, 3)):
                shoot(fpm, rng)
                time.sleep(rng.uniform(0, 0.6))
    elif kind == "shoot":
        shoot(fpm, rng)
    else:
        stage.stop_collector(signal.SIGTERM if kind == "stop" else signal.SIGKILL)
        time.sleep(rng.uniform(0, 0.3))
        stage.collect()
    time.sleep(rng.uniform(0, 0.3))


def shoot(fpm, rng):
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(rng.choice(fpm.workers()), rng.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)))


def requests_that_are_told(stage):
    """Finished and stored; finished and counted as missed; begun by workers that died in them."""
    return (len(stage.events("req")), stage.coverage("missed_requests"),
            len([end for end in stage.events("end") if end.get("seq")]))


def no_accident_makes_a_request_vanish():
    seed = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
    rng = random.Random(seed)
    with Stage() as stage:
        collected_from_the_start(stage)
        fpm = stage.fpm(workers=3)
        over = threading.Event()
        clients = [Client(fpm, over) for _ in range(3)]
        for client in clients:
            client.start()
        for _ in range(int(os.environ.get("FPMSCOPE_ACCIDENTS", 12))):
            disturb(stage, fpm, rng)
        time.sleep(2.5)  # workers come back within their back-off
        over.set()
        for client in clients:
            client.join()
        for pid in fpm.workers():
            os.kill(pid, signal.SIGKILL)  # the page of each says how far it came
        time.sleep(1.5)
        answered, failed = sum(c.answered for c in clients), sum(c.failed for c in clients)
        told = requests_that_are_told(stage)
        print(f"     seed {seed}: {answered} answered, {failed} failed; {told[0]} stored, {told[1]} missed, "
              f"{told[2]} died in")
        assert answered <= sum(told) <= answered + failed, (seed, answered, failed, told)
        ended = {(e["pid"], e["start"]) for e in stage.events("end")}
        born = {(e["pid"], e["start"]) for e in stage.events("start")}
        alive = set(fpm.workers())
        assert {pid for pid, _ in born - ended} <= alive, born - ended


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE, SLOW_FORK]))
