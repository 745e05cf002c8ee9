"""shim_stage.py - a stage for the shim: a collector that only listens, and a real php-fpm.

    with Stage() as stage:
        fpm = stage.fpm(workers=1, scripts={"a.php": "<?php echo 1;"})
        fpm.get("/a.php?x=1")
        request = stage.sink.request(uri="/a.php?x=1")

Everything lives in a temporary directory; processes are ended by their own pid.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import fcgi_client
import scratch
import wire

ROOT = Path(__file__).resolve().parents[2]
SHIM = ROOT / "build/libfpmscope.so"
PHP_FPM = os.environ.get("PHP_FPM", "php-fpm8.2")
WAIT_S = 20
LEAK = '<?php FFI::new("char[65536]", false, true); echo "leaked";'
HELLO = '<?php echo "hello";'
LIBC = 'FFI::cdef("size_t malloc(size_t n); size_t realloc(size_t p, size_t n); void free(size_t p);")'


def delta(request):
    """Native bytes that a request left behind."""
    return request["live_after_bytes"] - request["live_before_bytes"]


def get_many(fpm, uri, count):
    for i in range(count):
        fpm.body(f"{uri}{'&' if '?' in uri else '?'}n={i}")


class Sink:
    """Listens where the collector would, and remembers every message with its sender's pid."""

    def __init__(self, path, abstract=True):
        self.path, self.messages, self.changed = str(path), [], threading.Condition()
        self.reading = threading.Event()
        self.reading.set()
        self.connections, self.listeners = [], []
        self._listen(self.path)
        if abstract:
            self._listen("\0fpmscope:" + self.path)

    def _listen(self, address):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(address)
        listener.listen(1024)
        self.listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            self.connections.append(conn)
            threading.Thread(target=self._read, args=(conn,), daemon=True).start()

    def _read(self, conn):
        pid = int.from_bytes(conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little")
        while True:
            self.reading.wait()
            try:
                packet = conn.recv(65536)
            except OSError:
                return
            if not packet:
                return
            decoded = [(pid, name, fields) for name, fields in wire.decode(packet)]
            with self.changed:
                self.messages += decoded
                self.changed.notify_all()

    def all(self, name, pid=None, **wanted):
        with self.changed:
            return [fields | {"from_pid": sender} for sender, kind, fields in self.messages
                    if kind == name and pid in (None, sender) and
                    all(fields[key] == value for key, value in wanted.items())]

    def wait(self, name, count=1, pid=None, **wanted):
        """The first `count` messages like this, as soon as they are there."""
        end = time.monotonic() + WAIT_S
        while True:
            found = self.all(name, pid, **wanted)
            if len(found) >= count:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"{len(found)} of {count} {name} {wanted} came; "
                                     f"there are {[m[1] for m in self.messages[-20:]]}")
            with self.changed:
                self.changed.wait(0.05)

    def request(self, uri, **wanted):
        return self.wait("REQUEST", uri=uri.encode(), **wanted)[0]

    def close(self):
        for sock in self.listeners + self.connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


class Fpm:
    """A php-fpm of its own, under the shim unless `shim` is False."""

    def __init__(self, stage, workers=1, scripts=None, pool="", global_conf="", env=None, shim=True,
                 daemonize=False, chroot=None, launcher=(), arguments=()):
        """`launcher` is a command that runs php-fpm, `arguments` are more of php-fpm's own."""
        self.dir = Path(tempfile.mkdtemp(prefix="fpm", dir=stage.dir))
        self.dir.chmod(0o755)
        self.socket, self.log = self.dir / "fpm.sock", self.dir / "fpm.log"
        self.docroot = Path(chroot) if chroot else self.dir
        self.script_prefix = "" if chroot else str(self.dir)
        for name, text in (scripts or {}).items():
            (self.docroot / name).write_text(text)
        root = os.geteuid() == 0
        (self.dir / "fpm.conf").write_text("\n".join([
            "[global]", f"error_log={self.log}", f"pid={self.dir}/fpm.pid",
            f"daemonize={'yes' if daemonize else 'no'}", global_conf, "[www]",
            "user=www-data\ngroup=www-data" if root else "", f"listen={self.socket}",
            "listen.mode=0666", "pm=static", f"pm.max_children={workers}",
            "pm.status_path=/status", "ping.path=/ping", "php_admin_value[ffi.enable]=1",
            f"chroot={chroot}" if chroot else "", pool.replace("{dir}", str(self.dir)), ""]))
        self.environment = dict(os.environ, FPMSCOPE_SOCKET=stage.socket, FPMSCOPE_PAGES=str(stage.pages))
        if shim:
            self.environment["LD_PRELOAD"] = str(SHIM)
        self.environment.update(env or {})
        self.daemonize = daemonize
        self.command = ([*launcher, PHP_FPM, "-y", self.dir / "fpm.conf", *arguments] +
                        ([] if daemonize else ["-F"]))
        self.start()

    def start(self):
        """Also again, after its end."""
        starts = self.starts()
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        if self.daemonize:
            self.process.wait(WAIT_S)
        self._wait_for_socket(starts)
        self.pid = int((self.dir / "fpm.pid").read_text()) if self.daemonize else self.process.pid

    def starts(self):
        """How often it became ready, reloads included."""
        return self.log_text().count("ready to handle")

    def _wait_for_socket(self, starts):
        end = time.monotonic() + WAIT_S
        while not (self.socket.exists() and self.starts() > starts):
            assert time.monotonic() < end, f"php-fpm did not start: {self.log_text()}"
            time.sleep(0.02)

    def log_text(self):
        return self.log.read_text() if self.log.exists() else ""

    def script(self, uri):
        return self.script_prefix + uri.partition("?")[0]

    def get(self, uri, **kwargs):
        return fcgi_client.get(str(self.socket), self.script(uri), uri, **kwargs)

    def body(self, uri, **kwargs):
        status, _, body = self.get(uri, **kwargs)
        assert status == 200, (status, body)
        return body

    def connect(self, **kwargs):
        return fcgi_client.connect(str(self.socket), **kwargs)

    def workers(self):
        task = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in task.read_text().split()]

    def stop(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        if self.process.poll() is None:
            self.process.wait(WAIT_S)
        end = time.monotonic() + WAIT_S
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < end:
            time.sleep(0.02)


class Stage:
    def __enter__(self):
        self.dir = Path(scratch.make("shim"))
        self.dir.chmod(0o755)
        self.pages = Path(scratch.make("pages", scratch.SHM))
        self.socket = str(self.dir / "collector.sock")
        self.sink, self.masters = Sink(self.socket), []
        return self

    def fpm(self, **kwargs):
        self.masters.append(Fpm(self, **kwargs))
        return self.masters[-1]

    def page_names(self):
        return sorted(path.name for path in self.pages.iterdir())

    def __exit__(self, *_):
        for fpm in self.masters:
            fpm.stop()
        self.sink.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.pages, ignore_errors=True)
