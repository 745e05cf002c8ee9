#!/usr/bin/env python3
"""Simulates crashes among equal requests and counts how `fpmscope 502` ties dead workers to access lines.

    joins.py FPMSCOPE [--rounds 120] [--seeds 6]

Each round has either a few requests with URIs of their own, one of which crashes, or 8 to 12 POSTs of one URI from three
addresses, of which some crash, spread out or together.  nginx writes a line some milliseconds after the crash (--lag MEAN:MAX,
default several).  Exit status 1 when a row names a worker of another request, or an ambiguous row does not name its own.
"""
import argparse, collections, datetime, json, os, random, subprocess, sys, tempfile

START = 1795326000.0
LAGS = ((3, 30), (20, 200), (80, 800), (250, 2500))


def utc(t):
    return datetime.datetime.fromtimestamp(int(t), datetime.timezone.utc)


class Traffic:
    """Events, access lines and error lines of one simulated hour."""

    def __init__(self, seed, rounds, lag, ids, ms):
        self.rnd, self.lag, self.ids, self.ms = random.Random(seed), lag, ids, ms
        self.events, self.access, self.errors, self.number = [], [], [], 0
        t = START
        for n in range(rounds):
            self.round(t, n)
            t += self.rnd.uniform(3, 8)

    def round(self, t, n):
        shared = self.rnd.random() < 1 / 3
        count = self.rnd.randint(8, 12) if shared else self.rnd.randint(1, 6)
        crashing = set(self.rnd.sample(range(count), self.rnd.randint(1, count) if shared else 1))
        together = self.rnd.random() < .5
        for i in range(count):
            begin = t + self.rnd.random() * (.3 if shared else 2)
            r = {"begin": begin, "php": begin + self.rnd.uniform(.0003, .006), "shared": shared,
                 "uri": "/checkout/cart/add/" if shared else "/p%d-%d.html" % (n, i),
                 "ip": "203.0.113.%d" % self.rnd.randint(1, 3), "crashed": i in crashing}
            self.number += 1
            r["pid"], r["id"] = 1000 + self.number, "%032x" % self.number
            self.event(r["php"], e="beg", pid=r["pid"], seq=1, method="POST", uri=r["uri"], host="h", ip=r["ip"], rid=r["id"], ua="x", port="443")
            self.crash(r, t + 2.5 + self.rnd.random() * .3 if together else r["php"] + .2 + self.rnd.random() * 2) if r["crashed"] else self.finish(r)

    def event(self, t, **fields):
        self.events.append((t, dict(fields, ts=int(t * 1e6))))

    def crash(self, r, t):
        self.event(t, e="crash", pid=r["pid"], seq=1, sig=11, code=1, addr="(nil)", ip="0x1", inreq=True, sent=False)
        self.event(t + .003, e="exit", pid=r["pid"], master=1, sig=11)
        mean, most = self.lag
        end = t + min(most, .5 + self.rnd.expovariate(1 / mean)) / 1000
        self.errors.append((end, '%s [error] 9#9: *%d recv() failed (104: Connection reset by peer) while reading response header from upstream, client: %s, server: h, '
                            'request: "POST %s HTTP/1.1", upstream: "fastcgi://unix:/run/x.sock:", host: "h"' % (utc(end).strftime("%Y/%m/%d %H:%M:%S"), self.number, r["ip"], r["uri"])))
        self.line(r, end, 502)

    def finish(self, r):
        t = r["php"] + .2 + self.rnd.random() * 2.2
        self.event(t, e="rsp", pid=r["pid"], seq=1, st=200)
        self.event(t + .0005, e="req", pid=r["pid"], seq=1)
        self.event(t + .01, e="exit", pid=r["pid"], master=1, code=0)
        self.line(r, t + .001, 200)

    def line(self, r, end, status):
        fields = {"time": utc(end).strftime("%Y-%m-%dT%H:%M:%S+00:00"), "remote_addr": r["ip"], "host": "h", "request": "POST %s HTTP/1.1" % r["uri"],
                  "status": str(status), "user_agent": "x", "request_time": "%.3f" % (end - r["begin"]), "handler": "phpfpm", "port": "443"}
        if self.ms:
            fields["msec"] = "%.3f" % end
        if self.ids:
            fields["request_id"] = r["id"]
        self.access.append((end, json.dumps(fields), r))

    def write(self, folder):
        """The three logs; returns the request behind each offset of the access log."""
        key = lambda entry: entry[0]
        with open(os.path.join(folder, "events.jsonl"), "w") as f:
            f.write('{"e":"hdr","v":1,"trace":"joins","clock":"unix"}\n')
            f.writelines(json.dumps(e) + "\n" for _, e in sorted(self.events, key=key))
        with open(os.path.join(folder, "error.log"), "w") as f:
            f.writelines(text + "\n" for _, text in sorted(self.errors, key=key))
        at, where = 0, {}
        with open(os.path.join(folder, "access.log"), "w") as f:
            for _, text, r in sorted(self.access, key=key):
                f.write(text + "\n")
                where[at] = r
                at += len(text) + 1
        return where


def judge(tool, traffic, count):
    with tempfile.TemporaryDirectory() as folder:
        where = traffic.write(folder)
        run = subprocess.run([tool, "502", "--json", "--all", "access.log", "error.log", "events.jsonl"], cwd=folder, capture_output=True)
    rows = json.loads(run.stdout)["rows"]
    count["crashes"] += sum(r["crashed"] for r in where.values())
    count["rows"] += len(rows)
    for row in rows:
        r = where[next(l["offset"] for l in row["lines"] if l["file"].endswith("access.log"))]
        kind = "shared" if r["shared"] else "own"
        if row["join"] == "ambiguous":
            count["ambiguous"] += 1
            count["wrong"] += r["pid"] not in row["pids"]
        else:
            right = row["pids"] == [r["pid"]]
            count["right, " + kind] += right
            count["wrong"] += not right


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("fpmscope")
    ap.add_argument("--rounds", type=int, default=120)
    ap.add_argument("--seeds", type=int, default=6)
    ap.add_argument("--lag", help="MEAN:MAX in ms")
    a = ap.parse_args()
    tool, bad = os.path.abspath(a.fpmscope), 0
    for lag in [tuple(map(float, a.lag.split(":")))] if a.lag else LAGS:
        for name, ids, ms in (("1 s", False, False), ("ms", False, True), ("id", True, True)):
            count = collections.Counter({"wrong": 0, "ambiguous": 0})
            for seed in range(1, a.seeds + 1):
                judge(tool, Traffic(seed, a.rounds, lag, ids, ms), count)
            print("lag %g to %g ms, %-3s %s" % (*lag, name, ", ".join("%s %d" % kv for kv in sorted(count.items()))))
            bad += count["wrong"] + (count["rows"] != count["crashes"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
