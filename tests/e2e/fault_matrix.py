#!/usr/bin/env python3
"""fault_matrix.py - php-fpm behind nginx under load, with and without the shim, while things go wrong.

    tests/e2e/fault_matrix.py [--seconds N] [--quick] [WORD...]    prints the table (make matrix)

One row of ROWS is one situation.  It is run twice, without the shim and with it, with the same load
and the same disturbance.  A row holds when, with the shim, no request failed that a worker had, no
answer has other bytes than without it, no worker died of a signal, and requests take about as long:
half of them at most twice as long, 95 in 100 at most three times, and 20 ms more.  Machines are noisy;
a row that is only slow is run again, and counts when it is slow each time.  Needs root.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fault_disturb as disturb  # noqa: E402
from collector_stage import Stage  # noqa: E402
from facts import Skip  # noqa: E402
from fault_load import PAGES, SCRIPTS, Front, drive, right_answers, wrong  # noqa: E402
from shim_stage import ROOT, SHIM  # noqa: E402

CONFINE = ROOT / "build/release/tests/e2e/confine"
FATAL = tuple(f"exited on signal {n} " for n in (4, 5, 6, 7, 8, 11, 24, 25, 31))
PATIENT = "process_control_timeout=20s"  # else a reload kills who is still serving, shim or not


@dataclass(frozen=True)
class Row:
    """A situation.  What is not said is a static pool of four and a collector that works.

    {dir} is the directory of php-fpm (in `collector`: of all), {root} that of the scripts.
    """
    name: str
    disturb: object = None    # fault_disturb function, during the load
    prepare: object = None    # before anything starts; may raise Skip
    pool: str = ""            # lines of the pool's section, and sections after it
    global_conf: str = ""
    sockets: tuple = ()       # more sockets that `pool` opens, in {dir}
    arguments: tuple = ()     # of php-fpm
    confine: tuple = ()       # of the launcher
    preload: str = "{shim}"   # LD_PRELOAD; without the shim its word is left out
    extension: tuple = ()     # package, file: a PHP extension from apt
    collector: tuple = ()     # options; None: no collector at all
    masters: int = 1
    pages: tuple = ()         # more (script, text)
    chroot: bool = False
    keep: bool = False        # nginx keeps its connections to php-fpm
    restarts: bool = False    # each restart throws away php-fpm's backlog
    collects: bool = True     # requests must be in the store afterwards
    quick: bool = False       # part of make check
    env: dict = field(default_factory=dict)


# ---- what must be there before ----------------------------------------------------------------

def mount_tmpfs(path, size):
    path.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path]).returncode:
        raise Skip("cannot mount a tmpfs here")


def small_store(scene):
    mount_tmpfs(scene.stage.data, "4m")


def small_pages(scene):
    mount_tmpfs(scene.stage.pages, "128k")


def no_pages(scene):
    scene.stage.pages.rmdir()


def file_for_pages(scene):
    scene.stage.pages.rmdir()
    scene.stage.pages.write_text("not a directory")


def readonly_pages(scene):
    mount_tmpfs(scene.stage.pages, "1m")
    subprocess.run(["mount", "-o", "remount,ro", scene.stage.pages], check=True)


def open_directory(scene):
    directory = scene.stage.dir / "open"
    directory.mkdir()
    directory.chmod(0o777)


def followed_log(scene):
    (scene.stage.dir / "followed.log").write_text("")


def from_apt(package, name):
    """A file of a Debian package, unpacked below build/ and not installed."""
    directory = ROOT / "build/matrix" / package
    found = sorted(directory.rglob(name))
    if found:
        return found[0]
    directory.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(["apt-get", "-q", "download", package], cwd=directory, capture_output=True)
    for archive in directory.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, directory], check=False)
    found = sorted(directory.rglob(name))
    if run.returncode or not found:
        raise Skip(f"apt has no {package} here")
    return found[0]


JIT = ("-d", "opcache.jit=tracing", "-d", "opcache.jit_buffer_size=32M")
MANY_POOLS = """
[second]
user = nobody
group = nogroup
listen = {dir}/second.sock
listen.mode = 0666
pm = dynamic
pm.max_children = 3
pm.start_servers = 1
pm.min_spare_servers = 1
pm.max_spare_servers = 2
[third]
user = games
group = games
listen = {dir}/third.sock
listen.mode = 0666
pm = ondemand
pm.max_children = 3
pm.process_idle_timeout = 1s
"""
SLOW_PAGE = ("slow.php", '<?php usleep(1300000); echo "slow";')
PROFILED = ("prepend.php", '<?php if (class_exists("ExcimerProfiler")) { $p = new ExcimerProfiler;'
            '$p->setPeriod(0.001); $p->start(); } if (function_exists("pcov\\\\start")) \\pcov\\start();')
PREPEND = "php_admin_value[auto_prepend_file]={root}/prepend.php"
FAKETIME = ("libfaketime", "libfaketime.so.1")

ROWS = [
    Row("nothing is wrong", quick=True),
    Row("nginx keeps connections", keep=True),
    Row("no collector", collector=None, collects=False, quick=True),
    Row("collector killed -9 each second", disturb.kill_collector, quick=True),
    Row("collector SIGSTOPped", disturb.stop_collector, collects=False),
    Row("collector stopped, let go, in turn", disturb.pulse_collector),
    Row("socket removed, reload", disturb.remove_socket, global_conf=PATIENT),
    Row("another user's socket at the path", disturb.impostor_on_socket, open_directory,
        global_conf=PATIENT),
    Row("disk full under the store", disturb.fill_store, small_store, collects=False),
    Row("store locked", disturb.lock_store, collects=False),
    Row("store overwritten while in use", disturb.corrupt_store, collects=False),
    Row("followed log replaced in turn", disturb.replace_logs, followed_log,
        collector=("--log", "{dir}/followed.log")),
    Row("tmpfs full under recorder pages", prepare=small_pages, quick=True),
    Row("recorder directory missing", prepare=no_pages),
    Row("a file in its place", prepare=file_for_pages),
    Row("recorder directory read-only", prepare=readonly_pages),
    Row("recorder pages read all the time", disturb.read_pages),
    Row("RLIMIT_NOFILE 32", confine=("--files", "32")),
    Row("RLIMIT_AS 300 MB", confine=("--memory", "300000000")),
    Row("RLIMIT_FSIZE 128 KB", confine=("--file-size", "131072")),
    Row("seccomp: shim's calls EPERM", confine=("--refuse", "1"), collects=False, quick=True),
    Row("seccomp: shim's calls ENOSYS", confine=("--refuse", "38"), collects=False),
    Row("reload in a loop", disturb.reload_often, global_conf=PATIENT, quick=True),
    Row("restart in a loop", disturb.restart_often, global_conf=PATIENT, restarts=True),
    Row("pm = dynamic", pool="pm=dynamic\npm.max_children=6\npm.start_servers=2\n"
        "pm.min_spare_servers=1\npm.max_spare_servers=3"),
    Row("pm = ondemand", pool="pm=ondemand\npm.max_children=6\npm.process_idle_timeout=1s"),
    Row("max_requests = 1", pool="pm.max_requests=1", quick=True),
    Row("chroot", chroot=True),
    Row("process.dumpable", pool="process.dumpable=yes"),
    Row("slow log (ptrace)", pool="request_slowlog_timeout=1s\nslowlog={dir}/slow.log",
        pages=(SLOW_PAGE,)),
    Row("strace comes and goes", disturb.trace_workers),
    Row("opcache JIT", arguments=JIT),
    Row("opcache off", arguments=("-d", "opcache.enable=0")),
    Row("opcache.preload", arguments=("-d", "opcache.preload={root}/preload.php",
                                      "-d", "opcache.preload_user=www-data"),
        pages=(("preload.php", "<?php class Preloaded { const A = 1; }"),)),
    Row("two masters, three pools, three users", pool=MANY_POOLS, masters=2,
        sockets=("second.sock", "third.sock")),
    Row("libfaketime before", preload="{other}:{shim}", extension=FAKETIME, env={"FAKETIME": "+0"}),
    Row("libfaketime after", preload="{shim}:{other}", extension=FAKETIME, env={"FAKETIME": "+0"}),
    Row("libeatmydata before and after", preload="{other}:{shim}:{other}",
        extension=("libeatmydata1", "libeatmydata.so")),
    Row("xdebug (develop, coverage)", arguments=("-d", "zend_extension={other}",
                                                 "-d", "xdebug.mode=develop,coverage"),
        extension=("php8.2-xdebug", "xdebug.so")),
    Row("excimer profiling each request", arguments=("-d", "extension={other}"), pool=PREPEND,
        extension=("php-excimer", "excimer.so"), pages=(PROFILED,)),
    Row("pcov covering each request", arguments=("-d", "extension={other}"), pool=PREPEND,
        extension=("php8.2-pcov", "pcov.so"), pages=(PROFILED,)),
]


# ---- one run ------------------------------------------------------------------------------------

class Scene:
    """One row with or without the shim: collector, php-fpm, nginx; all gone afterwards."""

    def __init__(self, row, shim):
        self.row, self.shim, self.stage = row, shim, Stage()
        self.fpm = self.front = None

    def __enter__(self):
        row, stage = self.row, self.stage.__enter__()
        try:
            self.other = from_apt(*row.extension) if row.extension else ""
            if row.prepare:
                row.prepare(self)
            if row.collector is not None:
                stage.collect(*(word.format(dir=stage.dir) for word in row.collector))
            self.root = Path(tempfile.mkdtemp(prefix="root", dir=stage.dir))
            self.root.chmod(0o755)
            for name, text in dict(SCRIPTS, **dict(row.pages)).items():
                (self.root / name).write_text(text)
            masters = [self._fpm() for _ in range(row.masters)]
            self.fpm = masters[0]
            sockets = [path for fpm in masters for path in
                       [fpm.socket] + [fpm.socket.parent / name for name in row.sockets]]
            self.front = Front(stage.dir / "nginx", sockets, "" if row.chroot else self.root, row.keep)
            self.front.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _preload(self):
        """LD_PRELOAD of this run, and the file from apt where the row has one."""
        words = self.row.preload.format(shim=SHIM, other=self.other).split(":")
        return ":".join(word for word in words if self.shim or word != str(SHIM))

    def _fpm(self):
        row, root, preload = self.row, str(self.root), self._preload()
        return self.stage.fpm(
            workers=4, scripts={}, shim=False, chroot=root if row.chroot else None,
            launcher=(CONFINE, *row.confine, "--") if row.confine else (),
            pool=row.pool.replace("{root}", root), global_conf=row.global_conf,
            arguments=[word.format(root=root, other=self.other) for word in row.arguments],
            env=dict(row.env, **({"LD_PRELOAD": preload} if preload else {})))

    def __exit__(self, *_):
        if self.front:
            self.front.stop()
        for fpm in self.stage.masters:
            fpm.stop()
        for path in (self.stage.data, self.stage.pages):
            if path.is_mount():
                subprocess.run(["umount", "-l", path])
        if self.stage.pages.is_file():
            self.stage.pages.unlink()
        self.stage.__exit__()


@dataclass
class Run:
    """What one run came to."""
    answers: object
    refused: int    # requests that no worker ever had
    signals: int    # deaths by a fatal signal
    stored: int     # requests in the store
    seconds: float


def stored_requests(scene):
    """How many of the load's requests a reader finds; the last ones need a moment."""
    if scene.row.collector is None or not scene.shim:
        return 0
    time.sleep(0.5)
    return scene.stage.command("export").stdout.count('"e":"req"')


