#!/usr/bin/env python3
"""test_compare.py - a deploy that brings a leak: `fpmscope mark`, then `summary --compare`.

The page leaks and the other gets heavy as soon as a file is there, which is the deploy.
"""
import os
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import leak_pages   # noqa: E402
import shop         # noqa: E402
import stage        # noqa: E402

HITS = 200
AFTER_DEPLOY = """
    public function %%(method)s()
    {
        if (is_file('%s')) {
            %s
        }
        return 'done';
    }
"""


class Compare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with stage.Stage(workers=2) as stand:
            deployed = stand.path("tmp/deployed")
            shop.BODIES.update(
                leak_later=AFTER_DEPLOY % (deployed, r"\FFI::new('char[20000]', false, true);"),
                heavy_later=AFTER_DEPLOY % (deployed, "$rows = str_repeat('x', 40 << 20);"))
            pages = leak_pages.pages(random.Random(), ["leak_later", "heavy_later"] + ["healthy"] * 6)
            cls.page = {page.fault: page for page in pages}
            stand.docroot = shop.write_shop(stand.path("shop"), pages)
            stand.start()
            cls.drive(stand, pages)
            time.sleep(1.1)     # a period is told by seconds
            subprocess.run([stand.fpmscope, "mark", "--data", stand.data, "release 2"], check=True,
                           env=stand.environment())
            open(deployed, "w").close()
            cls.drive(stand, pages)
            stage.wait_for("all requests", lambda: sum(
                row["hits"] for row in stand.json("summary")["routes"]) >= 2 * HITS * len(pages))
            cls.summary = stand.json("summary", "--compare", "release 2")
            cls.text = cls.command(stand, "summary", "--compare", "release 2").stdout
            mark_s = cls.summary["compare"]["at_us"] // 1000000
            periods = ("--since", "@%d" % (mark_s + 1), "--compare", "@%d..@%d" % (mark_s - 3600, mark_s))
            cls.periods = stand.json("routes", *periods)
            cls.periods_text = cls.command(stand, "modules", *periods).stdout
            cls.refused = {command: cls.command(stand, command, "--compare", "release 2").returncode
                           for command in ("workers", "crashes")}
            cls.unknown = cls.command(stand, "summary", "--compare", "release 9")

    @staticmethod
    def command(stand, *words):
        return subprocess.run([stand.fpmscope] + list(words), capture_output=True, text=True,
                              env=stand.environment())

    @staticmethod
    def drive(stand, pages):
        uris = [page.route for page in pages for _ in range(HITS)]
        random.shuffle(uris)
        for uri in uris:
            fcgi_client.get(stand.path("fpm.sock"), stand.docroot + "/index.php", uri)

    def test_exactly_what_the_deploy_brought_is_listed(self):
        changes = {(c["change"], c["route"]): c for c in self.summary["compare"]["changes"]}
        leak, heavy = self.page["leak_later"], self.page["heavy_later"]
        self.assertEqual(set(changes), {("new_leak", leak.route), ("more_peak", heavy.route)})
        row = changes["new_leak", leak.route]
        self.assertEqual(row["bytes_per_request_before"], 0)
        self.assertAlmostEqual(row["bytes_per_request_after"], 20000, delta=2000)

    def test_the_leak_began_after_the_mark(self):
        leak = next(row for row in self.summary["routes"] if row["route"] == self.page["leak_later"].route)
        self.assertEqual(leak["began_after"]["name"], "release 2")
        self.assertGreater(leak["began_us"], leak["began_after"]["time_us"])
        self.assertIn("after mark 'release 2'", leak["text"])

    def test_two_periods_compare_like_two_sides_of_a_mark(self):
        compare = self.periods["compare"]
        self.assertIsNone(compare["mark"])
        self.assertLess(compare["before"]["to_us"], compare["after"]["from_us"])
        self.assertIn(("new_leak", self.page["leak_later"].route),
                      {(c["change"], c["route"]) for c in compare["changes"]})
        self.assertIn("; since: ", self.periods_text)

    def test_where_it_means_nothing_it_is_refused(self):
        self.assertEqual(self.refused, {"workers": 2, "crashes": 2})
        self.assertEqual(self.unknown.returncode, 3)
        self.assertIn("no period FROM..TO", self.unknown.stderr)

    def test_people_read_it_too(self):
        self.assertIn("Since the mark 'release 2'", self.text)
        self.assertIn("%s leaks now, and did not before" % self.page["leak_later"].route, self.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
