#!/usr/bin/env python3
"""test_escalation.py - a leak too small for the usual samples gets its stack named, on a real php-fpm.

One page of 21 leaks 480 bytes a request; samples are 64 MiB apart, so that none is ever taken of it.
The collector has to find the route by the ledger alone, ask one worker of four for finer samples of
this route, and stop asking when the stack has a name.
"""
import json
import os
import random
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import leak_pages       # noqa: E402
import stage            # noqa: E402
import test_real_leaks  # noqa: E402

USUAL_BYTES, WISHED_BYTES = 64 << 20, 8192
WISHES_AT = 64      # in the recorder page (include/fpmscope/recorder.h): generation, interval, hash
ROUNDS_MAX, HITS_A_ROUND, PAUSE_S = 25, 100, 0.5
leak_pages.REAL["small_ffi"] = (r"^ffi\.so", r"""
        \FFI::new('char[480]', false, true);""")


class Stand(test_real_leaks.LeakStage):
    def environment(self):
        return dict(super().environment(), FPMSCOPE_INTERVAL_BYTES=str(USUAL_BYTES))

    def samples(self):
        """(pid, uri, interval) of every sampled block that is in the store."""
        out = subprocess.run([self.fpmscope, "export", "--format=events"], env=self.environment(),
                             capture_output=True, text=True, check=True).stdout
        rows = [row for row in map(json.loads, out.splitlines()) if row["e"] in ("req", "smp")]
        uris = {(row["pid"], row["seq"]): row["uri"] for row in rows if row["e"] == "req"}
        return [(row["pid"], uris.get((row["pid"], row["seq"])), row["interval"])
                for row in rows if row["e"] == "smp"]


    def wished_routes(self):
        """The hashes that stand in the workers' recorder pages."""
        hashes = []
        for pid in self.workers():
            for line in stage.text_of("/proc/%d/maps" % pid).splitlines():
                path = line.split(None, 5)[-1]
                if os.path.basename(path).startswith("%d-" % pid):
                    with open(path, "rb") as page:
                        hashes.append(struct.unpack_from("<3Q", page.read(256), WISHES_AT)[2])
        return hashes


class Escalation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        test_real_leaks.SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
        print("seed %d (FPMSCOPE_SEED repeats it)" % test_real_leaks.SEED, file=sys.stderr)
        cls.stand = cls.enterClassContext(Stand(["small_ffi"], workers=4))
        cls.stand.start()
        cls.page = next(page for page in cls.stand.pages if page.fault == "small_ffi")
        cls.rounds = cls.drive_until_named()
        cls.samples = cls.stand.samples()

    @classmethod
    def drive_until_named(cls):
        """Rounds of traffic that it took; verdict and stack are in cls.row."""
        sent, cls.wished = 0, set()
        for rounds in range(1, ROUNDS_MAX + 1):
            cls.stand.drive_all(lambda fault: HITS_A_ROUND if fault == "small_ffi" else HITS_A_ROUND // 4)
            sent += HITS_A_ROUND + test_real_leaks.HEALTHY_PAGES * (HITS_A_ROUND // 4)
            cls.wished.add(sum(hash != 0 for hash in cls.stand.wished_routes()))
            cls.row = cls.stand.verdicts(sent)[0]["small_ffi"][1]
            if cls.row["allocated_in"].startswith("ffi.so"):
                return rounds
            time.sleep(PAUSE_S)     # the collector chooses every two seconds
        return ROUNDS_MAX + 1

    def test_the_route_is_a_leak_of_480_bytes_and_its_library_has_a_name(self):
        self.assertEqual(self.row["verdict"], "leak", self.row)
        self.assertAlmostEqual(self.row["bytes_per_request"], 488, delta=20)
        self.assertLessEqual(self.rounds, ROUNDS_MAX, self.row)
        self.assertRegex(self.row["allocated_in"], r"^ffi\.so")
        self.assertEqual(self.row["module"], self.page.module_name)

    def test_one_worker_of_four_samples_finely_and_only_that_route(self):
        fine = [sample for sample in self.samples if sample[2] < USUAL_BYTES]
        self.assertGreater(len(fine), 0)
        self.assertEqual({uri for _, uri, _ in fine}, {self.page.route})
        # An empty purse doubles the interval of the next request (closeup.h).
        self.assertTrue(all(interval >= WISHED_BYTES for _, _, interval in fine), fine)
        self.assertEqual(len({pid for pid, _, _ in fine}), 1)
        self.assertLessEqual(max(self.wished), 1)

    def test_the_wish_is_over_when_the_stack_has_a_name(self):
        self.assertEqual(len(self.stand.wished_routes()), 4)
        stage.wait_for("the end of the wish", lambda: not any(self.stand.wished_routes()), 15)


if __name__ == "__main__":
    unittest.main(verbosity=2)
