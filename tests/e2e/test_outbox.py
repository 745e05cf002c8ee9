#!/usr/bin/env python3
"""test_outbox.py - busy workers hold their packets: nothing of it is lost, told twice, or late.

    tests/e2e/test_outbox.py [WORD...]     only facts whose names contain a word

A worker with a hundred requests a second puts several into one packet (preload/emit/batch.h).  What it has
not sent yet lies in its recorder page; the collector takes it from there, also after kill -9.
"""
import os
import random
import signal
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from collector_stage import FPMSCOPE, SCRIPTS, Stage, swallow, wait_for  # noqa: E402
from shim_stage import SHIM  # noqa: E402

# In the recorder page (include/fpmscope/recorder.h): hold_us, the finished requests, and at its end the outbox.
HOLD_AT, REQUESTS_AT, OUTBOX_BYTES = 96, 104, 8 + 16384
KILLS = 25
LATE_S = 1.0
MORE = {**SCRIPTS, "fork.php": "<?php exec('true'); echo 'forked';",
        "crash.php": "<?php FFI::cdef('void *memset(void *s, int c, size_t n);')"
                     "->memset(FFI::new('char *'), 1, 16);"}


class Client(threading.Thread):
    """Asks /hello.php?NAME=N for N = 0, 1, ... as fast as it is answered; knows what was."""

    def __init__(self, fpm, name):
        super().__init__(daemon=True)
        self.fpm, self.name, self.stopped = fpm, name, threading.Event()
        self.answered, self.failed = [], []

    def run(self):
        n = 0
        while not self.stopped.is_set():
            uri = f"/r/{self.name}/{n}"
            n += 1
            try:
                status = fcgi_client.get(str(self.fpm.socket), self.fpm.script("/hello.php"), uri)[0]
            except OSError as error:
                status = error
            (self.answered if status == 200 else self.failed).append(uri)

    def stop(self):
        self.stopped.set()
        self.join()


def hold_us(stage, pid):
    """What the worker's page asks of it; None when it has none (any more)."""
    for page in stage.pages.glob(f"{pid}-*"):
        try:
            return struct.unpack_from("<Q", page.read_bytes(), HOLD_AT)[0]
        except (OSError, struct.error):
            return None  # it is being removed, or made
    return None


def holding(stage, fpm):
    return [pid for pid in fpm.workers() if hold_us(stage, pid)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def said(stage, fpm):
    """How many packets the only worker has sent, and how many requests it has finished."""
    page = next(stage.pages.glob(f"{fpm.workers()[0]}-*")).read_bytes()
    (state,) = struct.unpack_from("<Q", page, len(page) - OUTBOX_BYTES)
    return state >> 32, struct.unpack_from("<Q", page, REQUESTS_AT)[0]


def keep_busy(stage, fpm, workers, name="busy", requests=0):
    """So many known requests at least, and until all workers hold; those that were answered."""
    clients = [Client(fpm, f"{name}{i}") for i in range(workers)]
    for client in clients:
        client.start()
    try:
        wait_for("busy workers to hold", lambda: len(holding(stage, fpm)) == workers, 60)
        wait_for("requests", lambda: sum(len(client.answered) for client in clients) >= requests, 60)
    finally:
        for client in clients:
            client.stop()
    return {uri for client in clients for uri in client.answered}


def cut_short(stage):
    """Requests in which a worker died: begun, and the last of its life."""
    last = {(row["pid"], row["seq"]) for row in stage.events("end") if "seq" in row}
    return [row["uri"] for row in stage.events("beg") if (row["pid"], row["seq"]) in last]


def check_once(stage, answered, failed=frozenset(), deaths=0):
    """Each answered request is there exactly once; one that a worker died in has no end, and may have
    been answered before that.  What a full socket did not take on a busy machine is counted."""
    def lost():
        return answered - set(stage.requests("/r/") + cut_short(stage))

    swallow_assertion(lambda: wait_for("all requests", lambda: not lost(), 5))
    missing, missed = lost(), stage.coverage("missed_requests")
    assert len(missing) == missed, (len(missing), missed, sorted(missing)[:5])
    assert missed == 0 or stage.coverage("dropped_messages") > 0, f"{missed} requests are lost"
    cut = cut_short(stage)
    uris = stage.requests("/r/") + [uri for uri in cut if uri.startswith("/r/")]
    assert len(uris) == len(set(uris)), "a request is there twice"
    assert set(uris) <= answered | failed
    assert len(cut) <= deaths, cut
    for name in ("repeated_requests", "damaged_outboxes", "damaged_packets"):
        assert stage.coverage(name) == 0, (name, stage.coverage(name))
    return missed


def swallow_assertion(act):
    try:
        act()
    except AssertionError:
        pass


def busy_workers_put_many_requests_into_a_packet():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1)
        answered = keep_busy(stage, fpm, 1)
        packets, requests = said(stage, fpm)
        answered |= keep_busy(stage, fpm, 1, "more", 500)
        packets, requests = (now - before for now, before in zip(said(stage, fpm), (packets, requests)))
        check_once(stage, answered)
        assert requests >= 500 and packets * 3 < requests, (packets, requests)


