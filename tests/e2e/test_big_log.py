#!/usr/bin/env python3
"""test_big_log.py - `fpmscope 502` takes no more memory for a larger log (big_log.py makes them; 10 GB by
`make big-log`).  FPMSCOPE_BIG_LOG_GB is the size, 0.2 here."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import big_log  # noqa: E402

FPMSCOPE = os.path.join(big_log.ROOT, "build", "fpmscope")
SIZE_GB = float(os.environ.get("FPMSCOPE_BIG_LOG_GB", "0.2"))
SLACK_MIB = 8  # what failures are kept, a hundred a block


class BigLog(unittest.TestCase):
    def test_memory_does_not_follow_the_size(self):
        for as_files in (False, True):
            small = big_log.measure(FPMSCOPE, SIZE_GB / 3, 0.001, as_files)
            large = big_log.measure(FPMSCOPE, SIZE_GB, 0.001, as_files)
            self.assertEqual((small[0], large[0]), (0, 0))
            self.assertGreater(small[2], 1)
            self.assertLess(large[2], small[2] + SLACK_MIB, (small, large))
            self.assertLess(large[2], 64)


if __name__ == "__main__":
    unittest.main(verbosity=2)
