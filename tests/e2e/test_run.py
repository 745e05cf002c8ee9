#!/usr/bin/env python3
"""test_run.py - `fpmscope run`: collector and php-fpm in one command, and nothing left of it.

    tests/e2e/test_run.py [WORD...]     only facts whose names contain a word

Needs build/fpmscope and build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when
a fact is none.
"""
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from collector_stage import FPMSCOPE, SCRIPTS, Stage, wait_for  # noqa: E402
from facts import needs_root  # noqa: E402
from shim_stage import PHP_FPM, SHIM  # noqa: E402


class Run:
    """`fpmscope run` on a php-fpm of its own, as root or as an ordinary user."""

    def __init__(self, stage, user=None, daemonize=False, options=(), env=None):
        self.stage = stage
        self.dir = Path(tempfile.mkdtemp(prefix="run", dir=stage.dir))
        self.dir.chmod(0o755)
        root = os.geteuid() == 0 and user is None
        for name, text in SCRIPTS.items():
            (self.dir / name).write_text(text)
        (self.dir / "fpm.conf").write_text("\n".join([
            "[global]", f"error_log={self.dir}/fpm.log", f"pid={self.dir}/fpm.pid",
            # Without it php-fpm does not wait for its workers, also not on SIGQUIT.
            "process_control_timeout=8",
            f"daemonize={'yes' if daemonize else 'no'}", "[www]",
            "user=www-data\ngroup=www-data" if root else "", f"listen={self.dir}/fpm.sock",
            "listen.mode=0666", "pm=static", "pm.max_children=2", ""]))
        environment = stage.environment()
        for name in ("FPMSCOPE_SOCKET", "FPMSCOPE_PAGES", "FPMSCOPE_DATA"):
            environment.pop(name)
        environment["XDG_RUNTIME_DIR"] = environment["XDG_STATE_HOME"] = str(self.dir / "xdg")
        environment.update(env or {})
        if user:
            shutil.chown(self.dir, user)
        self.data = self.dir / "data"
        self.out = (self.dir / "run.out").open("w+")
        self.process = subprocess.Popen(
            [FPMSCOPE, "run", "--no-find-logs", "--data", self.data, *options, "--", PHP_FPM,
             "-y", self.dir / "fpm.conf"] + ([] if daemonize else ["-F"]),
            env=environment, stdout=self.out, stderr=subprocess.STDOUT, user=user,
            start_new_session=True, cwd="/")
        stage.processes.append(self.process)

    def ready(self):
        log = self.dir / "fpm.log"
        wait_for("php-fpm", lambda: self.process.poll() is not None or
                 (log.exists() and "ready to handle" in log.read_text()))
        assert self.process.poll() is None, self.text()
        return self

    def get(self, uri):
        return fcgi_client.get(str(self.dir / "fpm.sock"), str(self.dir) + uri.partition("?")[0], uri)

    def text(self):
        return (self.dir / "run.out").read_text()

    def requests(self):
        out = subprocess.run([FPMSCOPE, "export", "--data", self.data], capture_output=True, text=True)
        return [r["uri"] for r in map(json.loads, out.stdout.splitlines()) if r["e"] == "req"]

    def pages(self):
        return Path(f"/dev/shm/fpmscope-{os.geteuid()}/run-{self.process.pid}")

    def places(self):
        """What it made beside the store, and has not removed."""
        places = [self.pages(),
                  Path(f"/run/fpmscope/run-{self.process.pid}.sock"),
                  self.dir / f"xdg/fpmscope/run-{self.process.pid}.sock"]
        return [place for place in places if place.exists()]

    def nothing_left(self):
        wait_for("everything to end", lambda: not living(str(self.dir)))


