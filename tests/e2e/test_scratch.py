#!/usr/bin/env python3
"""test_scratch.py - what a killed test leaves behind goes with the next one, what a living one has does not.

    tests/e2e/test_scratch.py [WORD...]     only facts whose names contain a word
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import scratch  # noqa: E402

ELSEWHERE = """
import sys, time
sys.path.insert(0, sys.argv[1])
import scratch
print(scratch.make("there", sys.argv[2]), flush=True)
time.sleep(60)
"""


def a_directory_goes_when_its_test_was_killed_and_not_before():
    with tempfile.TemporaryDirectory() as where:
        other = subprocess.Popen([sys.executable, "-c", ELSEWHERE, Path(__file__).parent, where],
                                 stdout=subprocess.PIPE, text=True)
        there = Path(other.stdout.readline().strip())
        hour_ago = time.time() - 3600
        os.utime(there, (hour_ago, hour_ago))
        scratch.make("here", where)
        assert there.exists()
        other.kill()
        other.wait()
        here = Path(scratch.make("here", where))
        assert not there.exists() and here.exists()


if __name__ == "__main__":
    sys.exit(facts.run(globals(), []))
