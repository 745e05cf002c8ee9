"""shop.py - write a small shop to disk: a front controller and one module per page, Magento's way.

The faults are real; which page has which, and what modules, classes and routes are called, is the
caller's choice, so that a test can rename everything in each run.
"""
import os
import random
import string

FRONT = r"""<?php
// Front controller: every page goes through here, as in Magento's pub/index.php.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$routes = require __DIR__ . '/../app/etc/routes.php';
spl_autoload_register(function ($class) {
    $file = __DIR__ . '/../app/code/' . str_replace('\\', '/', $class) . '.php';
    if (is_file($file)) {
        require $file;
    }
});
foreach ($routes as $prefix => $class) {
    if (strncmp($path, $prefix, strlen($prefix)) === 0) {
        (new $class())->execute();
        return;
    }
}
http_response_code(404);
echo "no page\n";
"""

MODULE = r"""<?php
namespace %(vendor)s\%(module)s\Controller;

class %(cls)s
{
    public function execute()
    {
        $model = new \%(vendor)s\%(module)s\Model\%(model)s();
        echo $model->%(method)s(), "\n";
    }
}
"""

MODEL = r"""<?php
namespace %(vendor)s\%(module)s\Model;

class %(model)s
{
%(body)s
}
"""

REGISTRATION = """<?php
\\Magento\\Framework\\Component\\ComponentRegistrar::register('module', '%(vendor)s_%(module)s', __DIR__);
"""

# fault -> the PHP of the model's class body; %(method)s is the entry point's name.
BODIES = {
    # An ordinary page: arrays, strings, a sort, a DOM that is freed.
    "healthy": r"""
    public function %(method)s()
    {
        $rows = [];
        for ($i = 0; $i < 300; $i++) {
            $rows[] = ['sku' => 'SKU-' . $i, 'price' => ($i * 37) %% 1999, 'name' => str_repeat('x', 40)];
        }
        usort($rows, fn ($a, $b) => $a['price'] <=> $b['price']);
        $doc = new \DOMDocument();
        $doc->loadXML('<feed><item id="1">one</item><item id="2">two</item></feed>');
        return count($rows) . ' products, ' . $doc->getElementsByTagName('item')->length . ' items';
    }
""",
    # 64 KiB of native memory a request, nobody frees it.
    "leak_ffi": r"""
    public function %(method)s()
    {
        \FFI::new('char[65536]', false, true);
        return 'synchronised';
    }
""",
    # A leak of PHP itself: the encoder of a document that cannot be written is never closed (66 kB).
    "leak_libxml": r"""
    public function %(method)s()
    {
        $doc = new \DOMDocument('1.0', 'windows-1252');
        $doc->appendChild($doc->createElement('order', 'caf'));
        @$doc->save('/nonexistent-directory/export.xml');
        return 'exported';
    }
""",
    # Holds a lot while it runs, keeps nothing.
    "heavy": r"""
    public function %(method)s()
    {
        $rows = [];
        for ($i = 0; $i < 60; $i++) {
            $rows[] = str_repeat(chr(65 + $i %% 26), 1000 * 1000);
        }
        return 'report of ' . count($rows) . ' MB';
    }
""",
    "segfault": r"""
    public function %(method)s()
    {
        $ffi = \FFI::cdef('void *memset(void *s, int c, size_t n);');
        $ffi->memset(null, 0, 16);
        return 'never';
    }
""",
    "abort": r"""
    public function %(method)s()
    {
        $ffi = \FFI::cdef('void abort(void);');
        $ffi->abort();
        return 'never';
    }
""",
    # Recursion through C code: PHP 8.2 has no guard for it, the C stack ends.
    "stack_overflow": r"""
    public function %(method)s()
    {
        return preg_replace_callback('/./', fn ($m) => $this->%(method)s(), 'x');
    }
""",
    # Waits for somebody to kill it; the driver sends SIGKILL to the pid in the file.
    "killed": r"""
    public function %(method)s()
    {
        file_put_contents(sys_get_temp_dir() . '/fpmscope-victim', getmypid());
        usleep(20 * 1000 * 1000);
        return 'survived';
    }
""",
    "memory_limit": r"""
    public function %(method)s()
    {
        $rows = [];
        while (true) {
            $rows[] = str_repeat('a', 256 * 1024);
        }
    }
""",
    "slow": r"""
    public function %(method)s()
    {
        usleep(300 * 1000);
        return 'slow';
    }
""",
}