def run(row, shim, seconds):
    with Scene(row, shim) as scene:
        stop, begin = threading.Event(), time.monotonic()
        other = threading.Thread(target=row.disturb, args=(scene, stop)) if row.disturb else None
        if other:
            other.start()
        pages = PAGES + [("GET", "/" + name, None) for name, _ in row.pages if name == "slow.php"]
        answers = drive(scene.front.port, pages, seconds)
        took = time.monotonic() - begin
        stop.set()
        if other:
            other.join()
        stored = stored_requests(scene)
        logs = "".join(fpm.log_text() for fpm in scene.stage.masters)
        return Run(answers, scene.front.refused(row.restarts), sum(logs.count(text) for text in FATAL), stored, took)


# ---- the table ------------------------------------------------------------------------------------

HEAD = ("situation", "requests", "failed", "refused", "requests", "failed", "refused", "other bytes",
        "signals", "stored", "p50", "p50", "p95", "p95", "holds")
WIDTH = (36, 8, 6, 7, 8, 6, 7, 11, 7, 7, 6, 6, 6, 6, 5)
SLOWER, ATTEMPTS, GRACE_MS = "slower", 3, 20
BOUNDS = ((0.5, 2), (0.95, 3))  # share of the requests, how many times as long


def line(cells):
    return " | ".join(str(cell).ljust(w) if i == 0 else str(cell).rjust(w)
                      for i, (cell, w) in enumerate(zip(cells, WIDTH)))


