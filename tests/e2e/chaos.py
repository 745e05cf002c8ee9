#!/usr/bin/env python3
"""chaos.py - kill workers by the hundred under load, and count what fpmscope ties to what.

    chaos.py [--deaths 1000] [--seed N]

Half of the deaths with a request id in access log and FastCGI parameters, half with the stock log and
none.  A third of them while 8 to 12 POSTs of one URI from three addresses are in flight.  Workers
crash (SIGSEGV, stack overflow, SIGABRT) or are shot from outside (SIGKILL).

The truth is apart from all that fpmscope reads: each request carries a token in a header that only
the page and a second access log note; the page writes token and pid into a file before it dies.
"""
import argparse
import collections
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage          # noqa: E402
import varnish_stage  # noqa: E402

SHARED_URI = "/checkout/cart/add/"
TOLD_WITHIN_S = 1.0
KINDS = {"segv": "SIGSEGV", "overflow": "SIGSEGV", "abort": "SIGABRT", "shot": "SIGKILL"}
WEIGHTS = (5, 1, 2, 2)


class Request:
    """One request of a round: what it asks for, and what became of it."""

    def __init__(self, token, method, uri, client, fault, after_ms):
        self.token, self.method, self.uri, self.client = token, method, uri, client
        self.fault, self.after_ms = fault, after_ms
        self.status, self.pid, self.over = None, None, None

    @property
    def dies(self):
        return self.fault != "wait"

    @property
    def shared(self):
        return self.uri == SHARED_URI

    def send(self, owner):
        page = "wait" if self.fault == "shot" else self.fault
        wait_ms = 20000 if self.fault == "shot" else self.after_ms
        try:
            self.status = owner.get(
                self.uri, method=self.method, body="qty=1" if self.method == "POST" else None,
                headers={"X-Chaos": "/%s/%s/%d" % (page, self.token, wait_ms), "User-Agent": "visitor"},
                client=self.client)[0]
        except OSError:
            self.status = 0
        self.over = time.time()

    def shoot(self, owner):
        """As the operator with `kill -9`: the page is at work, then gone."""
        pid = owner.pid_of(self.token)
        time.sleep(self.after_ms / 1000)
        os.kill(pid, signal.SIGKILL)

    def learn_pid(self, owner):
        """Whoever serves it says so before anything else."""
        self.pid = owner.pid_of(self.token)


class Rounds:
    """Makes rounds of requests until enough of them died."""

    def __init__(self, rng, deaths):
        self.rng, self.wanted, self.requests = rng, deaths, []

    def deaths(self, shared=None):
        return [r for r in self.requests if r.dies and shared in (None, r.shared)]

    def next(self):
        """The requests of the next round, or None.  Shared rounds keep their third."""
        missing = self.wanted - len(self.deaths())
        if missing <= 0:
            return None
        shared_missing = (self.wanted + 2) // 3 - len(self.deaths(shared=True))
        shared = shared_missing > 0 and self.rng.random() < shared_missing / missing
        members = self.crowd(shared_missing) if shared else self.few(missing - max(0, shared_missing))
        self.requests += members
        return members

    def make(self, method, uri, dies, after_ms):
        fault = self.rng.choices(list(KINDS), WEIGHTS)[0] if dies else "wait"
        client = "127.0.0.%d" % self.rng.randint(2, 4)
        return Request("t%06d" % self.rng.randrange(10 ** 6) + "-%d" % len(self.requests), method, uri,
                       client, fault, after_ms)

    def crowd(self, most):
        """Equal requests; some die, together or one after the other."""
        count = self.rng.randint(8, 12)
        dying = set(self.rng.sample(range(count), self.rng.randint(1, min(count, most))))
        together = self.rng.random() < 0.5
        members = []
        for i in range(count):
            after_ms = 500 + self.rng.randint(0, 30 if together else 800)
            if i not in dying:
                after_ms = 1000 + self.rng.randint(0, 600)
            members.append(self.make("POST", SHARED_URI, i in dying, after_ms))
        return members

    def few(self, most):
        """Requests with URIs of their own; each of them may die."""
        return [self.make("GET", "/product/%d.html" % self.rng.randrange(10 ** 9), i < most,
                          self.rng.randint(0, 300)) for i in range(self.rng.randint(1, 6))]


