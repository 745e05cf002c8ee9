"""fault_disturb.py - what is done to collector, store, recorder pages and php-fpm while it serves.

Each function takes the running scene (`stage`, `fpm`, `front`, `row`) and an Event that says when to
end; it runs in a thread of its own beside the load, with the shim and without it.
"""
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time


def _each(seconds, stop, act):
    while not stop.wait(seconds):
        act()


def kill_collector(scene, stop):
    """kill -9 at a random moment of each second, and another one at once."""
    def kill():
        time.sleep(random.random() * 0.5)
        scene.stage.stop_collector(signal.SIGKILL)
        scene.stage.collect()
    _each(0.5, stop, kill)


def stop_collector(scene, stop):
    scene.stage.collector.send_signal(signal.SIGSTOP)
    stop.wait()
    scene.stage.collector.send_signal(signal.SIGCONT)


def pulse_collector(scene, stop):
    """Stopped and let go in turn, so that full and empty sockets alternate."""
    for signo in (signal.SIGSTOP, signal.SIGCONT) * 1000:
        if stop.wait(0.2):
            break
        scene.stage.collector.send_signal(signo)
    scene.stage.collector.send_signal(signal.SIGCONT)


def remove_socket(scene, stop):
    """The path goes away while workers come and go."""
    os.unlink(scene.stage.socket)
    reload_once(scene)
    stop.wait()


def impostor_on_socket(scene, stop):
    """Another user's socket at the collector's path: new workers meet somebody who never reads."""
    os.unlink(scene.stage.socket)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as impostor:
        os.seteuid(65534)
        try:
            address = f"{scene.stage.dir}/open/c.sock"
            impostor.bind(address)
            impostor.listen(100)
        finally:
            os.seteuid(0)
        os.rename(address, scene.stage.socket)
        reload_once(scene)
        stop.wait()


def fill_store(scene, stop):
    with (scene.stage.data / "ballast").open("wb", buffering=0) as ballast:
        try:
            while ballast.write(b"x" * 4096):
                pass
        except OSError:
            pass
    stop.wait()
    (scene.stage.data / "ballast").unlink()


def lock_store(scene, stop):
    with sqlite3.connect(scene.stage.data / "fpmscope.db", timeout=10) as db:
        db.execute("BEGIN IMMEDIATE")
        stop.wait()
        db.execute("ROLLBACK")


def corrupt_store(scene, stop):
    """Other bytes in the middle of the store and its log while both are in use."""
    def scribble():
        for name in ("fpmscope.db", "fpmscope.db-wal"):
            path = scene.stage.data / name
            if path.exists() and path.stat().st_size > 8192:
                with path.open("r+b") as store:
                    store.seek(4096)
                    store.write(os.urandom(path.stat().st_size - 4096))
    _each(0.5, stop, scribble)


def replace_logs(scene, stop):
    """The followed log is emptied, a directory, a pipe nobody writes, an endless device, and gone."""
    log = scene.stage.dir / "followed.log"
    acts = [lambda: log.write_text("x" * 100000), lambda: log.unlink(), lambda: log.mkdir(),
            lambda: log.rmdir(), lambda: os.mkfifo(log), lambda: log.unlink(),
            lambda: log.symlink_to("/dev/zero"), lambda: log.unlink()]
    for act in acts * 1000:
        if stop.wait(0.3):
            break
        act()


def reload_once(scene):
    os.kill(scene.fpm.pid, signal.SIGUSR2)


def reload_often(scene, stop):
    """Graceful reloads, each when the one before is through: two at once are php-fpm's own trouble."""
    def reload():
        before = scene.fpm.starts()
        reload_once(scene)
        end = time.monotonic() + 15
        while scene.fpm.starts() == before and time.monotonic() < end:
            time.sleep(0.02)
    _each(0.3, stop, reload)


def restart_often(scene, stop):
    """SIGQUIT, wait for the end, start again."""
    def restart():
        scene.fpm.process.send_signal(signal.SIGQUIT)
        scene.fpm.process.wait(30)
        scene.fpm.start()
    _each(0.5, stop, restart)


def trace_workers(scene, stop):
    """strace comes and goes, as an operator's would."""
    def trace():
        pids = scene.fpm.workers()
        if pids:
            subprocess.run(["timeout", "-s", "INT", "0.3", "strace", "-qq", "-f", "-o", "/dev/null",
                            "-p", str(pids[0])], capture_output=True)
    _each(0.2, stop, trace)


def read_pages(scene, stop):
    """Somebody copies all recorder pages all the time."""
    def read():
        for path in scene.stage.pages.iterdir():
            try:
                path.read_bytes()
            except OSError:
                pass
    _each(0.02, stop, read)