def is_slower(without, with_shim):
    return any(with_shim.quantile_ms(share) > times * without.quantile_ms(share) + GRACE_MS
               for share, times in BOUNDS)


def judge(row, without, with_shim):
    """The table's cells of one row, and why it does not hold."""
    right = right_answers(without.answers)
    failed_without, unstable = wrong(without.answers, right)
    failed, differing = wrong(with_shim.answers, right)
    why = []
    if failed - with_shim.refused > max(0, failed_without - without.refused):
        why.append("requests failed")
    if differing or unstable:
        why.append("other bytes" if not unstable else "answers vary without the shim")
    if with_shim.signals > without.signals:
        why.append("workers died")
    if row.collects and not with_shim.stored:
        why.append("nothing was collected")
    if not with_shim.answers.count() or set(with_shim.answers.by_page) - set(right):
        why.append("no answers")
    if is_slower(without.answers, with_shim.answers):
        why.append(SLOWER)
    cells = (row.name, without.answers.count(), failed_without - without.refused, without.refused,
             with_shim.answers.count(), failed - with_shim.refused, with_shim.refused, differing,
             with_shim.signals, with_shim.stored,
             *(f"{answers.quantile_ms(share):.1f}" for share, _ in BOUNDS
               for answers in (without.answers, with_shim.answers)), "NO" if why else "yes")
    return cells, why


