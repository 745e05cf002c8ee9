#!/usr/bin/env python3
"""test_doctor_varnish.py - the doctor's questions about Varnish, put to a real varnishd.

Which vhosts pass through it, does it reach nginx, how large may headers be; then nginx's back port is
gone, then Varnish itself.
"""
import os
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage          # noqa: E402
import varnish_stage  # noqa: E402


class Varnish(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = varnish_stage.VarnishStage(varnish_options=["-p", "http_resp_hdr_len=4k"])
        try:
            cls.stage.start()
            cls.pid = cls.stage.varnish.pid
            cls.well = cls.examine()
            cls.without_nginx = cls.examine_without_nginx()
            cls.stage.stop_varnish()
            cls.down = cls.examine()
        finally:
            cls.stage.__exit__()

    @classmethod
    def examine(cls):
        with open(cls.stage.path("fpm.pid")) as pid:
            fpm = pid.read().strip()
        report = cls.stage.json("doctor", "--fpm", fpm, "--nginx", str(cls.stage.nginx.pid),
                                "--varnish", str(cls.pid))
        return {check["id"]: check for check in report["checks"]}

    @classmethod
    def examine_without_nginx(cls):
        """nginx loads a configuration without the server that Varnish speaks to."""
        with open(cls.stage.path("nginx.conf")) as conf:
            whole = conf.read()
        other_port = stage.free_port()
        with open(cls.stage.path("nginx.conf"), "w") as out:
            out.write(whole.replace("listen 127.0.0.1:%d;" % cls.stage.back_port,
                                    "listen 127.0.0.1:%d;" % other_port))
        cls.stage.nginx.send_signal(signal.SIGHUP)
        stage.wait_for("nginx to leave the port", lambda: not cls.listens(cls.stage.back_port))
        try:
            return cls.examine()
        finally:
            with open(cls.stage.path("nginx.conf"), "w") as out:
                out.write(whole)
            cls.stage.nginx.send_signal(signal.SIGHUP)
            stage.wait_for("nginx's back port", lambda: cls.listens(cls.stage.back_port))

    @staticmethod
    def listens(port):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def check(self, report, name, state, evidence="", fix=""):
        check = report[name]
        self.assertEqual(check["state"], state, check)
        self.assertIn(evidence, "\n".join(check["evidence"]))
        self.assertIn(fix, check["fix"])
        return "\n".join(check["evidence"])

    def test_the_vhosts_that_pass_through_varnish_are_listed(self):
        text = self.check(self.well, "varnish", "ok", "varnishd runs (pid %d)" % self.pid)
        self.assertEqual(text.count("passes through Varnish"), 2, text)  # directly, by an upstream
        self.assertIn("127.0.0.1:%d" % self.stage.varnish_port, text)
        self.assertIn("nginx.conf:", text)

    def test_each_backend_of_the_vcl_is_tried(self):
        text = self.check(self.well, "varnish_backend", "fail",
                          "backend 127.0.0.1:%d accepts connections" % self.stage.back_port)
        self.assertIn("backend 127.0.0.1:%d: Connection refused" %
                      self.stage.settings["closed_port"], text)

    def test_a_backend_port_that_nginx_left_fails_with_what_to_do(self):
        self.check(self.without_nginx, "varnish_backend", "fail",
                   "backend 127.0.0.1:%d: Connection refused" % self.stage.back_port,
                   "let nginx listen on 127.0.0.1:")

    def test_header_sizes_of_varnish_are_judged(self):
        self.check(self.well, "varnish_headers", "warn", "varnishd: http_resp_hdr_len 4096",
                   "http_resp_hdr_len=64k")

    def test_vhosts_without_their_varnish_fail(self):
        text = self.check(self.down, "varnish", "fail", "varnishd does not run")
        self.assertIn("passes through Varnish", text)
        self.check(self.down, "varnish_backend", "skipped")
        self.check(self.down, "varnish_headers", "skipped")


if __name__ == "__main__":
    unittest.main(verbosity=2)
