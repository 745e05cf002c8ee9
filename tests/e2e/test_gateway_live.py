#!/usr/bin/env python3
"""test_gateway_live.py - every cause of a 5xx that can be made on this machine, explained from the store.

Real nginx, Varnish and php-fpm, visitors in the background; then `fpmscope 502 --json --all` must name
cause, worker and request of each, and nothing else.  Every injected request has a path of its own.
"""
import os
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cgroup         # noqa: E402
import stage          # noqa: E402
import varnish_stage  # noqa: E402


class Injected:
    """What was done to one request: where it went, who served it, what its client saw."""

    def __init__(self, uri, status=None, pids=()):
        self.uri, self.status, self.pids = uri, status, list(pids)


class Live(unittest.TestCase):
    """Inject everything in setUpClass, then ask once; the tests read the answer."""

    stage, injected, report = None, {}, None

    @classmethod
    def get(cls, name, uri, front=False, pids=None):
        """Request a page that fails; remember it as `name`.  pids: () when no worker is to be named."""
        status = cls.stage.get(uri, port=cls.stage.front_port if front else None)[0]
        if pids is None:
            pids = [cls.stage.pid_of(uri.split("/")[2])]
        cls.injected[name] = Injected(uri, status, pids)

    @classmethod
    def in_flight(cls, name, uri, front=False):
        """The same in a thread: returns (thread, pid of the worker that serves it)."""
        thread = threading.Thread(target=cls.get, args=(name, uri, front))
        thread.start()
        return thread, cls.stage.pid_of(uri.split("/")[2])

    @classmethod
    def ask(cls):
        time.sleep(1.5)
        cls.report = cls.stage.json("502", "--all")

    @classmethod
    def setUpClass(cls):
        cls.injected = {}
        cls.stage = cls.make_stage()
        try:
            cls.stage.start()
            cls.inject_all()
            cls.ask()
        except BaseException:
            cls.stage.__exit__()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stage.__exit__()

    def rows(self, name):
        self.assertIn(name, self.injected)
        return [row for row in self.report["rows"] if row["uri"] == self.injected[name].uri]

    def row(self, name, pids=None, **expected):
        """The one row of an injected request; it must have these values and name the worker that died
        (pids: others, where nobody died)."""
        rows = self.rows(name)
        self.assertEqual(len(rows), 1, (name, self.injected[name].uri, rows))
        for key, value in expected.items():
            self.assertEqual(rows[0].get(key), value, (name, key, rows[0]))
        pids = self.injected[name].pids if pids is None else pids
        self.assertEqual(sorted(rows[0]["pids"]), sorted(pids), (name, rows[0]))
        return rows[0]


