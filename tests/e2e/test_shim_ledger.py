#!/usr/bin/env python3
"""test_shim_ledger.py - bytes and samples of a worker, on a real php-fpm, one line a fact.

    tests/e2e/test_shim_ledger.py [WORD...]     only facts whose names contain a word

Needs build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when a fact is none.
"""
import json
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from shim_stage import HELLO, LEAK, LIBC, SHIM, Stage, delta, get_many  # noqa: E402


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


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM]))