def living(marker):
    """Pids whose command line or environment mentions `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marker.encode() in text and state != "Z":
                found.append(int(entry.name))
    return found


def run_ends_on_ctrl_c_and_sigterm_prints_the_summary_and_leaves_nothing():
    for signo in (signal.SIGINT, signal.SIGTERM):
        with Stage() as stage:
            run = Run(stage).ready()
            for i in range(5):
                assert run.get(f"/hello.php?n={i}")[0] == 200
            run.process.send_signal(signo)
            assert run.process.wait(20) == 0, run.text()
            run.nothing_left()
            assert len(run.requests()) == 5
            assert len(run.text().splitlines()) > 1, run.text()  # the summary


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def run_that_is_stopped_while_it_starts_stops_all_of_it():
    for extra_s in [0.0] * 10 + [0.005 * i for i in range(1, 11)]:
        with Stage() as stage:
            run = Run(stage)
            wait_for("its collector", lambda: children(run.process.pid))
            time.sleep(extra_s)
            # Both at once, as systemd tells a control group.
            for pid in [*children(run.process.pid), run.process.pid]:
                os.kill(pid, signal.SIGTERM)
            assert run.process.wait(20) == 0, (extra_s, run.process.returncode, run.text())
            assert "unwatched" not in run.text(), run.text()
            run.nothing_left()
            assert not run.places(), run.places()


def a_php_fpm_that_is_going_to_the_background_is_asked_to_end_too():
    """Its parent, which is what was asked, ends at once; the daemon is given to us after that."""
    for delay_s in [0.002 * i for i in range(40)]:
        with Stage() as stage:
            run = Run(stage, daemonize=True)
            wait_for("its php-fpm", lambda: len(children(run.process.pid)) > 1)
            time.sleep(delay_s)
            run.process.send_signal(signal.SIGTERM)
            assert run.process.wait(20) == 0, (delay_s, run.process.returncode, run.text())
            run.nothing_left()
            log = (run.dir / "fpm.log").read_text() if (run.dir / "fpm.log").exists() else ""
            assert "Terminating" not in log, (delay_s, log)  # that was SIGTERM, ten seconds later


def run_takes_the_page_of_a_worker_that_died_unheard_just_before_its_end():
    with Stage() as stage:
        run = Run(stage).ready()
        page = Path(f"/dev/shm/fpmscope-{os.geteuid()}/run-{run.process.pid}/4194304-77")
        page.write_bytes(b"no process has this number")
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0, run.text()
        run.nothing_left()
        assert not run.places(), list(page.parent.iterdir())


def run_lets_a_request_finish_that_was_being_served():
    with Stage() as stage:
        run = Run(stage).ready()
        answer = []
        thread = threading.Thread(target=lambda: answer.append(run.get("/slow.php")[0]))
        thread.start()
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        thread.join()
        assert answer == [200], answer
        assert run.process.wait(20) == 0
        run.nothing_left()


def run_leaves_nothing_behind_when_it_is_killed():
    with Stage() as stage:
        run = Run(stage).ready()
        run.process.kill()
        run.process.wait()
        run.nothing_left()


def the_next_run_removes_the_pages_of_one_that_was_killed_and_of_no_other():
    with Stage() as stage:
        other, killed = Run(stage).ready(), Run(stage).ready()
        killed.process.kill()
        killed.process.wait()
        killed.nothing_left()
        assert killed.pages().exists()
        (killed.pages() / "4194304-77").write_bytes(b"no process has this number")
        pages = len(list(other.pages().iterdir()))
        Run(stage).ready()
        assert not killed.pages().exists(), list(killed.pages().iterdir())
        assert len(list(other.pages().iterdir())) == pages > 0
        assert other.get("/hello.php")[0] == 200


def run_works_for_an_ordinary_user_with_a_pool_of_his_own():
    needs_root()
    with Stage() as stage:
        run = Run(stage, user="nobody", options=("--set", "interval_bytes=4096")).ready()
        for i in range(4):
            assert run.get(f"/hello.php?n={i}")[0] == 200
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0, run.text()
        run.nothing_left()
        assert len(run.requests()) == 4, run.text()
        owners = {p.stat().st_uid for p in run.data.iterdir()}
        assert owners == {pwd.getpwnam("nobody").pw_uid}, owners


def run_stays_with_a_php_fpm_that_goes_to_the_background():
    with Stage() as stage:
        run = Run(stage, daemonize=True).ready()
        time.sleep(1)
        assert run.process.poll() is None, run.text()
        assert run.get("/hello.php?n=1")[0] == 200
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(20) == 0, run.text()
        run.nothing_left()
        assert len(run.requests()) == 1


def run_gives_the_programs_exit_status_and_names_a_missing_one():
    with Stage() as stage:
        missing = stage.command("run", "--", "no-such-php-fpm")
        assert missing.returncode == 127 and "no-such-php-fpm" in missing.stderr, missing
        wrong = stage.command("run", "--no-summary", "--", PHP_FPM, "-F", "-y", "/nowhere.conf")
        plain = subprocess.run([PHP_FPM, "-F", "-y", "/nowhere.conf"], capture_output=True)
        assert wrong.returncode == plain.returncode != 0, (wrong.returncode, plain.returncode)
        usage = stage.command("run")
        assert usage.returncode == 2 and "which program" in usage.stderr, usage
        assert not living(str(stage.dir)), living(str(stage.dir))


def a_reload_under_run_keeps_the_shim():
    with Stage() as stage:
        run = Run(stage).ready()
        assert run.get("/hello.php?before")[0] == 200
        run.process.send_signal(signal.SIGUSR2)
        log = run.dir / "fpm.log"
        wait_for("the reload", lambda: log.read_text().count("ready to handle") == 2)
        assert run.get("/hello.php?after")[0] == 200
        time.sleep(0.5)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0
        assert sorted(run.requests()) == ["/hello.php?after", "/hello.php?before"], run.requests()
        run.nothing_left()


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
