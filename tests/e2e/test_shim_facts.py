#!/usr/bin/env python3
"""test_shim_facts.py - what the shim promises, shown on a real php-fpm, one line a fact.

    tests/e2e/test_shim_facts.py [WORD...]     only facts whose names contain a word

Needs build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when a fact is none.
"""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fcgi_client  # noqa: E402
from shim_stage import PHP_FPM, SHIM, Sink, Stage  # noqa: E402

KEPT, URI_CUT, ABORTED, BUILTIN, MALFORMED = 1, 2, 4, 8, 16
LEAK = '<?php FFI::new("char[65536]", false, true); echo "leaked";'
HELLO = '<?php echo "hello";'
LIBC = 'FFI::cdef("size_t malloc(size_t n); size_t realloc(size_t p, size_t n); void free(size_t p);")'


def delta(request):
    return request["live_after_bytes"] - request["live_before_bytes"]


def get_many(fpm, uri, count):
    for i in range(count):
        fpm.body(f"{uri}{'&' if '?' in uri else '?'}n={i}")


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


class Skip(Exception):
    pass


# --- the ledger ---------------------------------------------------------------------------

def ledger_counts_a_leak_to_the_byte():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"leak.php": LEAK, "hello.php": HELLO})
        get_many(fpm, "/leak.php", 12)
        get_many(fpm, "/hello.php", 12)
        leaks = [delta(stage.sink.request(f"/leak.php?n={i}")) for i in range(12)]
        hellos = [delta(stage.sink.request(f"/hello.php?n={i}")) for i in range(12)]
    assert leaks[2:] == [65544] * 10, leaks  # usable size: 65536 and the neighbour's word
    assert hellos[2:] == [0] * 10, hellos


def ledger_agrees_with_glibc_and_with_a_counting_peer():
    """Blocks of every kind are left behind; the script adds up what malloc_usable_size() says, to
    which the ledger adds 8 bytes for a mapped block, and asks mallinfo2(), which counts 8 more for each."""
    script = '''<?php
        $c = FFI::cdef("void *malloc(size_t n); void *calloc(size_t a, size_t b);
            void *realloc(void *p, size_t n); size_t malloc_usable_size(void *p); void free(void *p);
            int posix_memalign(void **p, size_t a, size_t n); void *aligned_alloc(size_t a, size_t n);
            typedef struct { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks,
            fordblks, keepcost; } info; info mallinfo2(void);");
        $p = $c->new("void *[1]");
        $out = $c->new("void *[400]");
        $c->mallinfo2();
        $before = $c->mallinfo2();
        $was = $before->uordblks + $before->hblkhd;
        for ($i = 0; $i < 400; $i += 4) {
            $out[$i] = $c->malloc(2000 + 13 * $i);
            $out[$i + 1] = $c->calloc(3, 700 + $i);
            $out[$i + 2] = $c->realloc($c->malloc(1500), 3000 + 500 * $i);
            $c->posix_memalign($p, 64, 1500 + $i);
            $out[$i + 3] = $p[0];
        }
        $c->free($out[0]);
        $out[0] = $c->malloc(40 << 20); /* mapped, whatever the threshold is by now */
        $after = $c->mallinfo2();
        $usable = $mapped = 0;
        for ($i = 0; $i < 400; $i++) $usable += $c->malloc_usable_size($out[$i]);
        echo json_encode(["usable" => $usable, "glibc" => $after->uordblks + $after->hblkhd - $was,
                          "mapped" => $after->hblks - $before->hblks]);'''
    import json
    with Stage() as stage:
        fpm = stage.fpm(scripts={"peer.php": script})
        said = [json.loads(fpm.body(f"/peer.php?n={i}")) for i in range(5)]
        fpm.body("/peer.php?n=last")
        deltas = [delta(stage.sink.request(f"/peer.php?n={i}")) for i in range(5)]
    for i in range(2, 5):
        assert said[i]["mapped"] > 0, said[i]
        assert deltas[i] == said[i]["usable"] + 8 * said[i]["mapped"], (i, deltas[i], said[i])
        # Blocks of the loop's own that went back to the thread cache still count for mallinfo2.
        slack = said[i]["glibc"] - deltas[i] - 8 * 400
        assert 0 <= slack <= 4096, (slack, said[i], deltas[i])


