#!/usr/bin/env python3
"""test_real_leaks.py - leaks that PHP really has, and what only looks like one, on a real php-fpm.

    tests/e2e/test_real_leaks.py                       the quick part: a minute
    FPMSCOPE_SOAK=1 tests/e2e/test_real_leaks.py       1, 4 and 16 workers, more hits, PCRE's cache;
                                                       prints its figures

Requests go to php-fpm's socket directly; names and order are new in each run (the seed is printed).
"""
import os
import random
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import leak_pages   # noqa: E402
import shop         # noqa: E402
import stage        # noqa: E402

SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
SOAK = bool(os.environ.get("FPMSCOPE_SOAK"))
POOLS = (1, 4, 16) if SOAK else (4,)
HEALTHY_PAGES = 20
LEAK_HITS = 200
FRIEND_HITS = 1000 if SOAK else 200
CLEAN_HITS = (20000 if SOAK else 3000) // HEALTHY_PAGES
PCRE_PATTERNS = 4096
RECYCLED_AFTER = 500
# Fine enough that 200 leaks of 80 bytes leave a few samples, which name the library.
INTERVAL_BYTES = 4096
# Per client: a busy machine's collector must keep up, losses are not what is tested here.
PACE_S = 0.004
# What is less per call than glibc's smallest chunk is no leak of every call.
SMALLEST_BYTES = 24


class LeakStage(stage.Stage):
    """A shop of faults, driven over FastCGI; `rows` by fault after drive_all()."""

    def __init__(self, faults, **settings):
        super().__init__(**settings)
        rng = random.Random(SEED)
        self.accept_connections()
        shop.BODIES.update(leak_pages.bodies(self.path("listener")))
        self.pages = leak_pages.pages(rng, list(faults) + ["healthy"] * HEALTHY_PAGES)
        self.docroot = shop.write_shop(self.path("shop"), self.pages)
        self.rng = rng

    def environment(self):
        return dict(super().environment(), FPMSCOPE_INTERVAL_BYTES=str(INTERVAL_BYTES))

    def accept_connections(self):
        """A listener on every loopback address, for pfsockopen(); its port is in a file."""
        self.listener = socket.create_server(("0.0.0.0", 0), backlog=1024)
        with open(self.path("listener"), "w") as out:
            out.write(str(self.listener.getsockname()[1]))

        def accept():
            while True:
                try:
                    self.listener.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()

    def stop(self):
        super().stop()
        self.listener.close()

    def drive_all(self, hits_of):
        """Each page hits_of(fault) times, in random order; seconds that it took."""
        todo = [page.route for page in self.pages for _ in range(hits_of(page.fault))]
        self.rng.shuffle(todo)
        begin = time.monotonic()

        def work():
            while True:
                try:
                    uri = todo.pop()
                except IndexError:
                    return
                next_s = time.monotonic() + PACE_S
                fcgi_client.get(self.path("fpm.sock"), self.docroot + "/index.php", uri)
                time.sleep(max(0, next_s - time.monotonic()))

        pool = [threading.Thread(target=work) for _ in range(min(4, self.settings["workers"]))]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        return time.monotonic() - begin

    def verdicts(self, requests):
        """fault -> row of `summary`, and the rows of healthy pages, when all requests are stored."""
        faults = {page.route: page for page in self.pages}

        def complete():
            self.summary = self.json("summary")
            seen = sum(row["hits"] for row in self.summary["routes"])
            return seen + self.summary["coverage"]["dropped_messages"] >= requests

        stage.wait_for("%d requests in the store" % requests, complete, 30)
        rows, healthy = {}, []
        for row in self.summary["routes"]:
            page = faults.get(row["route"])
            if page and page.fault == "healthy":
                healthy.append(row)
            elif page:
                rows[page.fault] = (page, row)
        return rows, healthy


