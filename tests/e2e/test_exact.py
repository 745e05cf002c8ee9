#!/usr/bin/env python3
"""test_exact.py - exact mode: every native block of a request belongs to its stack, to the byte.

    tests/e2e/test_exact.py

On a real php-fpm.  What the worker says of stacks is compared with its own ledger, which counts bytes
and knows nothing of stacks; what the verdicts say, with the sizes that the pages ask for.
"""
import collections
import json
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import shim_stage   # noqa: E402
import stage        # noqa: E402

SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
BLOCKS = 1000  # of each call site of a page

C = """FFI::cdef("size_t malloc(size_t n); size_t realloc(size_t p, size_t n); void free(size_t p);
void *dlsym(void *h, const char *name); int pthread_join(size_t t, void *r);
int pthread_create(size_t *t, void *attributes, void *start, size_t argument);")"""

# Addresses of what is kept lie in a file; each line of `keep` is a call site of its own.
KEPT = r"""<?php
$libc = %s;
$file = __DIR__ . '/kept.json';
$kept = is_file($file) ? json_decode(file_get_contents($file)) : [];
""" % C
PAGES = {
    "hello.php": "<?php echo 'hello';",
    "keep.php": KEPT + r"""
for ($i = 0; $i < %(n)d; $i++) $kept[] = $libc->malloc(100);
for ($i = 0; $i < %(n)d; $i++) $kept[] = $libc->malloc(300);
for ($i = 0; $i < %(n)d; $i++) { FFI::new('char[56]', false, true); }
file_put_contents($file, json_encode($kept)); echo 'kept';""" % {"n": BLOCKS},
    "release.php": KEPT + r"""
shuffle($kept);
for ($i = 0; $i < 700 && $kept; $i++) $libc->free(array_pop($kept));
file_put_contents($file, json_encode($kept)); echo 'freed';""",
    "grow.php": KEPT + r"""
$block = $kept ? array_pop($kept) : $libc->malloc(64);
for ($i = 1; $i <= 20; $i++) $block = $libc->realloc($block, 64 + (int) $_GET['n'] * 4096 + $i * 512);
$kept[] = $block;
file_put_contents($file, json_encode($kept)); echo 'grown';""",
    "thread.php": KEPT + r"""
$thread = FFI::new('size_t');
$free = $libc->dlsym(null, 'free');
for ($i = 0; $i < 5; $i++) {
    $block = $kept && $i %% 2 ? array_pop($kept) : $libc->malloc(5000);
    $libc->pthread_create(FFI::addr($thread), null, $free, $block);
    $libc->pthread_join($thread->cdata, null);
}
file_put_contents($file, json_encode($kept)); echo 'threads';""".replace("%%", "%"),
    "fiber.php": r"""<?php
$keep = fn ($n) => FFI::new('char[' . (40 * $n) . ']', false, true);
$fiber = new Fiber(function () use ($keep) {
    for ($i = 1; $i < 20; $i++) Fiber::suspend($keep($i) && eval('return $keep($i) && true;'));
    (new DOMDocument)->loadXML('<a>' . str_repeat('<b/>', 100) . '</a>');
});
$fiber->start();
while ($fiber->isSuspended()) $fiber->resume();
echo 'fibers';""",
    "limit.php": r"""<?php
ini_set('memory_limit', '8M');
$doc = new DOMDocument;
$doc->loadXML('<a>' . str_repeat('<b c="d">text</b>', 100) . '</a>');
FFI::new('char[1000]', false, true);
for ($list = []; ; ) $list[] = str_repeat('x', 10000);""",
    "dom.php": r"""<?php
$doc = new DOMDocument;
$doc->loadXML('<a>' . str_repeat('<b c="d">text</b>', 500) . '</a>');
if (preg_match('/^order-' . $_GET['n'] . '$/', 'x')) echo 1;   /* stays in PCRE's cache */
bindtextdomain('domain' . $_GET['n'], '/tmp');                 /* stays for good */
setlocale(LC_ALL, $_GET['n'] % 2 ? 'C' : 'C.UTF-8');
echo strlen($doc->saveXML());""",
}


# glibc gives a block so much more where the rest of a free chunk is too small for another one.
ROUNDING_BYTES = 16


def usable_bytes(asked_bytes):
    """Of a small block of glibc's."""
    return (asked_bytes + 8 + 15) // 16 * 16 - 8