def ledger_is_a_process_sum_curl_on_a_host_name_leaves_nothing():
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    script = f'''<?php $c = curl_init("http://localhost:{server.server_port}/");
        curl_setopt($c, CURLOPT_RETURNTRANSFER, 1); echo curl_exec($c); curl_close($c);'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"curl.php": script})
        get_many(fpm, "/curl.php", 25)
        deltas = [delta(stage.sink.request(f"/curl.php?n={i}")) for i in range(25)]
    server.shutdown()
    assert deltas[5:] == [0] * 20, deltas


def extensions_opened_with_deepbind_are_counted():
    script = "<?php for ($i = 0; $i < 100; $i++) $c[] = curl_init(); echo 1;"
    with Stage() as stage:
        fpm = stage.fpm(scripts={"curl.php": script})
        get_many(fpm, "/curl.php", 3)
        request = stage.sink.request("/curl.php?n=2")
    assert request["allocated_bytes"] > 100 * 4096, request["allocated_bytes"]
    assert delta(request) == 0, delta(request)


def mapped_bytes_follow_the_zend_heap():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"big.php": '<?php $s = str_repeat("x", 40 << 20); echo 1;'})
        get_many(fpm, "/big.php", 3)
        request = stage.sink.request("/big.php?n=2")
        growths = stage.sink.wait("GROWTH", seq=request["seq"])
        stacks = {m["id"]: m for m in stage.sink.all("STACK")}
    # At least the first chunk of the Zend heap is always there, whatever opcache has unmapped.
    assert request["mapped_before_bytes"] >= 2 << 20, request
    assert request["mapped_after_bytes"] - request["mapped_before_bytes"] <= 2 << 20, request
    assert request["zend_peak_bytes"] > 40 << 20, request
    assert sum(g["bytes"] for g in growths) >= 40 << 20, growths
    assert b"str_repeat" in stacks[growths[0]["stack"]]["php"], stacks


# --- samples ------------------------------------------------------------------------------

def a_survivor_is_told_with_its_stack_and_its_later_free():
    script = f'''<?php $c = {LIBC};
        function keep($c) {{ return $c->malloc(4 << 20); }}
        if (isset($_GET["p"])) $c->free((int) $_GET["p"]);
        else echo keep($c);'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"keep.php": script}, env={"FPMSCOPE_INTERVAL_BYTES": "262144"})
        address = int(fpm.body("/keep.php?a"))
        fpm.body("/keep.php?b")
        seq = stage.sink.request("/keep.php?a")["seq"]
        sample = [s for s in stage.sink.wait("SAMPLE", seq=seq) if s["size_bytes"] > 4 << 20][0]
        stack = stage.sink.wait("STACK", id=sample["stack"])[0]
        uri = f"/keep.php?p={address}"
        fpm.body(uri)
        freed = stage.sink.wait("FREED", id=sample["id"])[0]
        request = stage.sink.request(uri)
    assert sample["interval_bytes"] == 262144, sample
    assert b"keep\t\t/" in stack["php"] and len(stack["native"]) >= 16, stack
    assert freed["seq"] == request["seq"] and freed["realloced"] == 0, (freed, request["seq"])
    assert delta(request) < -(4 << 20) + 4096, delta(request)


