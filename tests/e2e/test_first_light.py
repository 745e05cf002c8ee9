#!/usr/bin/env python3
"""test_first_light.py - the whole way: a real shop with real faults comes out of `summary --json`.

Every route, vendor, module, class and method is renamed at random in each run (the seed is printed),
so that nothing can be recognised by its name.
"""
import os
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shop      # noqa: E402
import stage     # noqa: E402
import terminal  # noqa: E402

SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
HITS = 170
LEAKS = {"leak_ffi": 65536, "leak_libxml": 66117}
DEATHS = {"segfault": ("SIGSEGV", "self", 3), "stack_overflow": ("SIGSEGV", "self", 2),
          "abort": ("SIGABRT", "self", 2), "killed": ("SIGKILL", "outside", 1)}


class FirstLight(unittest.TestCase):
    """One shop, one stretch of traffic, many questions."""

    @classmethod
    def setUpClass(cls):
        rng = random.Random(SEED)
        print("seed %d (FPMSCOPE_SEED repeats it)" % SEED, file=sys.stderr)
        cls.pages = shop.random_pages(rng, extra=("abort",))
        cls.stage = stage.Stage()
        cls.stage.docroot = shop.write_shop(cls.stage.path("shop"), cls.pages)
        cls.stage.start()
        uris = []
        for page in cls.pages:
            n = {"heavy": 12, "memory_limit": 4, "killed": 0}.get(
                page.fault, DEATHS[page.fault][2] if page.fault in DEATHS else HITS)
            uris += [page.route + ("?secret=%d" % rng.randrange(10 ** 9) if i % 3 else "")
                     for i in range(n)]
        rng.shuffle(uris)
        cls.answers = cls.stage.drive(uris)
        cls.victim_pid, cls.victim_status = cls.stage.kill_victim(cls.page("killed").route)
        time.sleep(2)
        cls.summary = cls.stage.json("summary")

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()
        cls.stage.__exit__()

    @classmethod
    def page(cls, fault):
        return next(page for page in cls.pages if page.fault == fault)

    def route(self, page):
        rows = [row for row in self.summary["routes"] if row["route"] == page.route]
        self.assertEqual(len(rows), 1, "%s is one row of %s" %
                         (page.route, [r["route"] for r in self.summary["routes"]]))
        return rows[0]

    def test_lines_fit_the_terminal(self):
        for words in (["routes"], ["modules"], ["workers"], ["crashes"], ["summary"], ["502"], ["502", "--all"],
                      ["doctor", "--all"]):
            for columns in (80, 100, 160):
                _, text = terminal.on_terminal([self.stage.fpmscope, *words], columns, self.stage.environment())
                self.assertGreater(len(text.splitlines()), 2, text)
                for line in text.splitlines():
                    self.assertLessEqual(terminal.width_of(line), columns, (words, columns, line))

    def test_a_pipe_gets_whole_tables(self):
        for name in ("routes", "modules", "workers", "crashes"):
            command = [self.stage.fpmscope, name]
            piped = subprocess.run(command, env=self.stage.environment(), capture_output=True, text=True,
                                   check=True)
            self.assertEqual({line.count("\t") for line in piped.stdout.splitlines()},
                             {{"routes": 8, "modules": 10, "workers": 7, "crashes": 8}[name]})
            self.assertNotIn("...", piped.stdout)

    def test_each_leak_is_called_a_leak_with_its_bytes_and_its_module(self):
        for fault, expected_bytes in LEAKS.items():
            page = self.page(fault)
            row = self.route(page)
            self.assertEqual(row["verdict"], "leak", row)
            self.assertAlmostEqual(row["bytes_per_request"], expected_bytes,
                                   delta=expected_bytes * 0.1)
            self.assertEqual(row["module"], page.module_name)
            self.assertIn(page.module_name, row["text"])

    def test_the_library_that_allocated_is_named(self):
        self.assertRegex(self.route(self.page("leak_libxml"))["allocated_in"], r"^libxml2\.so")
        self.assertRegex(self.route(self.page("leak_ffi"))["allocated_in"], r"ffi\.so|php-fpm")

    def test_the_module_is_blamed_beside_the_library_that_allocated_for_it(self):
        for fault in LEAKS:
            page = self.page(fault)
            module = next(m for m in self.summary["modules"] if m["module"] == page.module_name)
            self.assertEqual(module["allocated_in"], [self.route(page)["allocated_in"]])

    def test_nobody_else_is_called_a_leak(self):
        leaking = {self.page(fault).route for fault in LEAKS}
        named = {row["route"] for row in self.summary["routes"] if row["verdict"] == "leak"}
        self.assertEqual(named, leaking)

    def test_the_heavy_page_is_heavy_and_its_module_named(self):
        page = self.page("heavy")
        row = self.route(page)
        self.assertEqual(row["verdict"], "peak", row)
        self.assertEqual(row["module"], page.module_name)
        self.assertGreater(row["peak_bytes"], 50 << 20)
        module = next(m for m in self.summary["modules"] if m["module"] == page.module_name)
        self.assertGreater(module["held_at_peak_bytes"], 40 << 20)
        self.assertLessEqual(module["held_at_peak_bytes"], row["peak_bytes"])

    def test_healthy_pages_are_not_notable(self):
        for page in self.pages:
            if page.fault == "healthy":
                self.assertNotIn(self.route(page)["verdict"], ("leak", "suspect", "peak"))

    def test_every_death_is_tied_to_its_route_module_and_signal(self):
        for fault, (signal_name, killer, count) in DEATHS.items():
            page = self.page(fault)
            rows = [c for c in self.summary["crashes"] if c["route"] == page.route]
            self.assertEqual(len(rows), count, (fault, rows))
            for row in rows:
                self.assertEqual(row["signal"], signal_name)
                self.assertEqual(row["killer"], killer)
                self.assertEqual(row["client_status"], 502)
                self.assertEqual(row["stack_overflow"], fault == "stack_overflow")
                self.assertEqual(row["method"], "GET")
                if fault != "killed":
                    self.assertEqual(row["module"], page.module_name, row)
                    self.assertTrue(row["native_stack"], row)
        self.assertEqual(len(self.summary["crashes"]), sum(d[2] for d in DEATHS.values()))

    def test_the_faulting_library_of_a_segfault_is_named_with_its_offset(self):
        page = self.page("segfault")
        row = next(c for c in self.summary["crashes"] if c["route"] == page.route)
        self.assertRegex(row["faulting"], r"^libc\.so\.6\+0x[0-9a-f]+$")
        self.assertTrue(any("ffi" in frame for frame in row["native_stack"]), row["native_stack"])

    def test_the_victim_of_sigkill_is_the_one_that_was_killed(self):
        row = next(c for c in self.summary["crashes"] if c["signal"] == "SIGKILL")
        self.assertEqual(row["pid"], self.victim_pid)
        self.assertEqual(self.victim_status, 502)

    def test_every_502_has_its_cause_and_its_worker(self):
        report = self.stage.json("502", "--all")
        deaths = {c["pid"]: c for c in self.summary["crashes"]}
        rows = [row for row in report["rows"] if row["client_status"] == 502]
        self.assertEqual(len(rows), sum(1 for _, status in self.answers if status == 502) + 1)
        for row in rows:
            self.assertIn(row["verdict"], ("worker_crash", "worker_killed"), row)
            self.assertEqual(row["join"], "exact", row)
            self.assertEqual(len(row["pids"]), 1, row)
            self.assertIn(row["pids"][0], deaths)

    def test_memory_limit_is_said_to_be_memory_limit(self):
        page = self.page("memory_limit")
        self.assertEqual(self.summary["gateway"]["count_by_verdict"].get("php_memory_limit"), 4)
        self.assertEqual(self.route(page)["errors"], 4)

    def test_values_of_query_strings_are_nowhere_in_the_store(self):
        for folder, _, names in os.walk(self.stage.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as data:
                    self.assertNotRegex(data.read(), rb"secret=[0-9]{3}", name)

    def test_workers_are_listed_with_their_memory(self):
        rows = self.stage.json("workers")["workers"]
        self.assertEqual({row["pid"] for row in rows}, set(self.stage.workers()))
        for row in rows:
            self.assertEqual(row["pool"], "www")
            self.assertGreater(row["rss_kib"], 5000)

    def test_the_parts_print_what_the_summary_prints(self):
        for part in ("routes", "modules", "crashes"):
            self.assertEqual(len(self.stage.json(part)[part]), len(self.summary[part]), part)


if __name__ == "__main__":
    unittest.main(verbosity=2)