class Faults(Live):
    """One php-fpm under `fpmscope run`; everything that leaves its master alive."""

    join, attempts = "exact", [502, 200]

    @classmethod
    def make_stage(cls):
        return varnish_stage.VarnishStage()

    @classmethod
    def inject_all(cls):
        with varnish_stage.Background(cls.stage) as visitors:
            time.sleep(0.5)
            cls.inject_crashes()
            cls.inject_kills()
            cls.inject_masked()
            cls.inject_php_errors()
            cls.inject_headers()
            cls.inject_slow()
        cls.visitors = visitors
        cls.stage.rotate("access.log", lambda: cls.get("rotated", "/segv/rotated"))
        cls.get("after rotation", "/segv/after-rotation")
        with varnish_stage.Background(cls.stage, through_varnish=False):
            cls.inject_varnish_panic()
            cls.inject_full_pools()
            cls.inject_varnish_down()

    @classmethod
    def inject_crashes(cls):
        for fault in ("segv", "overflow", "abort", "bus"):
            cls.get(fault, "/%s/%s-direct" % (fault, fault))
            cls.get(fault + " behind Varnish", "/%s/%s-front" % (fault, fault), front=True)

    @classmethod
    def inject_kills(cls):
        for name, signo in (("killed", signal.SIGKILL), ("terminated", signal.SIGTERM)):
            thread, pid = cls.in_flight(name, "/wait/%s/20000" % name)
            os.kill(pid, signo)
            thread.join()
        if cgroup.can_be_made():
            cls.inject_oom()

    @classmethod
    def inject_oom(cls):
        try:
            group = cgroup.Cgroup(100 << 20)
        except OSError:
            return
        with group:
            thread, pid = cls.in_flight("oom", "/oom/oom")
            group.write("cgroup.procs", pid)
            open(cls.stage.note("go-oom"), "w").close()
            thread.join()

    @classmethod
    def inject_masked(cls):
        for fault in ("flushed", "shutdown", "finished"):
            try:
                cls.get(fault, "/%s/%s" % (fault, fault))
            except (OSError, stage.http.client.HTTPException):  # cut short
                cls.injected[fault] = Injected("/%s/%s" % (fault, fault), 200,
                                               [cls.stage.pid_of(fault)])
        with socket.create_connection(("127.0.0.1", cls.stage.port)) as client:
            client.sendall(b"GET /leaver/leaver HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            pid = cls.stage.pid_of("leaver")
            time.sleep(0.3)
        cls.injected["leaver"] = Injected("/leaver/leaver", 499, [pid])
        cls.get("next", "/next/next")
        cls.get("both", "/next/next-both/both")
        cls.get("rewritten", "/rewritten/rewritten")
        time.sleep(1.5)

    @classmethod
    def inject_php_errors(cls):
        cls.get("memory", "/memory/memory")
        cls.get("exception", "/exception/exception", front=True)

    @classmethod
    def inject_headers(cls):
        cls.get("fastcgi header", "/header/fastcgi/10")
        cls.get("proxy header", "/header/proxy/12", front=True)
        cls.get("varnish header", "/header/varnish/40", front=True)

    @classmethod
    def inject_slow(cls):
        threads = [threading.Thread(target=cls.get, args=row) for row in (
            ("read timeout", "/read-timeout/read-timeout/2500"),
            ("first byte", "/wait/first-byte/3500", True),
            ("terminate", "/terminate/terminate/9000"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cls.get("wrong backend", "/wrong-backend/x", True, ())
        cls.get("nobody", "/nobody/x", False, ())
        time.sleep(2)

    @classmethod
    def inject_full_pools(cls):
        """One worker, a queue of one or two, eight visitors at once."""
        for name in ("full-unix", "full-tcp"):
            def visit(i):
                uri = "/%s/%s-%d/2500" % (name, name, i)
                cls.injected["%s %d" % (name, i)] = Injected(uri, cls.stage.get(uri)[0])

            threads = [threading.Thread(target=visit, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
                time.sleep(0.05)
            for thread in threads:
                thread.join()

    @classmethod
    def inject_varnish_panic(cls):
        thread, _ = cls.in_flight("varnish child", "/wait/varnish-child/1500", True)
        os.kill(cls.stage.varnish_child(), signal.SIGSEGV)
        thread.join()

    @classmethod
    def inject_varnish_down(cls):
        cls.stage.stop_varnish()
        cls.get("varnish down", "/varnish-down/x", True, ())

    def test_a_crash_names_its_signal_worker_and_request_at_both_hops(self):
        for fault, signo in (("segv", "SIGSEGV"), ("overflow", "SIGSEGV"), ("abort", "SIGABRT"),
                             ("bus", "SIGBUS")):
            for name in (fault, fault + " behind Varnish"):
                row = self.row(name, verdict="worker_crash", signal=signo, killer="self",
                               join=self.join, client_status=502, innocent=False)
                self.assertEqual(bool(row.get("stack_overflow")), fault == "overflow", row)
                self.assertGreaterEqual(len(row["lines"]), 2 if name == fault else 3, row)

    def test_a_signal_from_outside_is_not_called_a_crash(self):
        for name, signo in (("killed", "SIGKILL"), ("terminated", "SIGTERM")):
            self.row(name, verdict="worker_killed", signal=signo, killer="outside",
                     join=self.join, client_status=502)

    def test_an_oom_kill_is_the_kernels(self):
        if "oom" not in self.injected:
            self.skipTest("%s is not writable: no OOM kill can be made here" % cgroup.ROOT)
        self.row("oom", verdict="worker_oom_killed", signal="SIGKILL", killer="kernel",
                 join=self.join, client_status=502, innocent=False)

    def test_crashes_behind_a_200_or_499_are_found(self):
        for name, status in (("flushed", 200), ("shutdown", 200), ("finished", 200),
                             ("leaver", 499)):
            self.row(name, verdict="worker_crash", signal="SIGSEGV", client_status=status)
        uris = {death["uri"] for death in self.report["deaths_without_5xx"]}
        for name in ("flushed", "shutdown", "finished", "leaver"):
            self.assertIn(self.injected[name].uri, uris)

    def test_a_crash_that_the_next_upstream_hid_is_found(self):
        self.assertEqual(self.injected["next"].status, 200)
        rows = self.rows("next")
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual(rows[0]["verdict"], "worker_crash", rows[0])
        self.assertEqual(rows[0]["client_status"], 200)
        self.assertEqual(rows[0]["upstream_status"], self.attempts)
        self.assertEqual(len(rows[0]["pids"]), 1)
        self.assertNotEqual(rows[0]["pids"], self.injected["next"].pids)  # the survivor's note

    def test_one_502_that_cost_two_workers_names_both(self):
        rows = self.rows("both")
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual((rows[0]["verdict"], rows[0]["client_status"]), ("worker_crash", 502))
        self.assertEqual(len(set(rows[0]["pids"])), 2, rows)
        self.assertIn(self.injected["both"].pids[0], rows[0]["pids"])

    def test_a_502_that_an_error_page_turned_into_503_is_a_crash(self):
        self.row("rewritten", verdict="worker_crash", signal="SIGSEGV", client_status=503)

    def test_crashes_around_a_rotation_of_the_log_are_explained(self):
        for name in ("rotated", "after rotation"):
            self.row(name, verdict="worker_crash", signal="SIGSEGV", client_status=502)

    def test_php_errors_are_phps(self):
        self.row("memory", pids=[], verdict="php_memory_limit", client_status=500)
        self.row("exception", pids=[], verdict="php_fatal", client_status=500)

    def test_a_header_too_big_names_the_hop(self):
        self.row("fastcgi header", pids=[], verdict="header_too_big", hop="fastcgi", client_status=502)
        self.row("proxy header", pids=[], verdict="header_too_big", hop="front_proxy", client_status=502)
        self.row("varnish header", pids=[], verdict="varnish_fetch_error", client_status=503)

    def test_slow_pages_are_slow_and_not_crashed(self):
        self.row("read timeout", pids=[], verdict="php_read_timeout", client_status=504)
        self.row("first byte", pids=[], verdict="varnish_first_byte_timeout", client_status=503)
        self.row("terminate", verdict="request_timeout_killed", killer="master", client_status=502)

    def test_a_full_pool_is_exhausted_whatever_the_socket(self):
        for name, status, reason in (("full-unix", 502, "backlog_full"),
                                     ("full-tcp", 504, "connect_timeout")):
            refused = [key for key, request in self.injected.items()
                       if key.startswith(name) and request.status == status]
            self.assertGreaterEqual(len(refused), 3, self.injected)
            for key in refused:
                self.row(key, verdict="pool_exhausted", reason=reason, client_status=status)

    def test_varnish_is_blamed_for_what_is_varnishs(self):
        self.row("wrong backend", verdict="varnish_backend_unreachable", innocent=True,
                 client_status=503)
        self.row("varnish child", verdict="varnish_child_died", innocent=True, client_status=502,
                 pids=[])
        self.row("nobody", verdict="fpm_down", innocent=True, client_status=502)
        self.row("varnish down", verdict="varnish_down", innocent=True, client_status=502)

    def test_nothing_else_is_reported(self):
        failed = {request.uri for request in self.injected.values() if request.status != 200}
        failed |= {self.injected[name].uri for name in ("flushed", "shutdown", "finished", "next")}
        self.assertEqual({row["uri"] for row in self.report["rows"]}, failed)
        self.assertEqual(set(self.visitors.answers), {200})


class FaultsWithoutIds(Faults):
    """The same with the log format of many hosts: whole seconds, no request id, no upstreams."""

    join, attempts = "strong", []

    @classmethod
    def make_stage(cls):
        return varnish_stage.VarnishStage(log_format="stock", request_id=False)


class Restarts(Live):
    """`fpmscope collect` beside a php-fpm that is reloaded, restarted, stopped and shot."""

    @classmethod
    def make_stage(cls):
        return varnish_stage.VarnishStage(
            daemon=True, global_extra="emergency_restart_threshold = 3\n"
            "emergency_restart_interval = 60s")

    @classmethod
    def inject_all(cls):
        time.sleep(0.5)
        cls.inject_hard_reload()
        cls.inject_emergency()
        cls.inject_graceful_reload()
        cls.inject_restart()
        cls.inject_hard_death()

    @classmethod
    def wait_for_pool(cls, before):
        """Until all workers are others than `before`."""
        stage.wait_for("new workers", lambda: cls.stage.workers() and
                       not set(cls.stage.workers()) & set(before), 15)
        stage.wait_for("an answer", lambda: cls.stage.get("/healthy/")[0] == 200)

    @classmethod
    def inject_hard_reload(cls):
        before = cls.stage.workers()
        thread, _ = cls.in_flight("reload", "/wait/reload/20000")
        other, _ = cls.in_flight("reload behind Varnish", "/wait/reload-front/1900", True)
        cls.stage.run.send_signal(signal.SIGUSR2)
        thread.join()
        other.join()
        cls.wait_for_pool(before)

    @classmethod
    def inject_emergency(cls):
        before = cls.stage.workers()
        thread, _ = cls.in_flight("bystander", "/wait/bystander/20000")
        for i in range(3):
            cls.get("culprit %d" % i, "/segv/culprit-%d/100" % i)
        thread.join()
        cls.wait_for_pool(before)

    @classmethod
    def inject_graceful_reload(cls):
        """The timeout that counts is the one of the configuration that is running."""
        cls.stage.settings["global_extra"] = "process_control_timeout = 10s"
        cls.stage.write_configuration()
        before = cls.stage.workers()
        cls.stage.run.send_signal(signal.SIGUSR2)
        cls.wait_for_pool(before)
        before = cls.stage.workers()
        cls.patient = []
        thread = threading.Thread(
            target=lambda: cls.patient.append(cls.stage.get("/wait/patient/1500")[0]))
        thread.start()
        cls.stage.pid_of("patient")
        cls.stage.run.send_signal(signal.SIGUSR2)
        thread.join()
        cls.wait_for_pool(before)
        cls.stage.settings["global_extra"] = ""
        cls.stage.write_configuration()
        before = cls.stage.workers()
        cls.stage.run.send_signal(signal.SIGUSR2)
        cls.wait_for_pool(before)

    @classmethod
    def inject_restart(cls):
        thread, _ = cls.in_flight("restart", "/wait/restart/20000")
        cls.stage.run.send_signal(signal.SIGTERM)
        thread.join()
        cls.stage.run.wait(15)
        for i in range(3):
            cls.get("stopped %d" % i, "/stopped/%d" % i, False, ())
        time.sleep(1.2)
        cls.stage.start_fpm()
        cls.stage.get("/healthy/")

    @classmethod
    def inject_hard_death(cls):
        """SIGKILL for all: the socket stays behind."""
        workers = cls.stage.workers()
        for pid in [cls.stage.run.pid] + workers:
            os.kill(pid, signal.SIGKILL)
        cls.stage.run.wait(15)
        time.sleep(0.2)
        for i in range(3):
            cls.get("shot %d" % i, "/shot/%d" % i, False, ())

    def test_a_hard_reload_is_told_and_its_victims_are_innocent(self):
        for name in ("reload", "reload behind Varnish"):
            self.row(name, verdict="pool_restart", reason="reload", innocent=True,
                     client_status=502, join="exact")

    def test_an_emergency_restart_is_told_and_points_at_its_culprit(self):
        row = self.row("bystander", verdict="pool_restart", reason="emergency_restart",
                       innocent=True, client_status=502)
        self.assertIn("/segv/culprit", str(row.get("culprit")), row)

    def test_the_culprits_of_an_emergency_restart_crashed(self):
        for i in range(3):
            self.row("culprit %d" % i, verdict="worker_crash", signal="SIGSEGV", innocent=False)

    def test_a_graceful_reload_leaves_no_row(self):
        self.assertEqual(self.patient, [200])
        self.assertNotIn("/wait/patient/1500", {row["uri"] for row in self.report["rows"]})

    def test_a_restart_is_told_and_the_time_without_php_too(self):
        self.row("restart", verdict="pool_restart", reason="restart", innocent=True,
                 client_status=502)
        for i in range(3):
            self.row("stopped %d" % i, verdict="fpm_down", innocent=True, client_status=502)

    def test_a_socket_that_nobody_listens_on_is_told(self):
        for i in range(3):
            self.row("shot %d" % i, verdict="fpm_down", innocent=True, client_status=502)

    def test_nothing_else_is_reported(self):
        self.assertEqual({row["uri"] for row in self.report["rows"]},
                         {request.uri for request in self.injected.values()})


if __name__ == "__main__":
    unittest.main(verbosity=2)