def show(row, seconds):
    """Run a row both ways and print its line; False when it does not hold."""
    try:
        for _ in range(ATTEMPTS):
            cells, why = judge(row, run(row, False, seconds), run(row, True, seconds))
            if why != [SLOWER]:
                break
    except Skip as reason:
        print(line((row.name,) + ("",) * (len(WIDTH) - 2) + ("skip",)), f"({reason})", flush=True)
        return True
    except AssertionError as error:
        print(line((row.name,) + ("",) * (len(WIDTH) - 2) + ("NO",)), str(error)[-300:], flush=True)
        return False
    print(line(cells), ", ".join(why), flush=True)
    return not why


def matrix(rows, seconds):
    """Print the table; the names of the rows that do not hold."""
    print(line(("",) + ("without",) * 3 + ("with",) * 6 + ("without", "with") * 2 + ("",)))
    print(line(HEAD), flush=True)
    return [row.name for row in rows if not show(row, seconds)]


def main():
    parser = argparse.ArgumentParser(description="php-fpm under load while things go wrong")
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each run")
    parser.add_argument("--quick", action="store_true", help="the rows of make check")
    parser.add_argument("words", nargs="*", help="only rows whose names contain one of these")
    options = parser.parse_args()
    rows = [row for row in ROWS if (row.quick or not options.quick) and
            (not options.words or any(word in row.name for word in options.words))]
    if os.geteuid() != 0:
        print("skip: the fault matrix needs root")
        return 0
    if not SHIM.exists() or not CONFINE.exists():
        sys.exit("fault_matrix: run make and make build/release/tests/e2e/confine first")
    failed = matrix(rows, options.seconds)
    print(f"{len(rows) - len(failed)} of {len(rows)} rows hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
