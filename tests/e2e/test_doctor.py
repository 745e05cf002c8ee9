#!/usr/bin/env python3
"""test_doctor.py - `fpmscope doctor` on a real php-fpm and nginx: a healthy stage, and a broken one.

Other php-fpms and Varnishes may run on this machine, so the doctor is told which masters to look at,
and nothing is asserted about what the whole machine decides (swap, OOM kills, who holds memory).
"""
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shop   # noqa: E402
import stage  # noqa: E402

OF_THE_MACHINE = {"swap", "cgroup", "oom_score", "oom_kills", "memory_holders", "varnish",
                  "varnish_backend", "varnish_headers", "kernel_log", "blind_spots", "other_preloads"}


class DoctorCase(unittest.TestCase):
    """A stage with some traffic, and the doctor's findings by id."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.stage = stage.Stage(workers=3, **cls.settings)
        cls.stage.docroot = shop.write_shop(cls.stage.path("shop"), shop.demo_pages())
        cls.stage.start()
        cls.stage.drive(["/catalog/product/view/"] * 40)
        time.sleep(1.5)
        cls.report = cls.stage.json("doctor", *cls.selection())
        cls.checks = {check["id"]: check for check in cls.report["checks"]}

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()
        cls.stage.__exit__()

    @classmethod
    def fpm_pid(cls):
        with open(cls.stage.path("fpm.pid")) as pid:
            return pid.read().strip()

    @classmethod
    def selection(cls):
        return ["--fpm", cls.fpm_pid(), "--nginx", str(cls.stage.nginx.pid)]

    def doctor(self, *options, **how):
        return subprocess.run([self.stage.fpmscope, "doctor"] + self.selection() + list(options),
                              capture_output=True, text=True, env=self.stage.environment(),
                              timeout=60, **how)

    def assert_check(self, name, state, evidence="", fix=""):
        check = self.checks[name]
        self.assertEqual(check["state"], state, check)
        self.assertIn(evidence, "\n".join(check["evidence"]))
        self.assertIn(fix, check["fix"])


class Healthy(DoctorCase):
    settings = dict(pool_extra="request_terminate_timeout = 90s",
                    global_extra="process_control_timeout = 20s",
                    nginx_extra="fastcgi_buffers 16 16k; fastcgi_buffer_size 32k;")

    def test_everything_that_the_stage_decides_is_ok(self):
        for name, check in self.checks.items():
            if name not in OF_THE_MACHINE:
                self.assertEqual(check["state"], "ok", check)

    def test_the_summary_counts_the_checks(self):
        counts = {}
        for check in self.report["checks"]:
            counts[check["state"]] = counts.get(check["state"], 0) + 1
        for state in ("ok", "skipped", "warn", "fail"):
            self.assertEqual(self.report["summary"][state], counts.get(state, 0), state)

    def test_whatever_is_bad_has_evidence_and_a_fix(self):
        for check in self.report["checks"]:
            self.assertTrue(check["evidence"], check)
            if check["state"] in ("warn", "fail"):
                self.assertTrue(check["fix"], check)

    def test_the_master_its_pool_and_its_version_are_found(self):
        version = subprocess.run([stage.PHP_FPM, "-v"], capture_output=True, text=True).stdout
        self.assert_check("fpm_running", "ok", "PHP %s, 1 pool, 3 workers" % version.split()[1])

    def test_memory_is_a_sum_over_the_pool(self):
        self.assertRegex("\n".join(self.checks["pool_memory"]["evidence"]),
                         r"pool www: 3 workers x [0-9.]+ MB = [0-9.]+ MB of [0-9.]+ GB")

    def test_nothing_was_changed_by_looking(self):
        self.assertEqual(self.doctor().returncode, 0)
        coverage = self.stage.json("summary")["coverage"]
        self.assertFalse([n for n in coverage["notes"] if "stranger" in n.lower()], coverage)

    def test_in_a_pipe_each_check_is_a_line_of_five_cells(self):
        lines = self.doctor().stdout.splitlines()
        self.assertEqual(len(lines), len(self.checks))
        self.assertEqual({line.count("\t") for line in lines}, {4})

    def test_a_log_that_is_unreadable_or_no_log_is_named(self):
        garbage, folder = self.stage.path("garbage.log"), self.stage.path("tmp")
        with open(garbage, "w") as out:
            out.write("nobody\nknows\nthis\n" * 9)
        report = self.stage.json("doctor", "--log", garbage, "--log", folder,
                                 "--log", "/nonexistent/a.log", *self.selection())
        check = next(c for c in report["checks"] if c["id"] == "logs")
        text = "\n".join(check["evidence"])
        self.assertEqual(check["state"], "warn")
        self.assertIn(garbage + ": its format is not recognised", text)
        self.assertIn(folder + ": is a directory", text)
        self.assertIn("/nonexistent/a.log: does not exist", text)

    @unittest.skipUnless(os.getuid() == 0, "only root can become nobody")
    def test_an_ordinary_user_is_told_what_stays_hidden(self):
        secret = self.stage.path("secret.log")
        with open(secret, "w") as out:
            out.write("x\n")
        os.chmod(secret, 0o600)
        run = self.doctor("--log", secret, user="nobody")
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = {line.split("\t")[1]: line for line in run.stdout.splitlines()}
        self.assertTrue(rows["shim_loaded"].startswith("skipped"), rows["shim_loaded"])
        self.assertIn("run as root", rows["shim_loaded"])
        self.assertIn(secret + ": Permission denied", rows["logs"])
        self.assertTrue(rows["collector"].startswith("skipped"), rows["collector"])

    def test_wrong_arguments_are_usage_errors(self):
        for wrong in (["--fail-on", "maybe"], ["--fpm", "one"], ["file"]):
            self.assertEqual(self.doctor(*wrong).returncode, 2, wrong)


class Broken(DoctorCase):
    settings = dict(shim=False, request_id=False, log_format="combined",
                    pool_extra="listen.backlog = 4",
                    global_extra="emergency_restart_threshold = 3\nemergency_restart_interval = 60s",
                    max_requests=50)

    def test_php_fpm_without_the_shim_fails_with_the_line_to_add(self):
        self.assert_check("shim_loaded", "fail", "runs without libfpmscope.so", "LD_PRELOAD=")

    def test_a_missing_request_id_is_the_exact_line(self):
        self.assert_check("request_id", "warn", self.stage.path("nginx.conf"),
                          "fastcgi_param REQUEST_ID $request_id;")
        self.assert_check("request_id_logged", "warn", self.stage.path("access.log"),
                          "$request_id")

    def test_a_small_backlog_is_warned_of(self):
        self.assert_check("listen_backlog", "warn", "listen.backlog 4", "listen.backlog = 511")

    def test_settings_that_turn_one_bad_request_into_many_are_named(self):
        self.assert_check("emergency_restart", "warn", "3 crashes in 60s")
        self.assert_check("control_timeout", "warn", "", "process_control_timeout")
        self.assert_check("terminate_timeout", "warn", "", "request_terminate_timeout = 70s")
        self.assert_check("max_requests", "warn", "50")
        self.assert_check("header_buffers", "warn", "4096", "fastcgi_buffer_size 32k")

    def test_no_collector_and_no_store_are_said(self):
        self.assert_check("collector", "warn", self.stage.socket, "fpmscope collect")
        self.assert_check("store", "warn")

    def test_fail_on_decides_the_exit_code(self):
        self.assertEqual(self.doctor().returncode, 0)
        self.assertEqual(self.doctor("--fail-on", "warn").returncode, 1)
        self.assertEqual(self.doctor("--fail-on", "fail").returncode, 1)

    def test_a_program_that_others_may_write_is_never_run(self):
        """A process may call itself php-fpm; its program is not run when others may write it."""
        fake = self.stage.path("php-fpm9.9")
        with open("/bin/sleep", "rb") as source, open(fake, "wb") as out:
            out.write(source.read())
        os.chmod(fake, 0o777)
        process = subprocess.Popen(["php-fpm: master process (/nonexistent.conf)", "60"],
                                   executable=fake)
        try:
            report = self.stage.json("doctor", "--fpm", str(process.pid))
            layout = next(c for c in report["checks"] if c["id"] == "php_layout")
            self.assertIn("others than root may write its program", "\n".join(layout["evidence"]))
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    unittest.main(verbosity=2)