class Books:
    """The blocks of a worker as its messages tell them."""

    def __init__(self, sink):
        self.stacks = {stack["id"]: stack["php"].decode() for stack in sink.all("STACK")}
        self.requests = sink.all("REQUEST")
        self.samples = {sample["id"]: sample for sample in sink.all("SAMPLE")}
        self.left = {ident: sample["size_bytes"] for ident, sample in self.samples.items()}
        self.moved = collections.Counter()  # seq -> bytes
        for sample in self.samples.values():
            self.moved[sample["seq"]] += sample["size_bytes"]
        for shrunk in sink.all("SHRUNK"):
            self.left[shrunk["id"]] -= shrunk["size_bytes"]
            self.moved[shrunk["seq"]] -= shrunk["size_bytes"]
        for freed in sink.all("FREED"):
            self.moved[freed["seq"]] -= self.left.pop(freed["id"])

    def by_line(self, seq):
        """What the largest stack of each innermost line of PHP code left in a request."""
        lines = collections.Counter()
        for sample in self.samples.values():
            if sample["seq"] == seq:
                places = [line.split("\t")[2] for line in self.stacks.get(sample["stack"], "").splitlines()]
                line = next((place.rpartition(":")[2] for place in places if place), None)
                lines[line] = max(lines[line], sample["size_bytes"])
        return lines


class EveryBlock(unittest.TestCase):
    """300 requests in random order: what stays, moves, grows and is freed later or elsewhere."""

    @classmethod
    def setUpClass(cls):
        print("seed %d (FPMSCOPE_SEED repeats it)" % SEED, file=sys.stderr)
        rng = random.Random(SEED)
        with shim_stage.Stage() as stand:
            fpm = stand.fpm(scripts=PAGES, env={"FPMSCOPE_EXACT": "1"}, pool="php_admin_value[memory_limit]=64M")
            fpm.dir.chmod(0o777)
            pages = [rng.choice(sorted(PAGES)) for _ in range(300)] + ["hello.php"] * 2
            for n, page in enumerate(pages):
                fpm.get("/%s?n=%d" % (page, n))
            stand.sink.request("/%s?n=%d" % (pages[-2], len(pages) - 2))
            cls.books = Books(stand.sink)

    def of_page(self, page):
        return [request for request in self.books.requests if request["uri"].startswith(b"/" + page.encode())]

    def test_the_stacks_explain_every_byte_of_the_ledger_in_every_request(self):
        for page in PAGES:
            for request in self.of_page(page)[1:]:  # the first one frees blocks of php-fpm's start
                self.assertEqual(self.books.moved[request["seq"]], shim_stage.delta(request), request)

    def test_nothing_was_skipped(self):
        self.assertEqual({request["throttled_samples"] for request in self.books.requests}, {0})

    def test_each_call_site_has_its_own_bytes(self):
        for request in self.of_page("keep.php")[1:]:
            lines = self.books.by_line(request["seq"])
            first = PAGES["keep.php"][:PAGES["keep.php"].index("for (")].count("\n") + 1
            for i, asked_bytes in enumerate((100, 300, 56)):
                surplus = lines[str(first + i)] - BLOCKS * usable_bytes(asked_bytes)
                self.assertIn(surplus, range(0, BLOCKS * ROUNDING_BYTES + 1, ROUNDING_BYTES))

    def test_a_request_with_three_thousand_survivors_is_a_few_messages(self):
        for request in self.of_page("keep.php"):
            count = sum(sample["seq"] == request["seq"] for sample in self.books.samples.values())
            self.assertLess(count, 60)

    def test_requests_that_leave_nothing_are_silent(self):
        for request in self.of_page("hello.php")[1:]:
            self.assertEqual(self.books.moved[request["seq"]], 0)

    def test_no_group_has_less_than_nothing(self):
        self.assertGreaterEqual(min(self.books.left.values()), 1)


INDEX = r"""<?php
function place() { return FFI::new('char[100]', false, true); }
$uri = $_SERVER['REQUEST_URI'];
if (strpos($uri, '/leak') === 0) {
    for ($i = 0; $i < %(n)d; $i++) place();
    for ($i = 0; $i < %(n)d; $i++) { FFI::new('char[200]', false, true); }
    for ($i = 0; $i < %(n)d; $i++) { (new Collator('en'))->__construct('de'); }
} elseif (strpos($uri, '/dom') === 0) {
    $doc = new DOMDocument;
    $doc->loadXML('<a>' . str_repeat('<b>text</b>', 200) . '</a>');
}
echo 'done';
""" % {"n": BLOCKS}


