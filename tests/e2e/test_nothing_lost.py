#!/usr/bin/env python3
"""test_nothing_lost.py - kill -9 of the collector at random moments of a load of known requests.

    tests/e2e/test_nothing_lost.py [ROUNDS]     default 10; `make soak` does 100

Every request has a URI of its own.  A reader looks at the store all the time.  In the end each
request that it ever saw committed is there exactly once, none is there twice, none is invented,
`missed_requests` is exactly what workers served beside the stored ones, and the store is sound.
"""
import random
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fcgi_client  # noqa: E402
from collector_stage import SCRIPTS, Stage, wait_for  # noqa: E402

CLIENTS = 3


class Client(threading.Thread):
    """Asks /r/NAME/N for N = 0, 1, ... and remembers what was answered and what was not."""

    def __init__(self, fpm, name, stop):
        super().__init__()
        self.fpm, self.prefix, self.stopped, self.answered, self.failed = fpm, name, stop, [], []

    def run(self):
        n = 0
        while not self.stopped.is_set():
            uri = f"/r/{self.prefix}/{n}"
            try:
                status = fcgi_client.get(str(self.fpm.socket), self.fpm.script("/hello.php"), uri)[0]
            except OSError as error:
                status = error
            (self.answered if status == 200 else self.failed).append(uri)
            n += 1
            time.sleep(0.003)


class Reader(threading.Thread):
    """Reads the requests that are committed, again and again, as any reader may."""

    def __init__(self, stage, stop):
        super().__init__()
        self.store, self.stopped, self.seen, self.looks = stage.data / "fpmscope.db", stop, set(), 0

    def run(self):
        at = 0
        while not self.stopped.wait(0.02):
            try:
                with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=1) as db:
                    rows = db.execute("SELECT at, uri FROM event_req WHERE at > ? ORDER BY at",
                                      (at,)).fetchall()
            except sqlite3.OperationalError:
                continue  # the collector is just opening it
            if rows:
                at = max(at, rows[-1][0] - (1 << 40))  # rows may come late; look at them again
                self.seen |= {uri for _, uri in rows}
            self.looks += 1


def kill_at_random(stage, rounds, start=None):
    """`start` brings a collector up again."""
    for _ in range(rounds):
        time.sleep(random.uniform(0.02, 0.7))
        stage.stop_collector(signal.SIGKILL)
        time.sleep(random.uniform(0, 0.05))
        (start or stage.collect)()


def requests_served(rows):
    """How many requests the workers served up to the last stored one of each."""
    last = {}
    for pid, start, seq in rows:
        last[pid, start] = max(seq, last.get((pid, start), 0))
    return sum(last.values())


def check(stage, clients, reader):
    rows = stage.events("req")
    uris = [row["uri"] for row in rows]
    answered = {uri for client in clients for uri in client.answered}
    assert not any(client.failed for client in clients), [c.failed[:3] for c in clients]
    assert len(uris) == len(set(uris)), "a request is there twice"
    assert set(uris) <= answered, sorted(set(uris) - answered)[:3]
    assert reader.seen <= set(uris), f"{len(reader.seen - set(uris))} committed requests are gone"
    served = requests_served([(row["pid"], row["start"], row["seq"]) for row in rows])
    missed = stage.coverage("missed_requests")
    assert missed == served - len(rows), (missed, served, len(rows))
    assert stage.is_sound()
    return len(answered), len(rows), missed


def load_while(stage, act):
    """Known requests and a reader while act() runs; (clients, reader) when all have ended."""
    wait_for("the store's birth", lambda: stage.rows("fact"))
    fpm = stage.fpm(workers=3, scripts=SCRIPTS)
    stop, stop_reader = threading.Event(), threading.Event()
    clients = [Client(fpm, f"c{i}", stop) for i in range(CLIENTS)]
    reader = Reader(stage, stop_reader)
    for thread in clients + [reader]:
        thread.start()
    try:
        act()
        time.sleep(2.5)  # workers come back within their back-off
    finally:
        stop.set()
        for client in clients:
            client.join()
        time.sleep(0.5)
        stop_reader.set()
        reader.join()
    return clients, reader


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with Stage() as stage:
        stage.collect()
        clients, reader = load_while(stage, lambda: kill_at_random(stage, rounds))
        answered, stored, missed = check(stage, clients, reader)
        print(f"{rounds} kills: {answered} requests answered, {stored} stored, {missed} counted as "
              f"missed, {answered - stored - missed} of workers not back yet; a reader saw "
              f"{len(reader.seen)} in {reader.looks} looks, all are there once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