class RealLeaks(unittest.TestCase):
    """Every leak of leak_pages.REAL that this PHP has, 200 hits each, among 20 healthy pages."""

    @classmethod
    def setUpClass(cls):
        print("seed %d (FPMSCOPE_SEED repeats it)" % SEED, file=sys.stderr)
        cls.runs = {workers: cls.run_pool(workers) for workers in POOLS}

    @classmethod
    def run_pool(cls, workers):
        with LeakStage(leak_pages.REAL, workers=workers, max_requests=RECYCLED_AFTER) as stand:
            measured = {page.fault: leak_pages.usable_bytes_per_call(stand.path("shop"), page)
                        for page in stand.pages if page.fault != "healthy"}
            stand.start()
            seconds = stand.drive_all(lambda fault: LEAK_HITS)
            rows, healthy = stand.verdicts(LEAK_HITS * len(stand.pages))
            if SOAK:
                cls.print_figures(workers, seconds, measured, rows)
            return measured, rows, healthy

    @staticmethod
    def print_figures(workers, seconds, measured, rows):
        print("%d workers, %.0f s" % (workers, seconds), file=sys.stderr)
        for fault, (_, row) in rows.items():
            print("| %s | %.0f | %.0f | %s | %s |" % (fault, measured[fault], row["bytes_per_request"],
                                                     row["verdict"], row["allocated_in"]),
                  file=sys.stderr)

    def each_leak(self):
        for workers, (measured, rows, _) in self.runs.items():
            for fault, (page, row) in rows.items():
                if measured[fault] >= SMALLEST_BYTES:
                    yield fault, page, dict(row, fault=fault, of_workers=workers), measured[fault]

    def test_this_php_has_some_of_the_leaks(self):
        measured = self.runs[POOLS[0]][0]
        gone = [fault for fault, size in measured.items() if size < SMALLEST_BYTES]
        print("skipped: this PHP does not leak in %s" % ", ".join(gone), file=sys.stderr)
        self.assertGreaterEqual(len(measured) - len(gone), 3)  # 8.4 has mended most of 8.2's

    def test_each_is_called_a_leak_within_200_hits(self):
        for _, _, row, _ in self.each_leak():
            self.assertEqual(row["verdict"], "leak", row)
            self.assertLessEqual(row["hits"], LEAK_HITS)

    def test_its_bytes_are_those_that_a_walk_over_the_heap_finds_in_plain_php(self):
        for _, _, row, measured in self.each_leak():
            self.assertAlmostEqual(row["bytes_per_request"], measured, delta=measured * 0.1, msg=row)

    def test_the_library_that_allocated_is_named(self):
        for fault, _, row, _ in self.each_leak():
            self.assertRegex(row["allocated_in"], leak_pages.REAL[fault][0], row)

    def test_the_module_that_called_it_is_blamed(self):
        for _, page, row, _ in self.each_leak():
            self.assertEqual(row["module"], page.module_name, row)

    def test_no_healthy_page_is_suspected(self):
        for _, _, healthy in self.runs.values():
            self.assertEqual(len(healthy), HEALTHY_PAGES)
            for row in healthy:
                self.assertNotIn(row["verdict"], ("leak", "suspect"), row)

    def test_a_page_that_leaks_in_other_php_versions_only_is_not_called_a_leak(self):
        for measured, rows, _ in self.runs.values():
            for fault, (_, row) in rows.items():
                if measured[fault] < SMALLEST_BYTES:
                    self.assertNotEqual(row["verdict"], "leak", row)


class FalseFriends(unittest.TestCase):
    """What keeps memory for a while, or seems to; and thousands of clean requests."""

    def assert_silent(self, faults, hits_of, workers, max_requests):
        with LeakStage(faults, workers=workers, max_requests=max_requests) as stand:
            stand.start()
            seconds = stand.drive_all(hits_of)
            rows, healthy = stand.verdicts(sum(hits_of(page.fault) for page in stand.pages))
            if SOAK:
                print("%d workers: %d clean and %s other requests, %.0f s" % (
                    workers, sum(row["hits"] for row in healthy),
                    sum(row["hits"] for _, row in rows.values()), seconds), file=sys.stderr)
            for row in stand.summary["routes"]:
                self.assertNotEqual(row["verdict"], "leak", row)
            for fault, (_, row) in rows.items():
                with self.subTest(fault=fault, workers=workers):
                    self.assertNotEqual(row["verdict"], "suspect", row)

    def test_false_friends_and_clean_pages_are_no_leaks(self):
        for workers in POOLS:
            self.assert_silent(
                leak_pages.FALSE_FRIENDS,
                lambda fault: CLEAN_HITS if fault == "healthy" else FRIEND_HITS,
                workers, RECYCLED_AFTER)

    @unittest.skipUnless(SOAK, "PCRE's cache takes 4,096 patterns a worker (make soak-leaks)")
    def test_the_cache_of_pcre_is_no_leak_before_it_is_full_nor_after(self):
        for patterns in (PCRE_PATTERNS // 8, PCRE_PATTERNS // 2, PCRE_PATTERNS * 5 // 4):
            self.assert_silent(
                ["pcre_cache"],
                lambda fault: patterns // 40 if fault == "healthy" else patterns,
                1, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