def a_realloc_ends_a_sample_and_says_so():
    script = f'''<?php $c = {LIBC};
        echo $c->realloc((int) ($_GET["p"] ?? 0), $_GET["mb"] << 20);'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"re.php": script}, env={"FPMSCOPE_INTERVAL_BYTES": "262144"})
        address = int(fpm.body("/re.php?mb=4"))
        fpm.body(f"/re.php?mb=9&p={address}")
        fpm.body("/re.php?mb=1")
        first = [s for s in stage.sink.wait("SAMPLE", seq=1) if s["size_bytes"] > 4 << 20][0]
        freed = stage.sink.wait("FREED", id=first["id"])[0]
        second = [s for s in stage.sink.wait("SAMPLE", seq=2) if s["size_bytes"] > 9 << 20]
        grown = delta(stage.sink.wait("REQUEST", seq=2)[0])
    assert freed["realloced"] == 1 and freed["seq"] == 2, freed
    assert len(second) == 1, second
    assert 5 << 20 <= grown < (5 << 20) + 65536, grown


def samples_are_unbiased():
    """200 requests leave 40 blocks of 10,000 bytes each; weighted samples give the sum back."""
    script = f'<?php $c = {LIBC}; for ($i = 0; $i < 40; $i++) $c->malloc(10000); echo 1;'
    with Stage() as stage:
        fpm = stage.fpm(scripts={"many.php": script}, env={"FPMSCOPE_INTERVAL_BYTES": "65536"})
        get_many(fpm, "/many.php", 201)
        stage.sink.request("/many.php?n=199")
        samples = [s for s in stage.sink.all("SAMPLE") if s["size_bytes"] == 10008]
    from math import exp, sqrt
    probability = 1 - exp(-10008 / 65536)
    expected, spread = 8000 * probability, sqrt(8000 * probability * (1 - probability))
    found = len(samples)
    if found < 1024:  # the table is full then, and says so
        assert abs(found - expected) < 5 * spread, (found, expected, spread)
    assert found > 900, found


def the_collectors_wish_changes_the_interval_without_a_system_call():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"leak.php": LEAK})
        get_many(fpm, "/leak.php", 2)
        page = stage.pages / stage.page_names()[0]
        with open(page, "r+b") as file:  # wishes: after magic..created, current, growth_next, version
            file.seek(64)
            generation, = struct.unpack("<Q", file.read(8))
            file.seek(72)
            file.write(struct.pack("<QQQ", 16384, 0, 0))
            file.seek(64)
            file.write(struct.pack("<Q", generation + 1))
        get_many(fpm, "/leak.php?w", 12)
        samples = [s for s in stage.sink.wait("SAMPLE", 6) if s["interval_bytes"] == 16384]
    assert len(samples) >= 6, samples


# --- requests -----------------------------------------------------------------------------

def a_request_is_described_by_its_parameters():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        uri = "/hello.php?q=1&p=%20"
        fpm.body(uri, extra={"HTTP_X_REQUEST_ID": "x-77", "UNIQUE_ID": "u-1", "HTTP_HOST": "a.b:81"})
        fpm.body("/hello.php?2", extra={"HTTP_TRACEPARENT": "00-ab-cd-01", "REQUEST_ID": ""})
        fpm.body("/hello.php?3", extra={"HTTP_X_REQUEST_ID": "x", "REQUEST_ID": "own"})
        one, two, three = (stage.sink.request(u) for u in (uri, "/hello.php?2", "/hello.php?3"))
    assert one["method"] == b"GET" and one["host"] == b"a.b:81" and one["port"] == b"8080", one
    assert one["remote_addr"] == b"127.0.0.1" and one["user_agent"] == b"fact-test", one
    assert (one["request_id"], one["x_request_id"]) == (b"x-77", b"x-77"), one
    assert (two["request_id"], two["x_request_id"]) == (b"00-ab-cd-01", b""), two
    assert (three["request_id"], three["x_request_id"]) == (b"own", b"x"), three
    assert one["status"] == 200 and one["flags"] == 0, one


def parameters_may_be_split_and_padded_and_huge():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        for padding in (0, 1, 7, 255):  # php-fpm wants whole pairs in a record
            uri = f"/hello.php?padding={padding}"
            values = fcgi_client.environment(fpm.script(uri), uri)
            with fpm.connect() as conn:
                conn.sendall(fcgi_client.begin() + b"".join(
                    fcgi_client.record(fcgi_client.PARAMS, fcgi_client.pairs({name: value}), 1, padding)
                    for name, value in values.items()) + fcgi_client.record(fcgi_client.PARAMS) +
                    fcgi_client.record(fcgi_client.STDIN))
                fcgi_client.read_response(conn)
            assert stage.sink.request(uri)["host"] == b"shop.test"
        long_uri = "/hello.php?" + "u" * 5000
        fpm.body(long_uri, extra={"HTTP_COOKIE": "c" * 40000, "HTTP_X_REQUEST_ID": "last"})
        cut = stage.sink.request(long_uri[:2048])
    assert cut["flags"] == URI_CUT and cut["request_id"] == b"last", cut


def bytes_may_come_one_by_one():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        with fpm.connect() as conn:
            for byte in fcgi_client.request(fpm.script("/hello.php"), "/hello.php?slow", keep=True):
                conn.sendall(bytes([byte]))
            fcgi_client.read_response(conn)
        request = stage.sink.request("/hello.php?slow")
    assert request["status"] == 200 and request["flags"] & KEPT, request


def kept_connections_end_a_request_at_the_next_read():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"leak.php": LEAK})
        with fpm.connect() as conn:
            for i in range(5):  # nobody reads the body: it comes before the next BEGIN
                body = b"x" * 5000 if i % 2 else b""
                conn.sendall(fcgi_client.request(fpm.script("/leak.php"), f"/leak.php?k={i}",
                                                 "POST" if body else "GET", body, keep=True))
                fcgi_client.read_response(conn)
                request = stage.sink.request(f"/leak.php?k={i}")  # told while the connection is idle
                assert request["flags"] & KEPT and request["seq"] == i + 1, request
        deltas = [delta(r) for r in stage.sink.all("REQUEST")]
    assert deltas[2:] == [65544] * 3, deltas


def a_finished_request_is_not_over():
    script = '''<?php echo "early"; fastcgi_finish_request(); usleep(150000);
        $s = str_repeat("x", 5 << 20); FFI::new("char[65536]", false, true);'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"finish.php": script})
        for i in range(3):
            fpm.body(f"/finish.php?n={i}")
        request = stage.sink.request("/finish.php?n=2")
    assert request["end_us"] - request["response_us"] >= 150000, request
    assert request["zend_peak_bytes"] > 5 << 20 and delta(request) == 65544, request


