#!/usr/bin/env python3
"""soak.py - php-fpm at full load for minutes, with reloads: what grows that should not?

    tests/e2e/soak.py [MINUTES]     default 5; `make soak` (root)

Sixteen workers behind nginx, all pages of the fault matrix, a graceful reload every twenty seconds of
the first half.  Bounds: collector RSS and descriptors, memory of the workers in the second half (against a run without the shim of half
the time), the store's size against its limit, and not one failed request.
"""
import os
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_disturb import reload_once  # noqa: E402
from fault_load import PAGES, drive, right_answers, wrong  # noqa: E402
from fault_matrix import FATAL, PATIENT, Row, Scene  # noqa: E402

RELOAD_EVERY_S, SAMPLE_EVERY_S = 20, 1
COLLECTOR_MAX_KIB = 64 * 1024
WORKER_GROWTH_MAX_KIB = 512
STORE_MAX_MIB = 64
ROW = Row("soak", pool="pm.max_children=16", global_conf=PATIENT,
          collector=("--keep-size", str(STORE_MAX_MIB)))


def memory_kib(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


class Watch(threading.Thread):
    """Once a second: collector's memory and descriptors, workers' memory, the store's size."""

    def __init__(self, scene, seconds, stop):
        super().__init__()
        self.scene, self.half, self.stopped = scene, seconds / 2, stop
        self.collector_kib, self.fds, self.workers_kib, self.store_mib = [], [], [], []
        self.reloads = 0

    def sample(self):
        pid = self.scene.stage.collector.pid
        self.collector_kib.append(memory_kib(pid, "VmRSS"))
        self.fds.append(len(os.listdir(f"/proc/{pid}/fd")))
        self.store_mib.append(sum(path.stat().st_size for path in self.scene.stage.data.iterdir())
                              / 1048576)

    def run(self):
        begin = last_reload = time.monotonic()
        while not self.stopped.wait(SAMPLE_EVERY_S):
            now = time.monotonic()
            try:
                self.sample()
                if now - begin < self.half:
                    if now - last_reload > RELOAD_EVERY_S:
                        last_reload, self.reloads = now, self.reloads + 1
                        reload_once(self.scene)
                elif now - last_reload > 15:  # warm again
                    self.workers_kib.append(statistics.median(
                        memory_kib(pid, "RssAnon") for pid in self.scene.fpm.workers()))
            except OSError:
                pass  # it ended between two looks


def worker_growth_kib(watch):
    """From the first tenth of the quiet half to the last."""
    tenth = max(1, len(watch.workers_kib) // 10)
    return (statistics.median(watch.workers_kib[-tenth:]) -
            statistics.median(watch.workers_kib[:tenth]))


def course(watch):
    """The workers' median memory in each tenth of the quiet half: a plateau, or a slope."""
    tenth = max(1, len(watch.workers_kib) // 10)
    return " ".join(f"{statistics.median(watch.workers_kib[at:at + tenth]):.0f}"
                    for at in range(0, len(watch.workers_kib) - tenth + 1, tenth))


def judge(watch, growth_without, failed, differing, signals):
    growth = worker_growth_kib(watch)
    # A reload doubles connections for a moment; the end is compared with the beginning.
    fds = watch.fds[-1] - watch.fds[2]
    print(f"collector RSS: largest {max(watch.collector_kib)} KiB, last {watch.collector_kib[-1]} KiB")
    print(f"collector descriptors: {watch.fds[2]} at first, largest {max(watch.fds)}, {watch.fds[-1]} at last")
    print(f"workers RssAnon, median, since the last reload: {watch.workers_kib[0]:.0f} KiB to "
          f"{watch.workers_kib[-1]:.0f} KiB, growth {growth:.0f} KiB, without the shim {growth_without:.0f} KiB")
    print(f"  in tenths: {course(watch)}")
    print(f"store: {watch.store_mib[-1]:.1f} MiB, largest {max(watch.store_mib):.1f}, limit {STORE_MAX_MIB} and its log")
    bounds = {"requests failed": failed == 0, "other bytes": differing == 0, "workers died": signals == 0,
              "collector memory": max(watch.collector_kib) < COLLECTOR_MAX_KIB,
              "descriptors": abs(fds) <= 4,
              "worker memory": growth - growth_without < WORKER_GROWTH_MAX_KIB,
              "store": max(watch.store_mib) < 2 * STORE_MAX_MIB}
    return [name for name, holds in bounds.items() if not holds]


def load(scene, minutes):
    """Full load, watched; (watch, answers)."""
    stop = threading.Event()
    watch = Watch(scene, minutes * 60, stop)
    watch.start()
    answers = drive(scene.front.port, PAGES, minutes * 60, threads=8)
    stop.set()
    watch.join()
    return watch, answers


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    if os.geteuid() != 0:
        print("skip: the soak needs root")
        return 0
    with Scene(ROW, False) as scene:  # PHP's own workers grow, too
        without, expected = load(scene, minutes / 2)
        print(f"without the shim: {expected.count()} requests, median {expected.median_ms():.1f} ms, "
              f"workers in tenths: {course(without)}", flush=True)
    with Scene(ROW, True) as scene:
        watch, answers = load(scene, minutes)
        time.sleep(1)
        failed, differing = wrong(answers, right_answers(expected))
        log = scene.fpm.log_text()
        stored = scene.stage.command("export").stdout.count('"e":"req"')
        print(f"{minutes:g} minutes, {answers.count()} requests, {failed} failed, {watch.reloads} reloads, "
              f"{stored} requests in the store, median {answers.median_ms():.1f} ms")
        broken = judge(watch, worker_growth_kib(without), failed, differing,
                       sum(log.count(text) for text in FATAL))
    print("broken: " + ", ".join(broken) if broken else "all bounds hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
