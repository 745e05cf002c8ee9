#!/usr/bin/env python3
"""test_gateway_upstream.py - failures between nginx and its upstreams that a client hardly sees.

A connection to Varnish that nginx keeps and Varnish closes in the moment of the next request; a
crash behind a page that nginx then serves from its cache.
"""
import http.client
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage          # noqa: E402
import varnish_stage  # noqa: E402

VARNISH_IDLE_S = 5  # Varnish closes a client's connection after that (timeout_idle)


class Upstream(unittest.TestCase):
    join = "exact"

    @classmethod
    def make_stage(cls):
        return varnish_stage.VarnishStage()

    @classmethod
    def setUpClass(cls):
        with cls.make_stage() as stand:
            stand.start()
            with varnish_stage.Background(stand, through_varnish=False):
                cls.inject_stale(stand)
                cls.kept = cls.inject_kept(stand)
            time.sleep(1.5)
            report = stand.json("502", "--all")
            cls.error_log = stage.text_of(stand.path("error.log"))
        cls.rows = {}
        for row in report["rows"]:
            cls.rows.setdefault(row["uri"], []).append(row)
        cls.deaths = report["deaths_without_5xx"]

    @classmethod
    def inject_stale(cls, stand):
        uri = "/stale/stale"
        cls.stale = [stand.get(uri)]
        time.sleep(2.2)  # the cached copy is too old, and good enough when php-fpm fails
        cls.stale.append(stand.get(uri))
        cls.stale_pid = stand.pid_of("stale")

    @staticmethod
    def inject_kept(stand):
        """nginx is stopped; the POST arrives, then Varnish hangs up; nginx goes on: what is new comes
        first, so it takes the connection that is closed already."""
        worker = int(stage.text_of("/proc/%d/task/%d/children" % ((stand.nginx.pid,) * 2)).split()[0])
        client = http.client.HTTPConnection("127.0.0.1", stand.kept_port, timeout=60)
        client.request("GET", "/healthy/warm")
        assert client.getresponse().read() is not None
        os.kill(worker, signal.SIGSTOP)
        try:
            client.request("POST", "/healthy/kept", body=b"order=1")
            time.sleep(VARNISH_IDLE_S + 1.5)
        finally:
            os.kill(worker, signal.SIGCONT)
        response = client.getresponse()
        response.read()
        client.close()
        return response.status

    def test_a_kept_connection_that_varnish_closed_is_told_and_php_is_not_blamed(self):
        self.assertEqual(self.kept, 502, self.error_log[-500:])
        rows = self.rows.get("/healthy/kept", [])
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual((rows[0]["verdict"], rows[0]["innocent"], rows[0]["pids"],
                          rows[0]["client_status"], rows[0]["method"]),
                         ("upstream_keepalive_reset", True, [], 502, "POST"), rows[0])
        self.assertIn("timeout_idle", rows[0]["advice"])

    def test_a_crash_behind_a_stale_copy_is_found(self):
        self.assertEqual([status for status, _ in self.stale], [200, 200])
        self.assertEqual(self.stale[0][1], self.stale[1][1])  # the copy
        rows = self.rows.get("/stale/stale", [])
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual((rows[0]["verdict"], rows[0]["signal"], rows[0]["pids"],
                          rows[0]["client_status"], rows[0]["join"]),
                         ("worker_crash", "SIGSEGV", [self.stale_pid], 200, self.join), rows[0])
        self.assertIn("/stale/stale", {death["uri"] for death in self.deaths})

    def test_nothing_else_is_reported(self):
        self.assertEqual(set(self.rows), {"/healthy/kept", "/stale/stale"})


class UpstreamWithoutIds(Upstream):
    join = "strong"

    @classmethod
    def make_stage(cls):
        return varnish_stage.VarnishStage(log_format="stock", request_id=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