def a_client_that_goes_away_is_seen():
    script = '''<?php ignore_user_abort(true); ob_end_flush(); usleep(100000);
        for ($i = 0; $i < 200; $i++) { echo str_repeat("x", 65536); flush(); }'''
    with Stage() as stage:
        fpm = stage.fpm(scripts={"slow.php": script, "hello.php": HELLO})
        conn = fpm.connect()
        conn.sendall(fcgi_client.request(fpm.script("/slow.php"), "/slow.php"))
        conn.close()
        request = stage.sink.request("/slow.php")
        fpm.body("/hello.php")
        after = stage.sink.request("/hello.php")
    assert request["flags"] & ABORTED and request["write_errno"] == 32, request
    assert request["write_error_us"] >= request["begin_us"], request
    assert after["flags"] == 0 and after["write_errno"] == 0, after


def half_requests_and_garbage_are_no_requests():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        whole = fcgi_client.request(fpm.script("/hello.php"), "/hello.php?half")
        for piece in (b"", b"\x01", whole[:5], whole[:16], whole[:60], b"GET / HTTP/1.0\r\n\r\n",
                      b"\xff" * 300, fcgi_client.begin() + fcgi_client.record(4, b"\xff" * 40)):
            conn = fpm.connect()
            conn.sendall(piece)
            conn.shutdown(socket.SHUT_WR)
            conn.settimeout(10)
            try:
                while conn.recv(4096):
                    pass
            except OSError:
                pass
            conn.close()
        fpm.body("/hello.php?whole")
        assert stage.sink.request("/hello.php?whole")["seq"] == 1
        assert len(stage.sink.all("REQUEST")) == 1, stage.sink.all("REQUEST")


def a_large_post_arrives_whole():
    script = '<?php echo strlen(file_get_contents("php://input"));'
    with Stage() as stage:
        fpm = stage.fpm(scripts={"post.php": script})
        body = b"p" * (3 << 20)
        assert fpm.body("/post.php", method="POST", body=body) == b"3145728"
        assert fpm.body("/post.php?2", method="POST", body=body, chunk=1000) == b"3145728"
        request = stage.sink.request("/post.php?2")
    assert request["method"] == b"POST" and request["flags"] == 0, request


def status_and_ping_pages_are_marked():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        for uri in ("/status", "/ping", "/status?json", "/hello.php", "/missing.php"):
            fpm.get(uri)
        flags = {u: stage.sink.request(u) for u in
                 ("/status", "/ping", "/status?json", "/hello.php", "/missing.php")}
    assert all(flags[u]["flags"] & BUILTIN for u in ("/status", "/ping", "/status?json")), flags
    assert flags["/hello.php"]["flags"] == 0 and flags["/missing.php"]["status"] == 404, flags


def statuses_are_read_and_memory_limit_leaves_the_shim_at_work():
    scripts = {"leak.php": LEAK, "exit.php": "<?php exit('gone');",
               "code.php": "<?php http_response_code((int) $_GET['c']); echo 1;",
               "limit.php": '''<?php ini_set("memory_limit", "16M");
                    function eat($a) { while (true) $a[] = str_repeat("x", 100000); } eat([]);''',
               "throw.php": "<?php throw new Exception('x');"}
    with Stage() as stage:
        fpm = stage.fpm(scripts=scripts, pool="php_admin_value[display_errors]=0")
        for uri in ("/code.php?c=404", "/code.php?c=503", "/throw.php", "/limit.php", "/exit.php"):
            fpm.get(uri)
        get_many(fpm, "/leak.php", 4)
        code = {u: stage.sink.request(u)["status"] for u in
                ("/code.php?c=404", "/code.php?c=503", "/throw.php", "/limit.php", "/exit.php")}
        limit = stage.sink.request("/limit.php")
        growth = stage.sink.wait("GROWTH", seq=limit["seq"])
        leaks = [delta(stage.sink.request(f"/leak.php?n={i}")) for i in range(4)]
    assert list(code.values()) == [404, 503, 500, 500, 200], code
    assert 12 << 20 < limit["zend_peak_bytes"] <= 16 << 20, limit
    assert growth and leaks[1:] == [65544] * 3, (growth, leaks)


