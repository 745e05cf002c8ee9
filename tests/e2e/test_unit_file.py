#!/usr/bin/env python3
"""test_unit_file.py - the service that is shipped: it is valid, closed, and works under a real systemd.

    tests/e2e/test_unit_file.py [WORD...]     only facts whose names contain a word

php-fpm runs as a unit of its own with the drop-in of README; the collector is in its sandbox: no new
privileges, six capabilities, system calls filtered, a read-only file system.
"""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
import scratch  # noqa: E402
from collector_stage import FPMSCOPE, swallow, wait_for  # noqa: E402
from facts import Skip, needs_root  # noqa: E402
from shim_stage import PHP_FPM, ROOT, SHIM  # noqa: E402
from systemd_stage import Systemd  # noqa: E402

UNIT = (ROOT / "scripts/fpmscope.service").read_text().replace("@BINDIR@", str(ROOT / "build"))
EXPOSURE_MAX = 2.6
FPM_UNIT = """[Unit]
Description=php-fpm of the test
[Service]
Environment=LD_PRELOAD={shim}
ExecStart={fpm} -F -y {dir}/fpm.conf
"""
FPM_CONF = """[global]
error_log={dir}/fpm.log
[www]
user=www-data
group=www-data
listen={dir}/fpm.sock
listen.mode=0666
pm=static
pm.max_children=2
php_admin_value[ffi.enable]=1
"""
CRASH = "<?php FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(FFI::new('char *'), 1, 16);"


def the_unit_is_valid_and_lets_little_through():
    if subprocess.run(["which", "systemd-analyze"], capture_output=True).returncode:
        raise Skip("no systemd-analyze")
    with tempfile.TemporaryDirectory() as directory:
        unit = Path(directory) / "fpmscope.service"
        unit.write_text(UNIT)
        verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        assert verified.returncode == 0 and not verified.stderr, verified
        said = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=yes", unit],
                              capture_output=True, text=True, env=dict(os.environ, LC_ALL="C")).stdout
    exposure = float(re.search(r"exposure level for fpmscope.service: ([0-9.]+)", said)[1])
    print(f"     exposure level {exposure}")
    assert exposure <= EXPOSURE_MAX, said[-300:]


class Place:
    """Configuration and scripts of the php-fpm unit."""

    def __init__(self):
        self.dir = Path(scratch.make("unit"))
        self.dir.chmod(0o755)
        (self.dir / "fpm.conf").write_text(FPM_CONF.format(dir=self.dir))
        (self.dir / "hello.php").write_text('<?php echo "hello";')
        (self.dir / "crash.php").write_text(CRASH)
        self.unit = FPM_UNIT.format(shim=SHIM, fpm=subprocess.getoutput(f"command -v {PHP_FPM}"), dir=self.dir)

    def get(self, uri):
        return fcgi_client.get(str(self.dir / "fpm.sock"), str(self.dir) + uri.partition("?")[0], uri)[0]


def exported(systemd, kind):
    lines = systemd.run(FPMSCOPE, "export").stdout.splitlines()
    return [line for line in lines if f'"e":"{kind}"' in line]


def status_of(systemd):
    """Fields of /proc/PID/status of the collector, as the machine sees it inside."""
    pid = systemd.control("show", "-P", "MainPID", "fpmscope").stdout.strip()
    text = systemd.run("cat", f"/proc/{pid}/status").stdout
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line), pid


def under_systemd_it_collects_from_inside_its_sandbox():
    needs_root()
    place = Place()
    with Systemd({"fpmscope.service": UNIT, "fpm.service": place.unit}) as systemd:
        started = systemd.control("start", "fpmscope")
        assert started.returncode == 0, started.stderr + systemd.control("status", "fpmscope").stdout
        wait_for("the collector's socket",
                 lambda: systemd.run("test", "-S", "/run/fpmscope/collector.sock").returncode == 0)
        assert systemd.control("start", "fpm").returncode == 0  # later: else workers come back in a second only
        wait_for("php-fpm", lambda: (place.dir / "fpm.sock").exists())
        status, pid = status_of(systemd)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status
        assert bin(int(status["CapBnd"], 16)).count("1") <= 6, status["CapBnd"]
        mounts = systemd.run("cat", f"/proc/{pid}/mounts").stdout
        assert re.search(r"^\S+ / \w+ ro\b", mounts, re.M) and not re.search(r"^\S+ /usr \w+ rw", mounts, re.M), mounts
        shm = [systemd.run("stat", "-L", "-c", "%d", where).stdout
               for where in ("/dev/shm", f"/proc/{pid}/root/dev/shm")]
        assert shm[0] and shm[0] == shm[1], "workers' pages may lie there"
        modes = systemd.run("stat", "-c", "%a", "/run/fpmscope", "/var/lib/fpmscope", "/run/fpmscope/collector.sock")
        assert modes.stdout.split() == ["700", "700", "600"], modes.stdout
        for i in range(10):
            assert place.get(f"/hello.php?n={i}") == 200
        wait_for("requests", lambda: len(exported(systemd, "req")) == 10)
        swallow(lambda: place.get("/crash.php"))
        stack = wait_for("a crash with its native stack", lambda: [
            row for row in exported(systemd, "stk") if "memset" in row and "libffi" in row], 20)
        assert stack and len(exported(systemd, "crash")) == 1
        systemd.run("kill", "-9", pid)
        wait_for("another collector", lambda: status_of(systemd)[1] not in ("0", pid), 20)
        time.sleep(3)
        wait_for("requests again", lambda: place.get("/hello.php?again") == 200 and
                 [row for row in exported(systemd, "req") if "again" in row], 30)
        assert systemd.control("stop", "fpmscope").returncode == 0
        assert systemd.control("show", "-P", "Result", "fpmscope").stdout.strip() == "success"


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