class Watch(threading.Thread):
    """Looks into the store every few milliseconds: when was each death tied to its request (the worker's
    end, by its pidfd, and the request that it was in), when was its report complete (native stacks, and
    the signal, which php-fpm's master tells when it gets to waitpid)?  Commands are asked as well, but to
    start one takes as long as what is measured here.  Pids come round, so that only what happened since
    the round began counts."""

    def __init__(self, path, dead):
        super().__init__(daemon=True)
        self.path, self.dead, self.tied_s, self.complete_s = path, list(dead), {}, {}
        self.from_key = int(time.time() * 1e6) * 1024

    def run(self):
        store = sqlite3.connect("file:%s?mode=ro" % self.path, uri=True)
        end = time.time() + 30
        while len(self.complete_s) < len(self.dead) and time.time() < end:
            for request in self.dead:
                if request.pid and request.over:
                    self.look(store, request)
            time.sleep(0.02)
        store.close()

    def look(self, store, request):
        after_s = max(0.0, time.time() - request.over)
        ended = self.has(store, "exit", request)
        if request not in self.tied_s and (ended or self.has(store, "end", request)) and self.has(
                store, "beg", request, " AND uri = ? AND method = ?", request.uri, request.method):
            self.tied_s[request] = after_s
        if request in self.tied_s and request not in self.complete_s and ended and (
                request.fault == "shot" or self.has(store, "crash", request)):
            self.complete_s[request] = after_s

    def has(self, store, kind, request, where="", *values):
        try:
            return store.execute("SELECT 1 FROM event_%s WHERE pid = ? AND at > ?%s" % (kind, where),
                                 (request.pid, self.from_key) + values).fetchone()
        except sqlite3.OperationalError:  # no such event yet: no such column
            return None

    def late(self):
        return [r for r in self.dead if self.tied_s.get(r, 30) > TOLD_WITHIN_S]


def milliseconds(seconds):
    """Median, 99th percentile and maximum."""
    ordered = sorted(seconds)
    if not ordered:
        return "-"
    return " / ".join("%.0f" % (1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))])
                      for share in (0.5, 0.99, 1))


