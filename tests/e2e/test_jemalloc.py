#!/usr/bin/env python3
"""test_jemalloc.py - the shim over jemalloc in a real php-fpm.

    tests/e2e/test_jemalloc.py [NAME...]

What does not depend on the allocator is told by the facts of test_shim_ledger.py and test_shim_processes.py,
over this library;
here is what does: sizes, which are jemalloc's.  Exit status 1 when a fact is none.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import shim_stage  # noqa: E402

shim_stage.SHIM = shim_stage.ROOT / "build/libfpmscope-jemalloc.so"
import facts  # noqa: E402
import test_shim_ledger  # noqa: E402
import test_shim_processes  # noqa: E402

LEAK_BYTES = 65536  # a size class of jemalloc's; glibc: 65544

# Every extension of the stage allocates and frees, across libraries.
EXTENSIONS = '''<?php
    $d = new DOMDocument; $d->loadXML("<a>" . str_repeat("<b c='d'>e</b>", 2000) . "</a>");
    $d->saveXML(); $c = curl_init("http://127.0.0.1:1/"); @curl_exec($c);
    $f = new NumberFormatter("nl_NL", NumberFormatter::CURRENCY); $f->formatCurrency(1, "EUR");
    mb_convert_encoding(str_repeat("\\u{20ac}", 5000), "UTF-16"); json_encode(range(1, 5000));
    new Collator("de_DE"); preg_match_all('/(a+)+/', str_repeat("aab", 500), $m);
    $x = FFI::new("char[70000]"); echo count($m), extension_loaded("dom") ? "dom" : "";'''

SAME_OVER_JEMALLOC = (
    test_shim_ledger.ledger_is_a_process_sum_curl_on_a_host_name_leaves_nothing,
    test_shim_ledger.extensions_opened_with_deepbind_are_counted,
    test_shim_ledger.mapped_bytes_follow_the_zend_heap,
    test_shim_processes.a_forked_child_of_a_worker_says_nothing,
    test_shim_processes.a_chrooted_pool_reports_and_reconnects,
    test_shim_processes.a_worker_killed_outright_leaves_its_page,
    test_shim_processes.options_that_do_not_serve_stay_quiet,
    test_shim_processes.the_off_switch_and_other_programs_leave_everything_alone,
)


def ledger_counts_a_leak_to_the_byte():
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(scripts={"leak.php": shim_stage.LEAK, "hello.php": shim_stage.HELLO})
        shim_stage.get_many(fpm, "/leak.php", 12)
        shim_stage.get_many(fpm, "/hello.php", 12)
        leaks = [shim_stage.delta(stage.sink.request(f"/leak.php?n={i}")) for i in range(12)]
        hellos = [shim_stage.delta(stage.sink.request(f"/hello.php?n={i}")) for i in range(12)]
    assert leaks[2:] == [LEAK_BYTES] * 10, leaks
    assert hellos[2:] == [0] * 10, hellos


def ledger_agrees_with_the_sizes_of_the_blocks():
    """Blocks of every kind stay; a tenth is freed again, or moved."""
    script = '''<?php
        $c = FFI::cdef("void *malloc(size_t n); void *calloc(size_t a, size_t b); void free(void *p);
            void *realloc(void *p, size_t n); size_t malloc_usable_size(void *p);
            int posix_memalign(void **p, size_t a, size_t n); void *aligned_alloc(size_t a, size_t n);");
        $p = $c->new("void *[1]"); $sum = 0;
        for ($i = 0; $i < 100; $i++) {
            $a = $c->malloc(2000 + 13 * $i); $b = $c->calloc(3, 700 + $i);
            $d = $c->realloc($c->malloc(1500), 3000 + 500 * $i);
            $c->posix_memalign($p, 64, 1500 + $i);
            if ($i % 10 == 0) $c->free($c->realloc($c->malloc(5000), 70000));
            foreach ([$a, $b, $d, $p[0], $c->aligned_alloc(4096, 8192)] as $q)
                $sum += $c->malloc_usable_size($q);
        }
        echo $sum;'''
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(scripts={"peer.php": script})
        said = [int(fpm.body(f"/peer.php?n={i}")) for i in range(5)]
        fpm.body("/peer.php?n=last")
        deltas = [shim_stage.delta(stage.sink.request(f"/peer.php?n={i}")) for i in range(5)]
    assert deltas[2:] == said[2:], (deltas, said)


def samples_give_back_what_survives():
    """200 requests leave 40 blocks of 10,240 bytes (as jemalloc rounds) each."""
    script = f'<?php $c = {shim_stage.LIBC}; for ($i = 0; $i < 40; $i++) $c->malloc(10000); echo 1;'
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(scripts={"many.php": script}, env={"FPMSCOPE_INTERVAL_BYTES": "65536"})
        shim_stage.get_many(fpm, "/many.php", 201)
        stage.sink.request("/many.php?n=199")
        found = len([s for s in stage.sink.all("SAMPLE") if s["size_bytes"] == 10240])
    from math import exp, sqrt
    probability = 1 - exp(-10240 / 65536)
    expected, spread = 8000 * probability, sqrt(8000 * probability * (1 - probability))
    assert abs(found - expected) < 5 * spread, (found, expected, spread)


def a_sample_is_told_when_it_is_freed_or_moved():
    script = f'''<?php $c = {shim_stage.LIBC};
        if (isset($_GET["free"])) $c->free((int) $_GET["free"]);
        else echo $c->realloc((int) ($_GET["p"] ?? 0), $_GET["mb"] << 20);'''
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(scripts={"re.php": script}, env={"FPMSCOPE_INTERVAL_BYTES": "262144"})
        first = int(fpm.body("/re.php?mb=4"))
        second = int(fpm.body(f"/re.php?mb=9&p={first}"))
        fpm.body(f"/re.php?free={second}")
        fpm.body("/re.php?mb=0")
        sizes = {s["size_bytes"] >> 20: s["id"] for s in stage.sink.wait("SAMPLE", 2)}
        moved = stage.sink.wait("FREED", id=sizes[4])[0]
        freed = stage.sink.wait("FREED", id=sizes[10])[0]  # 9 MiB are a block of 10
        deltas = [shim_stage.delta(stage.sink.wait("REQUEST", seq=seq)[0]) >> 20 for seq in (1, 2, 3)]
    assert moved["realloced"] == 1 and freed["realloced"] == 0, (moved, freed)
    assert deltas == [4, 6, -10], deltas


def every_extension_serves_and_so_does_a_reload():
    with shim_stage.Stage() as stage:
        fpm = stage.fpm(scripts={"all.php": EXTENSIONS}, workers=2)
        for _ in range(2):
            starts = fpm.starts()
            assert all(fpm.body(f"/all.php?n={i}") == b"2dom" for i in range(20))
            workers = set(fpm.workers())
            os.kill(fpm.pid, 12)  # SIGUSR2
            fpm._wait_for_socket(starts)
            while set(fpm.workers()) & workers:
                time.sleep(0.05)
        assert fpm.body("/all.php") == b"2dom"
        assert "signal" not in fpm.log_text().lower().replace("received sigusr2", ""), fpm.log_text()
        assert not [n for n in stage.sink.all("NOTE") if n["code"] == 6], stage.sink.all("NOTE")


def main():
    if not shim_stage.SHIM.exists():
        sys.exit(f"test_jemalloc: '{shim_stage.SHIM}' is not there: run make first")
    words = sys.argv[1:]
    own = facts.of(globals()) + [(fact.__name__, fact) for fact in SAME_OVER_JEMALLOC]
    told = [facts.tell(name, fact) for name, fact in own
            if name != "main" and (not words or any(word in name for word in words))]
    return 0 if all(told) else 1


if __name__ == "__main__":
    sys.exit(main())
