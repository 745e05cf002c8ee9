#!/usr/bin/env python3
"""test_shim_processes.py - masters, workers and their children under the shim, one line a fact.

    tests/e2e/test_shim_processes.py [WORD...]     only facts whose names contain a word

Needs build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when a fact is none.
"""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from facts import Skip, needs_root  # noqa: E402
from shim_stage import HELLO, LEAK, PHP_FPM, SHIM, Sink, Stage, delta, get_many  # noqa: E402


def a_reload_keeps_the_shim():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        fpm.body("/hello.php?before")
        before = stage.sink.request("/hello.php?before")["from_pid"]
        os.kill(fpm.pid, signal.SIGUSR2)
        stage.sink.wait("HELLO", 2, role=1)
        fpm.body("/hello.php?after")
        after = stage.sink.request("/hello.php?after")["from_pid"]
        masters = stage.sink.wait("HELLO", 2, role=2)
    assert before != after and {m["pid"] for m in masters} == {fpm.pid}, masters


def the_last_request_of_a_worker_is_told():
    """At max_requests, and at a graceful stop, php-fpm leaves its loop without another accept()."""
    with Stage() as stage:
        fpm = stage.fpm(scripts={"leak.php": LEAK, "slow.php": "<?php usleep(300000); echo 1;"},
                        pool="pm.max_requests=3")
        get_many(fpm, "/leak.php", 9)
        requests = [stage.sink.request(f"/leak.php?n={i}") for i in range(9)]
        with fpm.connect() as conn:
            conn.sendall(fcgi_client.request(fpm.script("/slow.php"), "/slow.php"))
            time.sleep(0.1)
            os.kill(fpm.workers()[0], signal.SIGQUIT)
            fcgi_client.read_response(conn)
        slow = stage.sink.request("/slow.php")
    assert [r["seq"] for r in requests] == [1, 2, 3] * 3, requests
    assert [delta(r) for r in requests][2::3] == [65544] * 3, [delta(r) for r in requests]
    assert slow["status"] == 200 and slow["zend_peak_bytes"] > 0, slow


def a_daemonizing_master_is_no_worker():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO}, daemonize=True)
        fpm.body("/hello.php?a")
        worker = stage.sink.request("/hello.php?a")["from_pid"]
        pages = stage.page_names()
        os.kill(fpm.pid, signal.SIGUSR2)
        stage.sink.wait("HELLO", 2, role=1)
        fpm.body("/hello.php?b")
        again = stage.sink.request("/hello.php?b")["from_pid"]
        forked = {f["child"] for f in stage.sink.all("FORK")}
        fpm.pid = int((fpm.dir / "fpm.pid").read_text())  # it has daemonized once more
    assert [name.split("-")[0] for name in pages] == [str(worker)], (pages, worker)
    assert worker in forked and again in forked and again != worker, (forked, worker, again)