class Chaos:
    """Runs the rounds on a stage and holds what fpmscope says against the truth."""

    def __init__(self, deaths, with_ids, rng):
        self.with_ids, self.rounds = with_ids, Rounds(rng, deaths)
        self.late, self.untied, self.tied_s, self.complete_s, self.notes = [], [], [], [], []
        self.counts = collections.Counter()
        self.wrong = []

    def run(self):
        with varnish_stage.VarnishStage(workers=20, varnish=False, request_id=self.with_ids,
                                        log_format="with_id" if self.with_ids else "stock") as owner:
            owner.start()
            with varnish_stage.Background(owner, through_varnish=False, pause_s=0.03) as self.visitors:
                while True:
                    members = self.rounds.next()
                    if members is None:
                        break
                    self.play(owner, members)
            time.sleep(1.5)
            self.judge_lines(owner)
        return self

    def play(self, owner, members):
        began = time.time()
        threads = [threading.Thread(target=r.send, args=(owner,)) for r in members]
        threads += [threading.Thread(target=r.shoot, args=(owner,)) for r in members
                    if r.fault == "shot"]
        threads += [threading.Thread(target=r.learn_pid, args=(owner,)) for r in members]
        watch = Watch(os.path.join(owner.data, "fpmscope.db"), [r for r in members if r.dies])
        for thread in threads:
            thread.start()
        watch.start()
        for thread in threads:
            thread.join()
        for request in members:
            if request.dies:
                assert request.status == 502, (request.fault, request.status)
        watch.join()
        self.tied_s += watch.tied_s.values()
        self.complete_s += watch.complete_s.values()
        self.late += watch.late()
        untied = self.not_tied(owner, [r for r in members if r.dies], began)
        self.untied += untied
        self.notes += [self.what_is_known(owner, r, began) for r in set(untied + watch.late())]

    @staticmethod
    def what_is_known(owner, request, began):
        """For whoever has to find out why: all that the store has of that worker."""
        with sqlite3.connect("file:%s?mode=ro" % os.path.join(owner.data, "fpmscope.db"), uri=True) as db:
            tables = [name for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'event_%'")]
            known = []
            for table in tables:
                columns = [column[1] for column in db.execute("PRAGMA table_info(%s)" % table)]
                for key in {"pid", "child", "target"} & set(columns):
                    known += [(table, dict(zip(columns, row))) for row in db.execute(
                        "SELECT * FROM %s WHERE %s = ? AND at > ?" % (table, key),
                        (request.pid, int(began * 1e6) * 1024 - (20 << 40)))]
        return (request.fault, request.pid, request.uri, request.after_ms, request.over, known)

    @staticmethod
    def not_tied(owner, dead, began):
        """Those whose pid is not told with the request that it served and the signal that it got."""
        told = {row["pid"]: row for row in
                owner.json("crashes", "--since", "@%d" % (int(began) - 1))["crashes"]}
        return [r for r in dead
                if (told.get(r.pid, {}).get("uri"), told.get(r.pid, {}).get("method"),
                    told.get(r.pid, {}).get("signal")) != (r.uri, r.method, KINDS[r.fault])]

    def judge_lines(self, owner):
        """Each row of `502 --all` by its access lines: was that request served by that worker?"""
        by_token = {r.token: r for r in self.rounds.requests}
        tokens = [json.loads(line)["chaos"].split("/") for line in
                  stage.text_of(owner.path("truth.log")).splitlines()]
        at, offset = {}, 0
        with open(owner.path("access.log"), "rb") as log:
            for number, line in enumerate(log):
                token = tokens[number][2] if len(tokens[number]) > 2 else None
                at[offset] = by_token.get(token)
                offset += len(line)
        seen = set()
        for row in owner.json("502", "--all")["rows"]:
            for line in row["lines"]:
                if line["file"].endswith("/access.log"):
                    self.judge_row(row, at[line["offset"]], seen)
        for request in self.rounds.deaths():
            if request.token not in seen:
                self.count(request, "missing")

    def judge_row(self, row, request, seen):
        if request is None or not request.dies:
            if row["pids"] and row["join"] != "ambiguous":
                self.wrong.append((row, request and request.pid))
            return
        seen.add(request.token)
        if row["join"] == "ambiguous":
            self.count(request, "ambiguous" if request.pid in row["pids"] else "wrong")
        else:
            self.count(request, "right" if row["pids"] == [request.pid] else
                       "wrong" if row["pids"] else "missing")
        if row["pids"] and request.pid not in row["pids"]:
            self.wrong.append((row, request.pid))

    def count(self, request, what):
        self.counts["shared" if request.shared else "own", what] += 1

    def share(self, what, where=("own", "shared")):
        total = sum(n for (place, _), n in self.counts.items() if place in where)
        return sum(self.counts[place, what] for place in where) / total if total else 0.0

    def line(self):
        """The row of RELIABILITY.md."""
        deaths = self.rounds.deaths()
        return "| %s | %d (%d) | %s | %s | %d | %d | %.3f | %.3f | %.3f | %d | %d |" % (
            "yes" if self.with_ids else "no", len(deaths), len(self.rounds.deaths(shared=True)),
            milliseconds(self.tied_s), milliseconds(self.complete_s), len(self.late),
            len(self.untied), self.share("right", ("own",)),
            self.share("right", ("shared",)), self.share("ambiguous"), len(self.wrong),
            sum(self.visitors.answers.values()))

    def complaints(self):
        """What breaks a promise; empty when all is well."""
        found = []
        if self.late:
            found.append("not tied within a second: %s" % [(r.fault, r.uri) for r in self.late[:5]])
        found += ["the store knows of it: %s" % (note,) for note in self.notes]
        if self.untied:
            found.append("never tied: %s" % [(r.fault, r.pid, r.uri) for r in self.untied[:5]])
        if self.wrong:
            found.append("wrong links: %s" % self.wrong[:3])
        if self.with_ids and self.share("right") < 0.99:
            found.append("with ids only %.3f right: %s" % (self.share("right"), dict(self.counts)))
        if not self.with_ids and self.share("right", ("own",)) < 0.95:
            found.append("own URIs only %.3f right: %s" % (self.share("right", ("own",)),
                                                         dict(self.counts)))
        if set(self.visitors.answers) - {200}:
            found.append("visitors of healthy pages saw %s" % self.visitors.answers)
        return found


HEAD = """| request id | deaths (of them shared) | tied after, ms | report complete, ms | tied after 1 s | never tied | right, own URI | right, shared URI | ambiguous | wrong | visitors |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deaths", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print("seed %d" % options.seed, file=sys.stderr)
    print(HEAD)
    bad = False
    for with_ids in (True, False):
        chaos = Chaos(options.deaths // 2, with_ids, random.Random(options.seed + with_ids)).run()
        print(chaos.line(), flush=True)
        for complaint in chaos.complaints():
            print(complaint, file=sys.stderr)
            bad = True
    sys.exit(bad)


if __name__ == "__main__":
    main()
