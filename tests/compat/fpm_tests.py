#!/usr/bin/env python3
"""fpm_tests.py - the tests that PHP has for FPM, with and without the shim: the same results?

    tests/compat/fpm_tests.py DIRECTORY [WORD...]     `make fpm-tests`

As root and as nobody, each time plain, with the shim alone, and with the shim and a collector.  A test
that ends otherwise with the shim is run again alone, both ways; it counts when it is worse each time.
WORDs choose tests by name.  Exit status 1 when one is; what cannot be had here is skipped aloud.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHIM, FPMSCOPE = ROOT / "build/libfpmscope.so", ROOT / "build/fpmscope"
PHP, PHP_FPM = shutil.which("php8.2"), "/usr/sbin/php-fpm8.2"
AGAIN = 3
BADNESS = {"PASSED": 0, "WARNED": 1, "SKIPPED": 2, "FAILED": 3}  # anything else is worse
WAYS = ("plain", "shim", "shim and collector")
USERS = {"root": (0, 0), "nobody": (65534, 65534)}


class Run:
    """One user's copy of the tests; `way` says what php-fpm gets preloaded, and who listens."""

    def __init__(self, source, user, way):
        self.uid, self.gid = USERS[user]
        self.user, self.way = user, way
        self.dir = Path(tempfile.mkdtemp(prefix="fpmscope-fpm-"))
        self.tests = self.dir / "php"
        shutil.copytree(source, self.tests)
        self._write_launcher()
        for path in [self.dir, *self.dir.rglob("*")]:
            os.chown(path, self.uid, self.gid)

    def __enter__(self):
        self.collector = None
        if self.way == "shim and collector":
            self.collector = subprocess.Popen(
                [FPMSCOPE, "collect", "--socket", self.dir / "c.sock", "--data", self.dir / "data"],
                user=self.uid, group=self.gid, extra_groups=[], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=self._environment())
            end = time.monotonic() + 10
            while not (self.dir / "c.sock").exists():
                assert time.monotonic() < end, "the collector does not listen"
                time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self.collector:
            self.collector.send_signal(signal.SIGTERM)
            self.collector.wait(15)
        shutil.rmtree(self.dir)

    def _write_launcher(self):
        """The tests look for sapi/fpm/php-fpm; it gets the preload, PHP's own CLI does not."""
        launcher = self.tests / "sapi/fpm/php-fpm"
        preload = f"LD_PRELOAD={SHIM} FPMSCOPE_SOCKET={self.dir}/c.sock" if self.way != "plain" else ""
        launcher.write_text(f'#!/bin/sh\n{preload} exec {PHP_FPM} -n "$@"\n')
        launcher.chmod(0o755)

    def _environment(self):
        env = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        env.update(NO_INTERACTION="1", TEST_PHP_EXECUTABLE=PHP, TMPDIR=str(self.dir), HOME=str(self.dir),
                   FPM_RUN_RESOURCE_HEAVY_TESTS="1", RUN_RESOURCE_HEAVY_TESTS="1")
        if self.uid == 0:
            env["TEST_FPM_RUN_AS_ROOT"] = "1"
        return env

    def results(self, names):
        """Test -> PASSED, FAILED, SKIPPED, WARNED, ..."""
        table = self.dir / "results"
        subprocess.run([PHP, "-n", "run-tests.php", "-q", "-n", "-d", "extension=posix", "-W", table,
                        *(f"sapi/fpm/tests/{name}" for name in names)], cwd=self.tests,
                       env=self._environment(), user=self.uid, group=self.gid, extra_groups=[],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                       timeout=1800, check=False)
        rows = (line.split("\t", 1) for line in table.read_text().splitlines())
        return {Path(path).name: result for result, path in rows}

    def requests(self):
        """What the collector stored of it all; the proof that the shim was there."""
        run = subprocess.run([FPMSCOPE, "export", "--data", self.dir / "data"], capture_output=True,
                             text=True, check=False)
        return run.stdout.count('"e":"req"')


def run(source, user, way, names):
    with Run(source, user, way) as here:
        results = here.results(names)
        return results, here.requests() if here.collector else 0


def is_worse_each_time(source, user, way, name):
    """Its best result is worse than the worst without the shim: some tests fail now and then anyway."""
    plain, here = ([BADNESS.get(run(source, user, each, [name])[0].get(name), len(BADNESS)) for _ in range(AGAIN)]
                   for each in ("plain", way))
    return min(here) > max(plain)


def compare(source, user, names):
    """Print a line for each way; the tests that end worse."""
    plain, found = None, []
    for way in WAYS:
        results, stored = run(source, user, way, names)
        plain = plain or results
        other = [name for name in sorted(plain) if results.get(name) != plain[name]]
        real = [name for name in other if is_worse_each_time(source, user, way, name)]
        counts = ", ".join(f"{n} {what.lower()}" for what, n in sorted(Counter(results.values()).items()))
        print(f"  FPM     {user:6} {way:18} {counts}" + (f"; {stored} requests stored" if stored else ""),
              flush=True)
        for name in other:
            print(f"          {name}: {plain[name]} plain, {results.get(name)} here" +
                  ("" if name in real else "; not again"), flush=True)
        found += [(user, way, name) for name in real]
        if way == "shim and collector" and len(names) > 20 and not stored:
            found.append((user, way, "nothing was stored"))
    return found, plain


def main():
    if not PHP or not Path(PHP_FPM).exists() or os.geteuid() != 0:
        print("  SKIP    PHP's own FPM tests: they need root, php8.2 and php-fpm8.2")
        return 0
    made = subprocess.run([HERE / "fpm-source", sys.argv[1]], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        print("  SKIP    PHP's own FPM tests: apt has no source of php8.2 here")
        return 0
    source = Path(made.stdout.strip())
    names = sorted(path.name for path in (source / "sapi/fpm/tests").glob("*.phpt")
                   if all(word in path.name for word in sys.argv[2:]))
    differing = []
    for user in USERS:
        found, plain = compare(source, user, names)
        differing += found
        for name in sorted(name for name, result in plain.items() if result == "FAILED"):
            print(f"          {name} fails without the shim, too")
    print(f"fpm-tests: {len(names)} tests, {len(differing)} end worse with the shim"
          + "".join(f"\n  {user}, {way}: {name}" for user, way, name in differing))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