def scripts_and_their_children_do_not_see_the_shim():
    script = '''<?php echo getenv("LD_PRELOAD"), "|",
        shell_exec("cat /proc/self/maps; env; ls /proc/self/fd | sort -n | tail -1");'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"env.php": script}, pool="clear_env=no",
                        env={"LD_PRELOAD": f"{SHIM}:libz.so.1"})
        body = fpm.body("/env.php").decode()
        preload, _, rest = body.partition("|")
    assert preload == "libz.so.1", preload
    assert "libfpmscope" not in rest and "LD_PRELOAD=libz.so.1" in rest, rest[-2000:]
    assert int(rest.split()[-1]) < 100, rest[-200:]


def a_forked_child_of_a_worker_says_nothing():
    script = '''<?php $c = FFI::cdef("int fork(void); void _exit(int n);
            int waitpid(int p, int *s, int o); void *malloc(size_t n);");
        $pid = $c->fork();
        if ($pid == 0) { $c->malloc(1 << 20); $c->_exit(0); }
        $c->waitpid($pid, null, 0); echo 1;'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"fork.php": script, "hello.php": HELLO})
        get_many(fpm, "/fork.php", 3)
        fpm.body("/hello.php")
        stage.sink.request("/hello.php")
        worker = fpm.workers()[0]
        senders = {pid for pid, _, _ in stage.sink.messages}
    assert senders == {worker, fpm.pid}, (senders, worker, fpm.pid)
    assert len(stage.sink.all("REQUEST")) == 4


def a_chrooted_pool_reports_and_reconnects():
    needs_root()
    with Stage() as stage:
        root = stage.dir / "root"
        root.mkdir()
        root.chmod(0o755)
        fpm = stage.fpm(scripts={"hello.php": HELLO}, chroot=root)
        fpm.body("/hello.php?1")
        first = stage.sink.request("/hello.php?1")
        stage.sink.close()
        fpm.body("/hello.php?lost")
        stage.sink = Sink(stage.socket)
        end = time.monotonic() + 20
        while not stage.sink.all("HELLO", role=1) and time.monotonic() < end:
            fpm.body("/hello.php?poll")
            time.sleep(0.2)
        hello = stage.sink.wait("HELLO", role=1)[0]
        fpm.body("/hello.php?2")
        second = stage.sink.request("/hello.php?2")
    assert first["from_pid"] == second["from_pid"] == hello["pid"], (first, second, hello)
    assert second["seq"] > first["seq"] + 1 and second["status"] == 200


def a_worker_killed_outright_leaves_its_page():
    script = '''<?php function eat() { return str_repeat("x", 9 << 20); } $s = eat();
        posix_kill(getmypid(), 9);'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"die.php": script, "hello.php": HELLO})
        fpm.body("/hello.php")
        worker = fpm.workers()[0]
        try:
            fpm.get("/die.php?secret")
            raise AssertionError("it lives")
        except ConnectionError:
            pass
        reap = stage.sink.wait("REAP", child=worker)[0]
        kill = stage.sink.wait("KILL", target=worker)[0]
        page = next(stage.pages.glob(f"{worker}-*")).read_bytes()
    assert reap["status"] == 9 and reap["from_pid"] == fpm.pid, reap
    assert kill["signo"] == 9 and kill["from_pid"] == worker, kill
    assert b"/die.php?secret" in page and b"str_repeat" in page


def two_hundred_workers_connect_and_record():
    with Stage() as stage:
        fpm = stage.fpm(workers=200, scripts={"hello.php": HELLO})
        hellos = stage.sink.wait("HELLO", 200, role=1)
        assert len({h["page"] for h in hellos}) == 200 and all(h["page"] for h in hellos)
        assert len(stage.page_names()) == 200
        get_many(fpm, "/hello.php", 50)
        stage.sink.wait("REQUEST", 50)


def options_that_do_not_serve_stay_quiet():
    with Stage() as stage:
        conf = stage.dir / "t.conf"
        conf.write_text(f"[www]\nuser=www-data\ngroup=www-data\nlisten={stage.dir}/t.sock\npm=static\n"
                        "pm.max_children=1\n")
        plain = dict(os.environ)
        watched = dict(plain, LD_PRELOAD=str(SHIM), FPMSCOPE_SOCKET=stage.socket,
                       FPMSCOPE_PAGES=str(stage.pages))
        for option in ("-t", "-v", "-m", "-h"):
            runs = [subprocess.run([PHP_FPM, option, "-y", conf], env=env, capture_output=True)
                    for env in (plain, watched)]
            wash = [re.sub(rb"\[[^]]*\]", b"", r.stdout + r.stderr) for r in runs]
            assert runs[0].returncode == runs[1].returncode and wash[0] == wash[1], (option, wash)
        info = subprocess.run([PHP_FPM, "-i", "-y", conf], env=watched, capture_output=True)
        assert info.returncode == 0 and not info.stderr, info.stderr
        time.sleep(0.2)
        assert not stage.sink.connections and not stage.page_names()


def the_off_switch_and_other_programs_leave_everything_alone():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO}, env={"FPMSCOPE_OFF": "1"})
        fpm.body("/hello.php")
        out = subprocess.run(["sh", "-c", "echo $LD_PRELOAD; ls / | wc -l"], capture_output=True,
                             env=dict(os.environ, LD_PRELOAD=str(SHIM), FPMSCOPE_SOCKET=stage.socket))
        assert out.returncode == 0 and str(SHIM).encode() in out.stdout and not out.stderr, out
        time.sleep(0.2)
        assert not stage.sink.connections and not stage.page_names()


def other_allocators_may_be_preloaded_before_and_behind():
    jemalloc = Path("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")
    if not jemalloc.exists():
        raise Skip("no libjemalloc.so.2")
    scripts = {"leak.php": LEAK, "libs.php": '''<?php $d = new DOMDocument; $d->loadXML("<a/>");
        $c = curl_init(); $f = new NumberFormatter("nl_NL", NumberFormatter::CURRENCY);
        echo $f->formatCurrency(1, "EUR");'''}
    for order, leak in ((f"{jemalloc}:{SHIM}", 0), (f"{SHIM}:{jemalloc}", 65544)):
        with Stage() as stage:
            fpm = stage.fpm(scripts=scripts, env={"LD_PRELOAD": order})
            get_many(fpm, "/leak.php", 4)
            get_many(fpm, "/libs.php", 4)
            assert delta(stage.sink.request("/leak.php?n=3")) == leak, order
            notes = [note["code"] for note in stage.sink.all("NOTE")]
            assert notes == ([] if leak else [6]), notes


def a_worker_grows_by_less_than_half_a_mebibyte():
    def anonymous_kib(shim):
        with Stage() as stage:
            fpm = stage.fpm(scripts={"leak.php": LEAK}, shim=shim)
            get_many(fpm, "/leak.php", 200)
            status = Path(f"/proc/{fpm.workers()[0]}/status").read_text()
            return int(re.search(r"RssAnon:\s*(\d+)", status)[1])

    more = anonymous_kib(True) - anonymous_kib(False)
    assert more <= 512, f"{more} KiB"


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM]))