class Page:
    """One page of the shop: where it is, who owns it and what is wrong with it."""

    def __init__(self, route, vendor, module, fault, cls="Index", model="Service", method="run"):
        self.route, self.vendor, self.module, self.fault = route, vendor, module, fault
        self.cls, self.model, self.method = cls, model, method

    @property
    def module_name(self):
        return "%s_%s" % (self.vendor, self.module)


def demo_pages():
    """The shop that `make demo` shows."""
    return [
        Page("/catalog/product/view/", "Acme", "Catalog", "healthy", "View", "Product", "load"),
        Page("/checkout/cart/", "Acme", "Checkout", "healthy", "Cart", "Quote", "collectTotals"),
        Page("/contact/", "Acme", "ErpSync", "leak_ffi", "Index", "Push", "send"),
        Page("/sales/export/", "Acme", "OrderExport", "leak_libxml", "Export", "XmlWriter", "write"),
        Page("/reports/sales/", "Acme", "Reports", "heavy", "Sales", "Aggregate", "build"),
        Page("/media/resize/", "Acme", "ImageTool", "segfault", "Resize", "Thumbnail", "render"),
        Page("/search/suggest/", "Acme", "Suggest", "stack_overflow", "Suggest", "Grammar", "expand"),
        Page("/stock/import/", "Acme", "StockImport", "killed", "Import", "Csv", "read"),
        Page("/feed/google/", "Acme", "Feed", "memory_limit", "Google", "Writer", "generate"),
        Page("/", "Acme", "Theme", "healthy", "Home", "Blocks", "render"),
    ]


def random_pages(rng=None, extra=()):
    """The same faults (and one page for each `extra`) under names that nobody has seen."""
    rng = rng or random.Random()

    def word(lo=5, hi=9):
        return "".join(rng.choice("bcdfgklmnprstvz" if i % 2 == 0 else "aeiou")
                       for i in range(rng.randint(lo, hi)))

    pages = []
    faults = [Page("/extra/", "", "", fault) for fault in extra]
    for page in faults + demo_pages():
        route = "/" if page.route == "/" else "/%s/%s/" % (word(), word())
        pages.append(Page(route, word().capitalize(), word().capitalize() + word().capitalize(),
                          page.fault, word().capitalize(), word().capitalize(), word()))
    return pages


def write_shop(root, pages):
    """Create the shop under `root`; returns the document root."""

    def put(path, text):
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)

    put("pub/index.php", FRONT)
    entries = []
    # Longest first: "/" matches everything.
    for page in sorted(pages, key=lambda p: -len(p.route)):
        base = "app/code/%s/%s/" % (page.vendor, page.module)
        names = vars(page)
        put(base + "registration.php", REGISTRATION % names)
        put(base + "Controller/%s.php" % page.cls, MODULE % names)
        put(base + "Model/%s.php" % page.model,
            MODEL % dict(names, body=BODIES[page.fault] % names))
        entries.append("    '%s' => '%s\\\\%s\\\\Controller\\\\%s'," %
                       (page.route, page.vendor, page.module, page.cls))
    put("app/etc/routes.php", "<?php\nreturn [\n%s\n];\n" % "\n".join(entries))
    return os.path.join(root, "pub")


if __name__ == "__main__":
    import sys
    print(write_shop(sys.argv[1], demo_pages()))
