#!/usr/bin/env python3
"""test_chaos.py - sixty deaths under load, a third of them in a crowd of equal requests (chaos.py)."""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chaos  # noqa: E402

SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
DEATHS = 30


class SixtyDeaths(unittest.TestCase):
    """Both halves: with a request id, and without."""

    def play(self, with_ids):
        print("seed %d (FPMSCOPE_SEED repeats it)" % SEED, file=sys.stderr)
        played = chaos.Chaos(DEATHS, with_ids, random.Random(SEED)).run()
        print(chaos.HEAD + "\n" + played.line(), file=sys.stderr)
        self.assertEqual(len(played.rounds.deaths()), DEATHS)
        self.assertEqual(played.complaints(), [])

    def test_with_request_ids_every_death_has_its_request_and_its_line(self):
        self.play(True)

    def test_without_ids_no_death_is_given_to_another_request(self):
        self.play(False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
