"""leak_pages.py - pages that leak for good in PHP 8.2 itself, and pages that only look as if.

Each is the PHP body of a model's method, written into a shop of shop.py under names of the test's
choice.  `REAL` also says who allocated; `FALSE_FRIENDS` keep something or seem to, and give it back.
"""
import os
import random
import subprocess

import shop
import stage

# fault -> (library or extension that the verdict has to name, PHP statements)
REAL = {
    # The encoder of a document that cannot be written is never closed.
    "dom_save": (r"^libxml2\.so", r"""
        $doc = new \DOMDocument('1.0', 'windows-1252');
        $doc->appendChild($doc->createElement('order', 'caf'));
        @$doc->save('/nonexistent-directory/export.xml');"""),
    # A schema that comes too late, after the first read(), is neither used nor freed.
    "relaxng": (r"^libxml2\.so|^xmlreader\.so", r"""
        $schema = '<element name="a" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>';
        $reader = new \XMLReader();
        $reader->XML('<a/>');
        $reader->read();
        @$reader->setRelaxNGSchemaSource($schema);
        $reader->close();"""),
    "parse_message": (r"^libicu|^intl\.so", r"""
        @\MessageFormatter::parseMessage('en_US', '{0, number} {1', 'x {');"""),
    "spoofchecker": (r"^libicu|^intl\.so", r"""
        $checker = new \Spoofchecker();
        $checker->__construct();"""),
    "collator": (r"^libicu|^intl\.so", r"""
        $collator = new \Collator('en');
        $collator->__construct('de');"""),
    "bindtextdomain": (r"^gettext\.so", r"""
        bindtextdomain('d' . bin2hex(random_bytes(8)), '/tmp');"""),
    # A persistent connection per key; the address is the listener's, loopback has many of them.
    "pfsockopen": (r"^php", r"""
        $address = '127.' . random_int(1, 250) . '.' . random_int(0, 250) . '.' . random_int(1, 250);
        pfsockopen($address, (int) file_get_contents('%(listener)s'));"""),
    # A clone of a document with a DTD; PHP 8.2.36 on libxml2 2.9.14 has it no more.
    "clone_dtd": (r"^libxml2\.so", r"""
        $doc = new \DOMDocument();
        $doc->loadXML('<!DOCTYPE a [<!ELEMENT a (#PCDATA)><!ENTITY e "xx">]><a>&e;</a>');
        $copy = clone $doc;"""),
    # By php-fpm's __zend_malloc, where its name is known (not in a root of its own: tests/compat).
    "ffi": (r"^ffi\.so|^php-fpm", r"""
        \FFI::new('char[2000]', false, true);"""),
}

FALSE_FRIENDS = {
    # Not owned, but not persistent either: Zend's heap takes it back at the end of the request.
    "ffi_unowned": r"""
        \FFI::new('char[65536]', false, false);""",
    "static_objects": r"""
        static $kept = [];
        $doc = new \DOMDocument();
        $doc->loadXML('<feed>' . str_repeat('<item>x</item>', 50) . '</feed>');
        $kept[] = [$doc, function_exists('curl_init') ? curl_init() : null,
                   function_exists('imagecreate') ? imagecreate(64, 64) : null];""",
    "putenv": r"""
        putenv('SHOP_' . random_int(1, 1000000) . '=' . str_repeat('v', 200));""",
    "setlocale": r"""
        setlocale(LC_ALL, random_int(0, 1) ? 'C' : 'C.UTF-8');""",
    "ini_set": r"""
        ini_set('user_agent', str_repeat('u', random_int(10, 500)));
        ini_set('memory_limit', '90M');""",
    "cycles": r"""
        for ($i = 0; $i < 200; $i++) {
            $a = new \stdClass();
            $a->self = $a;
            $a->load = str_repeat('c', 500);
        }""",
}

# 1.6 kB for each pattern that PCRE has not seen, until its cache holds 4,096 of them.
PCRE_CACHE = r"""
        preg_match('/^order-' . bin2hex(random_bytes(8)) . '-(\d+)$/', 'order-1');"""

METHOD = """
    public function %%(method)s()
    {%s
        return 'done';
    }
"""

# Calls a page's method again and again in plain PHP, and counts what stays: a walk over glibc's heap,
# chunk by chunk (the size is 8 bytes into a chunk, bit 0 of the next one's says that it is in use).
MEASURE = r"""<?php
function usable_bytes_in_use(): int
{
    preg_match('/^(\w+)-(\w+) .*\[heap\]$/m', file_get_contents('/proc/self/maps'), $range);
    [$from, $to] = [hexdec($range[1]), hexdec($range[2])];
    $memory = fopen('/proc/self/mem', 'rb');
    fseek($memory, $from);
    $heap = stream_get_contents($memory, $to - $from);
    $size_at = fn ($at) => unpack('P', $heap, $at + 8)[1];
    for ($at = $sum = 0; ($next = $at + ($size_at($at) & ~7)) < strlen($heap); $at = $next) {
        $sum += $size_at($next) & 1 ? $next - $at - 8 : 0;
    }
    return $sum;
}
require $argv[1];
$model = new $argv[2]();
$run = function ($times) use ($model, $argv) {
    for ($i = 0; $i < $times; $i++) { $model->{$argv[3]}(); }
};
$run(100);
usable_bytes_in_use();
$before = usable_bytes_in_use();
$run(400);
echo (usable_bytes_in_use() - $before) / 400;
"""


def bodies(listener):
    """Every fault of this page as shop.BODIES wants them; `listener`: file with a port number."""
    texts = {name: text for name, (_, text) in REAL.items()}
    texts.update(FALSE_FRIENDS, pcre_cache=PCRE_CACHE)
    return {name: METHOD % text.replace("%(listener)s", listener).replace("%", "%%")
            for name, text in texts.items()}


def pages(rng, faults):
    """One page per fault, under names that nobody has seen."""

    def word():
        return "".join(rng.choice("bcdfgklmnprstvz" if i % 2 == 0 else "aeiou")
                       for i in range(rng.randint(6, 10)))

    return [shop.Page("/%s/%s/" % (word(), word()), word().capitalize(), word().capitalize(), fault,
                      word().capitalize(), word().capitalize(), word()) for fault in faults]


def usable_bytes_per_call(root, page):
    """What stays in glibc's heap per call of the page's method in plain PHP, without the shim; 0 where
    this PHP refuses what others leak at (constructing twice is an error since 8.4)."""
    script = os.path.join(root, "measure.php")
    with open(script, "w") as out:
        out.write(MEASURE)
    run = subprocess.run(
        [stage.PHP_FPM.replace("php-fpm", "php").replace("/sbin/", "/bin/"), "-d", "ffi.enable=1",
         "-d", "display_errors=stderr", script,
         "%s/app/code/%s/%s/Model/%s.php" % (root, page.vendor, page.module, page.model),
         "\\%s\\%s\\Model\\%s" % (page.vendor, page.module, page.model), page.method],
        capture_output=True, text=True, timeout=60)
    return float(run.stdout) if run.returncode == 0 else 0.0
