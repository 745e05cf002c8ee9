#!/usr/bin/env python3
"""test_shim_requests.py - what the shim says of requests, on a real php-fpm, one line a fact.

    tests/e2e/test_shim_requests.py [WORD...]     only facts whose names contain a word

Needs build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when a fact is none.
"""
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from shim_stage import HELLO, LEAK, SHIM, Stage, delta, get_many  # noqa: E402

KEPT, URI_CUT, ABORTED, BUILTIN, MALFORMED = 1, 2, 4, 8, 16


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


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM]))
