#!/usr/bin/env python3
"""test_log_formats.py - access logs in a log_format of the shop's own, followed while the collector
runs: the format is given on the command line, or is taken from nginx's configuration.
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage  # noqa: E402

# No parser recognises it by itself: other order, other brackets, no date that looks like one.
FORMAT = ('<$status> {$request_method} "$request_uri" at $msec id=[$request_id] '
          '($remote_addr|$remote_port) took=$request_time up=$upstream_status/$upstream_addr')

PAGES = {"index.php": r"""<?php
if (str_contains($_SERVER['REQUEST_URI'], 'broken'))
    FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(null, 0, 16);
echo "done";
"""}


class OwnFormat(stage.Stage):
    """nginx writes FORMAT; `options` are how the collector is told."""

    nginx_conf = stage.NGINX_CONF.replace(
        "access_log {dir}/access.log {log_format};", "log_format own '%s';\n    access_log "
        "{dir}/own.log own;" % FORMAT.replace("{", "{{").replace("}", "}}"))
    options = ()

    def __init__(self):
        super().__init__(workers=2)
        self.docroot = self.path("web")
        os.mkdir(self.docroot)
        with open(os.path.join(self.docroot, "index.php"), "w") as out:
            out.write(PAGES["index.php"])

    def log_options(self):
        return ["--no-find-logs", "--log", self.path("fpm.log")] + [
            word.replace("{dir}", self.dir) for word in self.options]


class Given(OwnFormat):
    options = ("--log", "{dir}/own.log", "--log-format", FORMAT)


class FromNginx(OwnFormat):
    options = ("--nginx-config", "{dir}/nginx.conf")


class StartedLater(OwnFormat):
    """Nobody names nginx's log, and when the collector starts no nginx runs that would."""

    def log_options(self):
        return ["--log", self.path("fpm.log")]

    def start(self):
        super().start()
        stage.wait_for("own.log to be followed", lambda: "own.log" in str(self.followed()), 20)
        return self

    def followed(self):
        with sqlite3.connect("file:%s/fpmscope.db?mode=ro" % self.data, uri=True) as db:
            return db.execute("SELECT path FROM log_file").fetchall()


class Reloaded(StartedLater):
    """nginx is told of another log while everything runs; it keeps its pid and its title."""

    def start(self):
        super().start()
        text = stage.text_of(self.path("nginx.conf"))
        with open(self.path("nginx.conf"), "w") as out:
            out.write(text.replace("/own.log own;", "/new-own.log own;"))
        self.nginx.send_signal(signal.SIGHUP)
        stage.wait_for("new-own.log to be followed", lambda: "new-own.log" in str(self.followed()), 40)
        return self


class Unknown(OwnFormat):
    options = ("--log", "{dir}/own.log")


def row_of_the_crash(cls):
    """The row of the one crash among 40 requests, and the pid of the worker that died."""
    with cls() as st:
        st.start()
        for i in range(20):
            st.get("/fine/%d" % i)
        status, _ = st.get("/broken?basket=secret")
        for i in range(20):
            st.get("/fine/%d" % i)
        time.sleep(2.5)
        rows = [row for row in st.json("502")["rows"] if "broken" in row["uri"]]
        deaths = st.json("crashes")["crashes"]
        return status, rows, deaths


class LogFormats(unittest.TestCase):
    def expect_exact(self, cls):
        status, rows, deaths = row_of_the_crash(cls)
        self.assertEqual(status, 502)
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual(rows[0]["verdict"], "worker_crash")
        self.assertEqual(rows[0]["client_status"], 502)
        self.assertEqual(rows[0]["join"], "exact")
        self.assertEqual(rows[0]["pids"], [deaths[0]["pid"]])
        self.assertTrue(any("own.log" in line["file"] for line in rows[0]["lines"]), rows[0])
        self.assertNotIn("secret", str(rows[0]))

    def test_a_format_given_on_the_command_line_ties_the_502_to_its_worker(self):
        self.expect_exact(Given)

    def test_a_format_found_in_the_configuration_of_nginx_does_the_same(self):
        self.expect_exact(FromNginx)

    def test_the_logs_of_an_nginx_that_starts_after_the_collector_are_found(self):
        self.expect_exact(StartedLater)

    def test_a_log_that_a_reload_of_nginx_adds_is_found(self):
        self.expect_exact(Reloaded)

    def test_without_its_format_the_log_says_nothing_and_nothing_is_invented(self):
        _, rows, _ = row_of_the_crash(Unknown)
        self.assertFalse([row for row in rows if row.get("client_status")], rows)

    def test_without_a_store_502_asks_the_nginx_that_runs_and_reads_the_rotated_logs_too(self):
        with OwnFormat() as st:
            st.start()
            st.get("/broken?basket=secret")
            st.get("/fine")
            time.sleep(1.5)
            os.rename(st.path("own.log"), st.path("own.log.1"))
            open(st.path("own.log"), "w").close()
            env = dict(os.environ, FPMSCOPE_DATA=st.path("no-store"))
            run = subprocess.run([st.fpmscope, "502", "--today", "--json"], capture_output=True,
                                 text=True, env=env, timeout=60, stdin=subprocess.DEVNULL)
            rows = [row for row in json.loads(run.stdout)["rows"] if "broken" in row["uri"]]
            self.assertEqual([row["client_status"] for row in rows], [502], run.stderr)
            self.assertTrue(any(line["file"] == st.path("own.log.1") for line in rows[0]["lines"]))
            # The php-fpm that runs names its log in a file that no distribution knows.
            self.assertEqual(rows[0]["verdict"], "worker_crash")

    def test_a_format_that_cannot_be_used_is_refused_at_once(self):
        run = subprocess.run([os.path.join(stage.ROOT, "build", "fpmscope"), "collect",
                              "--log-format", "$remote_addr $host"], capture_output=True, text=True,
                             timeout=20)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("log format '$remote_addr $host' cannot be used", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
