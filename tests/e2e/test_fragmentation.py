#!/usr/bin/env python3
"""test_fragmentation.py - memory that the allocator keeps, and what would give it back.

    tests/e2e/test_fragmentation.py

A real php-fpm whose pages free nearly all that they took, while small survivors lie in between; the
number that fpmscope says is compared with what malloc_trim(0) then gives back in that worker.
"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import stage        # noqa: E402

# Survivors are a ring per worker: new ones replace old ones at random, live bytes stay.
BLOCKS = r"""<?php
$c = FFI::cdef("size_t malloc(size_t n); size_t calloc(size_t n, size_t size); void free(size_t p);");
$file = sys_get_temp_dir() . "/ring-" . getmypid();
$ring = is_file($file) ? unserialize(file_get_contents($file)) : [];
$work = [];
for ($i = 0; $i < 12000; $i++) {
    $work[] = $c->malloc(2000);
    if ($i % 10 == 0) {
        $k = mt_rand(0, 1023);
        if (isset($ring[$k])) $c->free($ring[$k]);
        $ring[$k] = $c->calloc(1, 100);
    }
}
foreach ($work as $p) $c->free($p);
file_put_contents($file, serialize($ring));
"""
# PHP alone: PCRE keeps what it has compiled, libxml2 frees its tree.
TREES = r"""<?php
$d = new DOMDocument;
$root = $d->appendChild($d->createElement("root"));
for ($i = 0; $i < 40000; $i++) {
    $root->appendChild($d->createElement("node", str_repeat("x", 300)))->setAttribute("n", $i);
    if ($i % 100 == 0) preg_match("/^survivor" . $i . "(a|b)+c/", "text");
}
"""
LEAK = '<?php FFI::new("char[65536]", false, true);'
HEALTHY = '<?php $x = []; for ($i = 0; $i < 20000; $i++) $x[] = "n$i"; echo count($x);'
TRIM = r"""<?php
$c = FFI::cdef("int malloc_trim(size_t pad);");
function rss_kib() { return (int) explode(" ", file_get_contents("/proc/self/statm"))[1] * 4; }
$before = rss_kib();
$c->malloc_trim(0);
echo $before - rss_kib();
"""
PAGES = {"blocks": BLOCKS, "trees": TREES, "leak": LEAK, "healthy": HEALTHY, "trim": TRIM}
LOOKS_S = 2.5  # between two looks of the collector at one worker


class Shop(stage.Stage):
    """Pages by name, on one worker, asked over FastCGI."""

    def __init__(self, allocator="glibc"):
        super().__init__(workers=1, run_options=["--allocator=" + allocator], memory_limit="256M")
        self.docroot = self.path("shop")
        os.mkdir(self.docroot)
        for name, text in PAGES.items():
            with open(self.page(name), "w") as out:
                out.write(text)
        self.start()

    def page(self, name):
        return os.path.join(self.docroot, name + ".php")

    def ask(self, name, times=1):
        for _ in range(times):
            status, _, body = fcgi_client.get(self.path("fpm.sock"), self.page(name), "/" + name)
            assert status == 200, (name, status, body)
        return body

    def rss_kib(self):
        return int(stage.text_of("/proc/%d/statm" % self.workers()[0]).split()[1]) * 4

    def let_it_be_looked_at(self, name, looks=3):
        """So that there are requests between the collector's looks."""
        for _ in range(looks):
            self.ask(name, 4)
            time.sleep(LOOKS_S)

    def memory(self):
        return self.json("summary")["memory"][0]


class Fragmented(unittest.TestCase):
    def each(self, page):
        with Shop() as shop:
            shop.let_it_be_looked_at(page)
            row = stage.wait_for("the verdict", lambda: shop.memory()["verdict"] == "fragmentation"
                                 and shop.memory(), 20)
            workers = shop.json("workers")
            glibc_kib, given_back_kib = shop.rss_kib(), int(shop.ask("trim"))
        print("%s: said %d KiB, malloc_trim(0) gave back %d KiB of %d" %
              (page, row["trim_bytes"] / 1024, given_back_kib, glibc_kib), file=sys.stderr)
        self.assertAlmostEqual(row["trim_bytes"] / 1024, given_back_kib, delta=given_back_kib * 0.2,
                               msg=row)
        self.assertIn("malloc_trim", row["text"])
        workers = workers["workers"] if isinstance(workers, dict) else workers
        self.assertEqual(workers[0]["trim_bytes"], row["trim_bytes"], workers)
        self.assertIn("--allocator=jemalloc", row["advice"])
        parts = sum(row[part + "_bytes"] for part in
                    ("live", "mapped", "trim", "holes", "other", "shared"))
        self.assertEqual(parts, row["rss_bytes"], row)
        return glibc_kib, given_back_kib

    def jemalloc_kib(self, page):
        with Shop("jemalloc") as shop:
            shop.let_it_be_looked_at(page)
            self.assertNotEqual(shop.memory()["verdict"], "fragmentation", shop.memory())
            return shop.rss_kib()

    def test_blocks_with_survivors_between(self):
        glibc_kib, given_back_kib = self.each("blocks")
        jemalloc_kib = self.jemalloc_kib("blocks")
        print("blocks over jemalloc: %d KiB" % jemalloc_kib, file=sys.stderr)
        self.assertLess(jemalloc_kib, glibc_kib - given_back_kib / 2)

    def test_trees_with_compiled_patterns_between(self):
        self.each("trees")


class NotFragmented(unittest.TestCase):
    def test_a_leak_and_a_healthy_page_are_not_called_so(self):
        with Shop() as shop:
            for _ in range(3):
                shop.ask("leak", 150)
                shop.ask("healthy", 5)
                time.sleep(LOOKS_S)
            summary = shop.json("summary")
        for row in summary["memory"]:
            self.assertEqual(row["verdict"], "explained", row)
            self.assertGreater(row["live_bytes"], 450 * 65536, row)
        self.assertEqual(shop_verdict(summary, "/leak"), "leak", summary["routes"])


def shop_verdict(summary, route):
    return next(row["verdict"] for row in summary["routes"] if row["route"] == route)


if __name__ == "__main__":
    unittest.main()