class Verdicts(unittest.TestCase):
    """`fpmscope run --exact`, a page that leaks at three places among healthy ones."""

    LEAKS = 100
    HEALTHY = 10

    @classmethod
    def setUpClass(cls):
        with stage.Stage(workers=1, run_options=["--exact"]) as stand:
            stand.docroot = stand.path("site")
            os.mkdir(stand.docroot)
            with open(stand.docroot + "/index.php", "w") as out:
                out.write(INDEX)
            stand.start()
            rng = random.Random(SEED)
            uris = ["/leak"] * cls.LEAKS + ["/dom/%s" % "abcdefghij"[i % cls.HEALTHY] for i in range(300)]
            rng.shuffle(uris)
            for uri in ["/"] * 20 + uris:
                fcgi_client.get(stand.path("fpm.sock"), stand.docroot + "/index.php", uri)

            def complete():
                cls.summary = stand.json("summary")
                return sum(row["hits"] for row in cls.summary["routes"]) >= len(uris) + 20

            stage.wait_for("all requests in the store", complete, 30)
            with open(stand.path("events.jsonl"), "w") as out:
                subprocess.run([stand.fpmscope, "export"], stdout=out, env=stand.environment(), check=True)
            cls.analysis = stand.json("analyze", stand.path("events.jsonl"))
            with open(stand.path("events.jsonl")) as events:
                cls.events = [json.loads(line) for line in events]
        cls.row = next(row for row in cls.summary["routes"] if row["route"] == "/leak")

    def test_the_page_is_the_leak_and_the_others_are_not(self):
        verdicts = {row["route"]: row["verdict"] for row in self.summary["routes"]}
        self.assertEqual([route for route, verdict in verdicts.items() if verdict == "leak"], ["/leak"])

    def test_nothing_was_skipped(self):
        self.assertEqual(self.summary["coverage"].get("throttled_samples", 0), 0)

    def stacks(self, place):
        """Bytes of each stack with this innermost line of PHP code, as `analyze` reports them."""
        ids = {event["id"] for event in self.events if event["e"] == "stk" and
               next((frame for frame in event.get("php", []) if ":" in frame), "").endswith(place)}
        return [stack["bytes"] for stack in self.analysis["stacks"] if stack["id"] in ids]

    def test_each_of_its_stacks_holds_what_it_leaves(self):
        for place, asked_bytes in (("index.php:2", 100), ("index.php:6", 200)):
            blocks = self.LEAKS * BLOCKS
            surplus = max(self.stacks(place)) - blocks * usable_bytes(asked_bytes)
            self.assertIn(surplus, range(0, blocks * ROUNDING_BYTES + 1, ROUNDING_BYTES))

    def test_its_stacks_together_are_what_a_request_leaves(self):
        stacks = sum(sum(self.stacks("index.php:%d" % line)) for line in (2, 6, 7))
        self.assertAlmostEqual(stacks / self.LEAKS, self.row["bytes_per_request"], delta=64)

    def test_the_largest_of_them_is_named(self):
        self.assertRegex(self.row["allocated_in"], r"^libicu|^intl\.so|^ffi\.so")


class LimitedStage(stage.Stage):
    """Room enough for php-fpm and not for the books of the exact mode."""

    def fpm_command(self):
        return ["prlimit", "--as=1000000000"] + super().fpm_command()


class WithoutMemory(unittest.TestCase):
    """`fpmscope run --exact` where RLIMIT_AS forbids it: what is done instead, and said of it."""

    LEAKS = 40

    @classmethod
    def setUpClass(cls):
        with LimitedStage(workers=1, run_options=["--exact"]) as stand:
            stand.docroot = stand.path("site")
            os.mkdir(stand.docroot)
            with open(stand.docroot + "/index.php", "w") as out:
                out.write(INDEX)
            stand.start()
            for _ in range(cls.LEAKS):
                fcgi_client.get(stand.path("fpm.sock"), stand.docroot + "/index.php", "/leak")

            def complete():
                cls.summary = stand.json("summary")
                return sum(row["hits"] for row in cls.summary["routes"]) >= cls.LEAKS

            stage.wait_for("all requests in the store", complete, 30)
            with open(stand.path("events.jsonl"), "w") as out:
                subprocess.run([stand.fpmscope, "export"], stdout=out, env=stand.environment(), check=True)
            with open(stand.path("events.jsonl")) as events:
                cls.samples = [event for event in map(json.loads, events) if event["e"] == "smp"]

    def test_the_summary_says_that_it_is_not_exact_and_why(self):
        notes = [note for note in self.summary["coverage"]["notes"] if "exact mode" in note]
        self.assertEqual(len(notes), 1, self.summary["coverage"])
        self.assertIn("sampled instead: memory is limited by RLIMIT_AS", notes[0])

    def test_blocks_are_sampled_as_without_the_option(self):
        self.assertGreater(len(self.samples), 3)
        self.assertGreater(min(sample["interval"] for sample in self.samples), 1)
        self.assertEqual(self.summary["coverage"].get("throttled_samples", 0), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