def what_an_idle_worker_held_is_in_the_store_within_a_second():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2)
        keep_busy(stage, fpm, 2)
        for round_ in range(5):
            uris = {f"/r/late/{round_}/{i}" for i in range(3)}
            for uri in sorted(uris):
                fcgi_client.get(str(fpm.socket), fpm.script("/hello.php"), uri)
            wait_for("the last requests", lambda: uris <= set(stage.requests("/r/late/")), LATE_S + 0.5)


def a_worker_that_is_killed_loses_no_request_that_was_answered():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=3)
        clients = [Client(fpm, f"c{i}") for i in range(3)]
        for client in clients:
            client.start()
        killed = {}
        for _ in range(KILLS):
            swallow_assertion(lambda: wait_for("a worker that holds", lambda: holding(stage, fpm), 20))
            time.sleep(random.uniform(0, 0.4))
            pid = random.choice(holding(stage, fpm) or fpm.workers())
            if alive(pid):
                killed[pid] = bool(hold_us(stage, pid))
                os.kill(pid, signal.SIGKILL)
        for client in clients:
            client.stop()
        wait_for("their ends", lambda: {row["pid"] for row in stage.events("end")} == set(killed))
        answered = {uri for client in clients for uri in client.answered}
        failed = {uri for client in clients for uri in client.failed}
        missed = check_once(stage, answered, failed, len(killed))
        print(f"{len(killed)} killed ({sum(killed.values())} while holding): {len(answered)} requests answered, "
              f"{len(failed)} not; {missed} were dropped by full sockets")


def a_worker_that_crashes_loses_no_request_and_its_crash_is_told():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=1, scripts=MORE)
        answered = set()
        for i in range(3):
            answered |= keep_busy(stage, fpm, 1, f"crash{i}")
            swallow(lambda: fpm.get("/crash.php"))
            wait_for("its end", lambda: len(stage.events("end")) == i + 1)
        check_once(stage, answered, deaths=3)
        assert cut_short(stage) == ["/crash.php"] * 3, cut_short(stage)
        assert len(stage.events("crash")) == 3


def a_graceful_stop_and_a_program_that_is_started_lose_nothing():
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2, scripts=MORE, global_conf="process_control_timeout=10s")
        answered = keep_busy(stage, fpm, 2)
        for _ in range(10):
            assert fpm.get("/fork.php")[0] == 200
        fpm.process.send_signal(signal.SIGQUIT)
        fpm.process.wait(15)
        check_once(stage, answered)
        wait_for("what started a program", lambda: len(stage.requests("/fork.php")) == 10)
        wait_for("two ends", lambda: len(stage.events("end")) == 2)


def a_collector_that_ends_and_its_successor_tell_each_request_once():
    """Between them nobody may take anything: what is lost there is missing in the numbers, too."""
    with Stage() as stage:
        stage.collect()
        fpm = stage.fpm(workers=2)
        answered = keep_busy(stage, fpm, 2)
        for signo in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            time.sleep(0.6)  # longer than a look and a flush take
            stage.stop_collector(signo)
            stage.collect()
            check_once(stage, answered)
        for pid in fpm.workers():  # which have not sent what the collectors took
            os.kill(pid, signal.SIGKILL)
        wait_for("two ends", lambda: len(stage.events("end")) == 2)
        check_once(stage, answered)


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [FPMSCOPE, SHIM]))
