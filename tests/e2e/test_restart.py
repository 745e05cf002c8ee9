#!/usr/bin/env python3
"""test_restart.py - a collector is stopped or killed, and another one started: what living workers lose.

    tests/e2e/test_restart.py [WORD...]     only facts whose names contain a word

A worker learns of the end of its collector when it tells the next request.  That packet waits for the
new connection (preload/emit/batch.h), with what ends until there is one.
"""
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from collector_stage import FPMSCOPE, Stage, get_numbered, wait_for  # noqa: E402
from shim_stage import SHIM  # noqa: E402

WORKERS, RESTARTS = 20, 10


def start(stage, workers):
    """A collector, and then php-fpm."""
    stage.collect()
    wait_for("the store's birth", lambda: stage.rows("fact"))
    return stage.fpm(workers=workers)


def start_with_one_worker_and_lose_the_collector(stage):
    """Three requests are stored."""
    fpm = start(stage, 1)
    get_numbered(fpm, "first", range(3))
    settle(stage, 3)
    stage.stop_collector(signal.SIGKILL)
    return fpm


def served(stage, fpm):
    """Finished requests of each worker, by what is stored."""
    return {pid: [row["seq"] for row in stage.events("req") if row["pid"] == pid] for pid in fpm.workers()}


def check_all_are_there(stage, fpm, requests):
    wait_for("all requests", lambda: len(stage.events("req")) >= requests)
    for pid, numbers in served(stage, fpm).items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), (pid, sorted(numbers))
    for name in ("missed_requests", "repeated_requests", "dropped_messages", "damaged_packets"):
        assert stage.coverage(name) == 0, (name, stage.coverage(name))


def settle(stage, requests):
    """What a collector has committed its end cannot cost."""
    wait_for("the commit", lambda: stage.rows("event_req") >= requests)


def no_worker_loses_a_request_to_a_restart():
    with Stage() as stage:
        fpm = start(stage, WORKERS)
        each = 3 * WORKERS
        for round_ in range(RESTARTS):
            get_numbered(fpm, f"round{round_}", range(each))
            settle(stage, (round_ + 1) * each)
            stage.stop_collector(signal.SIGKILL if round_ % 2 else signal.SIGTERM)
            stage.collect()
        get_numbered(fpm, "last", range(each))
        check_all_are_there(stage, fpm, (RESTARTS + 1) * each)
        workers = served(stage, fpm)
        assert len(workers) == WORKERS and all(workers.values()), workers
        print(f"{RESTARTS * WORKERS} connections ended, {(RESTARTS + 1) * each} requests are all there")


def requests_that_end_while_no_collector_is_there_are_told_to_the_next():
    with Stage() as stage:
        fpm = start(stage, 2)
        requests = 10
        get_numbered(fpm, "before", range(requests))
        for signo in (signal.SIGTERM, signal.SIGKILL):
            settle(stage, requests)
            stage.stop_collector(signo)
            get_numbered(fpm, f"without{signo}", range(10))
            stage.collect()
            time.sleep(1.1)  # the back-off of those that looked in vain
            get_numbered(fpm, f"with{signo}", range(10))
            requests += 20
            check_all_are_there(stage, fpm, requests)


def a_worker_that_is_born_while_no_collector_is_there_tells_its_requests_to_the_next():
    with Stage() as stage:
        fpm = start_with_one_worker_and_lose_the_collector(stage)
        (old,) = fpm.workers()
        os.kill(old, signal.SIGKILL)
        wait_for("another worker", lambda: fpm.workers() not in ([], [old]))
        get_numbered(fpm, "second", range(10))
        stage.collect()
        time.sleep(1.1)
        get_numbered(fpm, "third", range(3))
        check_all_are_there(stage, fpm, 16)


def a_worker_that_is_killed_while_no_collector_is_there_leaves_its_requests_in_its_page():
    with Stage() as stage:
        fpm = start_with_one_worker_and_lose_the_collector(stage)
        requests = 3
        for _ in range(2):  # one that had met the collector, one that was born without it
            (victim,) = fpm.workers()
            get_numbered(fpm, "alone", range(5))
            time.sleep(0.1)  # a request is over after its answer
            os.kill(victim, signal.SIGKILL)
            wait_for("another worker", lambda: fpm.workers() not in ([], [victim]))
            requests += 5
        stage.collect()
        check_all_are_there(stage, fpm, requests)
        wait_for("two ends", lambda: len(stage.events("end")) == 2)
        assert not any(end.get("seq") for end in stage.events("end"))


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [FPMSCOPE, SHIM]))
