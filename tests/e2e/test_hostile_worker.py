#!/usr/bin/env python3
"""test_hostile_worker.py - a compromised worker tries everything; the others' story stays right.

The attack (injected/hostile_worker.c) is loaded into one real php-fpm worker by FFI.  Meanwhile and
afterwards: the collector lives and stays small, honest workers are told completely and truly, and
nothing that the hostile one said about others is believed.
"""
import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from collector_stage import Stage, get_numbered, wait_for  # noqa: E402
from facts import Skip, needs_root  # noqa: E402
from shim_stage import ROOT  # noqa: E402

INJECTED = ROOT / "build/release/tests/e2e/injected/hostile_worker.so"
HOSTILE = '''<?php
$ffi = FFI::cdef("int hostile(const char *socket_path, const char *pages, int ms, int victim);", "%s");
echo getmypid(), " ", $ffi->hostile("%s", "%s", %d, (int) $_GET["victim"]);'''
HONEST = '<?php echo getmypid();'
ATTACK_MS = 3000
RSS_MAX_KIB = 200 * 1024
CONNECTIONS_A_PROCESS = 4


def status_kib(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise AssertionError(field)


def sockets(pid):
    targets = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.append(str(fd.readlink()))
        except OSError:
            pass  # closed meanwhile
    return sum(1 for target in targets if "socket" in target)


class Attack:
    """One hostile worker in a pool of its own beside an honest one, under one collector."""

    def __init__(self, stage):
        self.stage = stage
        stage.collect()
        self.honest = stage.fpm(workers=2, scripts={"hello.php": HONEST})
        script = HOSTILE % (INJECTED, stage.socket, stage.pages, ATTACK_MS)
        self.hostile = stage.fpm(workers=1, scripts={"hostile.php": script})
        self.victims = self.honest.workers()
        get_numbered(self.honest, "before", range(4))
        self.rss_kib = self.sockets = 0
        self.answer = ""

    def run(self):
        uri = f"/hostile.php?victim={self.victims[0]}"
        thread = threading.Thread(target=lambda: setattr(self, "answer", self.hostile.body(uri)))
        thread.start()
        time.sleep(0.3)
        get_numbered(self.honest, "during", range(100))
        while thread.is_alive():
            self.rss_kib = max(self.rss_kib, status_kib(self.stage.collector.pid, "VmRSS"))
            self.sockets = max(self.sockets, sockets(self.stage.collector.pid))
            time.sleep(0.1)
        self.pid, self.sent = (int(word) for word in self.answer.split())
        get_numbered(self.honest, "after", range(20))


def honest_workers_are_told_completely(attack):
    for name, n in (("before", 4), ("during", 100), ("after", 20)):
        wait_for(f"{n} requests {name}", lambda: len(
            attack.stage.requests(f"/hello.php?{name}")) == n)
    by = {row["pid"] for row in attack.stage.events("req") if row["uri"].startswith("/hello.php")}
    assert by == set(attack.victims), (by, attack.victims)


def nothing_it_said_about_others_is_believed(attack):
    for kind in ("exit", "end", "crash"):
        lies = [row for row in attack.stage.events(kind) if row.get("pid") in attack.victims]
        assert not lies, lies[:3]
    kills = [row for row in attack.stage.events("kill") if row["pid"] != attack.pid]
    assert not kills, kills[:3]
    slander = {row["pid"] for row in attack.stage.events("req") if row["uri"].startswith("/slander")}
    assert slander <= {attack.pid}, (slander, attack.pid)
    assert not any(row.get("master") for row in attack.stage.events("kill"))


def the_collector_lives_stays_small_and_counts(attack):
    assert attack.sent > 1000, attack.sent
    assert attack.stage.collector.poll() is None, attack.stage.log.read_text()[-2000:]
    assert attack.rss_kib < RSS_MAX_KIB, attack.rss_kib
    for name in ("damaged_packets", "refused_descriptors", "foreign_packets"):
        assert attack.stage.coverage(name) > 0, name
    assert attack.stage.is_sound()


def it_gets_no_more_connections_than_a_worker_needs(attack):
    most = 2 + len(attack.victims) + 2 + 1 + CONNECTIONS_A_PROCESS + 2
    assert attack.sockets <= most, (attack.sockets, most)
    assert attack.stage.coverage("refused_connections") > 0


def every_reader_still_works(attack):
    for command in ("summary", "routes", "workers", "crashes"):
        run = attack.stage.command(command, "--json")
        assert run.returncode == 0, (command, run.returncode, run.stderr)
        assert "\033" not in run.stdout and "secret=1" not in run.stdout, command
        assert "\033" not in attack.stage.command(command).stdout, command


def its_end_is_told(attack):
    attack.hostile.stop()
    wait_for("its end", lambda: [row for row in attack.stage.events("exit")
                                 if row["pid"] == attack.pid])
    honest_workers_are_told_completely(attack)


FACTS = (honest_workers_are_told_completely, nothing_it_said_about_others_is_believed,
         the_collector_lives_stays_small_and_counts, it_gets_no_more_connections_than_a_worker_needs,
         every_reader_still_works, its_end_is_told)


def main():
    failed = 0
    try:
        needs_root()
    except Skip as why:
        print(f"skip ({why})")
        return 0
    with Stage() as stage:
        attack = Attack(stage)
        attack.run()
        print(f"{attack.sent} hostile packets; collector {attack.rss_kib} KiB, {attack.sockets} sockets")
        for fact in FACTS:
            try:
                fact(attack)
                verdict = "ok  "
            except Exception:
                traceback.print_exc()
                verdict, failed = "FAIL", failed + 1
            print(verdict, fact.__name__.replace("_", " "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
