#!/usr/bin/env python3
"""test_502_output.py - what `fpmscope 502` prints, on terminals of several widths and into a pipe.

URIs are an attacker's words: nothing of them may reach a terminal as a control sequence, and no line
may be wider than the terminal, nor any row of a pipe be more or less than one line of its fields.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage     # noqa: E402
import terminal  # noqa: E402

FPMSCOPE = os.path.join(stage.ROOT, "build", "fpmscope")
EVIL = ["/\x1b]0;owned\x07\x1b[2J", "/\x9b31mred", "/a\tb\tc", "/a\nb\r\nc", "/\x7f\x08\x08\x08",
        "/\u202eexe.gpj", "/\u5c71\u5c71" * 40, "/" + "long/" * 200, "/=cmd|' /C calc'!A0", "/{uri}%s%n"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="fpmscope-e2e-")
        cls.log = os.path.join(cls.folder.name, "access.log")
        cls.errors = os.path.join(cls.folder.name, "error.log")
        with open(cls.log, "w") as access, open(cls.errors, "w") as errors:
            for i, uri in enumerate(EVIL):
                access.write(json.dumps({
                    "time": "2026-11-22T05:38:%02d+00:00" % i, "remote_addr": "192.0.2.%d" % (i + 1),
                    "host": "shop.example\x1b[1m", "request_method": "GET", "request_uri": uri,
                    "status": "502", "user_agent": "\x1b[5mblink", "request_time": "0.1",
                    "handler": "phpfpm"}) + "\n")
                errors.write("2026/11/22 05:38:%02d [error] 7#7: *3 connect() failed (111: Connection "
                             "refused) while connecting to upstream, client: 192.0.2.%d, server: _, "
                             "request: \"GET /x HTTP/1.1\", upstream: \"fastcgi://127.0.0.1:9\x1b[7m\", "
                             "host: \"shop.example\"\n" % (i, i + 1))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def on_terminal(self, columns, *options, colour=False):
        """What a terminal of that width gets."""
        command = [FPMSCOPE, "502", "--all", *options, self.log, self.errors]
        status, text = terminal.on_terminal(command, columns, os.environ, colour)
        self.assertEqual(status, 0, text)
        return text

    def in_pipe(self, *options):
        run = subprocess.run([FPMSCOPE, "502", "--all"] + list(options) + [self.log, self.errors],
                             stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return run.stdout.decode()

    def assert_harmless(self, text, allowed="\n"):
        for char in COLOUR.sub("", text):
            self.assertTrue(char in allowed or (char.isprintable() and char != "\u202e"),
                            "%r in %r" % (char, text[:2000]))

    def exit_status(self, *words):
        return subprocess.run([FPMSCOPE, *words], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False).returncode

    def test_the_list_of_fields_fits_the_terminal_and_is_a_line_each_elsewhere(self):
        _, text = terminal.on_terminal([FPMSCOPE, "502", "--list-fields"], 80, os.environ)
        for line in text.splitlines():
            self.assertLessEqual(terminal.width_of(line), 80, line)
        piped = subprocess.run([FPMSCOPE, "502", "--list-fields"], capture_output=True, text=True,
                               check=True).stdout
        self.assertTrue(all(line[0] != " " for line in piped.splitlines()), piped)

    def test_fail_on_takes_causes_that_there_are(self):
        logs = (self.log, self.errors)
        causes = {row["verdict"] for row in json.loads(self.in_pipe("--json"))["rows"]}
        self.assertEqual(causes, {"unknown"})
        for what in ("--fail-on", "--fail-on=any", "--fail-on=unknown", "--fail-on=php_fatal,unknown"):
            self.assertEqual(self.exit_status("502", what, *logs), 1, what)
        for what in ("--fail-on=php_fatal", "--fail-on=worker_crash,php_fatal"):
            self.assertEqual(self.exit_status("502", what, *logs), 0, what)
        for what in ("--fail-on=unknow", "--fail-on=unknown,fpm", "--fail-on=", "--fail-on=is_unknown"):
            self.assertEqual(self.exit_status("502", what, *logs), 2, what)
        self.assertEqual(self.exit_status("summary", "--fail-on", "leaks"), 2)

    def test_no_control_sequence_reaches_a_terminal(self):
        for colour in (False, True):
            text = self.on_terminal(100, colour=colour)
            self.assert_harmless(text)
            self.assertEqual("\x1b[2J" in text or "owned\x07" in text, False)
        self.assertNotIn("\x1b", self.on_terminal(100))

    def test_lines_fit_the_terminal(self):
        for columns in (80, 100, 120, 200):
            for line in self.on_terminal(columns).split("\n"):
                if not line.startswith("note:"):
                    self.assertLessEqual(terminal.width_of(line), columns, (columns, line))

    def test_fields_and_formats_are_harmless_on_a_terminal_too(self):
        self.assert_harmless(self.on_terminal(80, "--fields", "time,uri,host,user_agent"))
        self.assert_harmless(self.on_terminal(80, "--format", "{uri} {host} {user_agent} {why}"))

    def test_a_pipe_gets_one_line_of_tabs_a_row(self):
        lines = self.in_pipe().split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual(len(lines), len(EVIL))
        self.assertEqual({line.count("\t") for line in lines}, {10})
        for line in lines:
            self.assert_harmless(line, "\t")

    def test_chosen_fields_come_in_the_order_asked_for(self):
        lines = self.in_pipe("--fields", "status,remote_addr,cause").splitlines()
        self.assertEqual(lines[0].split("\t")[:2], ["502", "192.0.2.1"])
        self.assertEqual({line.count("\t") for line in lines}, {2})

    def test_a_format_is_one_line_a_row_and_fills_no_braces_of_the_attackers(self):
        lines = self.in_pipe("--format", "{status} {uri}").splitlines()
        self.assertEqual(len(lines), len(EVIL))
        self.assertIn("502 /{uri}%s%n", lines)

    def test_json_keeps_the_bytes_and_breaks_nothing(self):
        rows = json.loads(self.in_pipe("--json"))["rows"]
        self.assertEqual({row["uri"] for row in rows}, set(EVIL))


if __name__ == "__main__":
    unittest.main(verbosity=2)