# --- processes ----------------------------------------------------------------------------

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


# --- the collector ------------------------------------------------------------------------

def without_a_collector_requests_go_on_and_it_may_come_later():
    with Stage() as stage:
        stage.sink.close()
        fpm = stage.fpm(scripts={"leak.php": LEAK})
        get_many(fpm, "/leak.php", 20)
        stage.sink = Sink(stage.socket)
        end = time.monotonic() + 20
        while not stage.sink.all("REQUEST") and time.monotonic() < end:
            fpm.body("/leak.php?later")
            time.sleep(0.1)
        request = stage.sink.request("/leak.php?later")
        hello = stage.sink.wait("HELLO", role=1)[0]
    assert delta(request) == 65544 and request["seq"] > 20, request
    assert hello["pid"] == request["from_pid"] and hello["page"], hello


def without_a_collector_no_pages_pile_up():
    with Stage() as stage:
        stage.sink.close()
        fpm = stage.fpm(workers=2, pool="pm.max_requests=2", scripts={
            "hello.php": HELLO, "die.php": "<?php posix_kill(getmypid(), 11);"})
        get_many(fpm, "/hello.php", 40)
        try:
            fpm.get("/die.php")
        except ConnectionError:
            pass
        end = time.monotonic() + 10
        while len(stage.page_names()) != 3 and time.monotonic() < end:
            time.sleep(0.05)
        pages = [name.split("-")[0] for name in stage.page_names()]
        alive = {str(pid) for pid in fpm.workers()}
        dead = [pid for pid in pages if pid not in alive]
        assert len(dead) == 1 and len(pages) == 3, (pages, alive)  # the one that crashed


def a_stopped_collector_delays_nobody_and_is_counted():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        get_many(fpm, "/hello.php", 20)
        stage.sink.request("/hello.php?n=19")
        stage.sink.reading.clear()
        begin = time.monotonic()
        get_many(fpm, "/hello.php?stopped", 3000)
        took = time.monotonic() - begin
        stage.sink.reading.set()
        time.sleep(0.3)
        fpm.body("/hello.php?again")
        again = stage.sink.request("/hello.php?again")
        told = len(stage.sink.all("REQUEST"))
    assert took < 30, took
    assert again["dropped_messages"] > 100, again["dropped_messages"]
    assert told + again["dropped_messages"] >= again["seq"], (told, again)


def a_squatter_on_the_abstract_name_gets_nothing():
    needs_root()
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        fpm.body("/hello.php")
        stage.sink.request("/hello.php")
        stage.sink.close()
        squatter = subprocess.Popen([sys.executable, "-c", f'''
import os, socket, sys
os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("\\0fpmscope:{stage.socket}"); s.listen(10); s.settimeout(6); print("up", flush=True)
try:
    c, _ = s.accept(); c.settimeout(3); got = c.recv(65536)
except OSError:
    got = b""
print(len(got))'''], stdout=subprocess.PIPE, text=True)
        squatter.stdout.readline()
        for _ in range(20):
            fpm.body("/hello.php?squat")
            time.sleep(0.1)
        got = squatter.communicate(timeout=30)[0].strip()
    assert got == "0", got


def facts():
    skip = {"delta", "get_many", "needs_root", "facts", "main"}
    return [(name, value) for name, value in globals().items()
            if callable(value) and getattr(value, "__module__", "") == "__main__" and
            not isinstance(value, type) and name not in skip]


def main():
    words, failed = sys.argv[1:], 0
    if not SHIM.exists():
        sys.exit(f"test_shim_facts: '{SHIM}' is not there: run make first")
    for name, fact in facts():
        if words and not any(word in name for word in words):
            continue
        begin = time.monotonic()
        try:
            fact()
            verdict = "ok  "
        except Skip as why:
            verdict = f"skip ({why})"
        except Exception:
            traceback.print_exc()
            verdict, failed = "FAIL", failed + 1
        print(f"{verdict} {name.replace('_', ' ')} ({time.monotonic() - begin:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
