#!/usr/bin/env python3
"""test_front_controller.py - ten thousand product pages behind one front controller are one route.

    tests/e2e/test_front_controller.py

A shop in Magento's way on a real php-fpm: index.php, a table of URL rewrites, and the controller
that a rewrite names.  Products and categories have URIs of one kind; only the stack tells them apart.
"""
import json
import os
import random
import sys
import threading
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi_client  # noqa: E402
import stage        # noqa: E402

SEED = int(os.environ.get("FPMSCOPE_SEED", random.randrange(1 << 30)))
PRODUCTS, CATEGORIES = 10000, 600
LEAK_BYTES = 2048
BUCKETS = 512  # of rewrites
VENDOR = "Acme"
CONTROLLERS = {"product": r"Catalog\Controller\Product\View",
               "category": r"Catalog\Controller\Category\View",
               "cart": r"Checkout\Controller\Cart\Index"}

INDEX = r"""<?php
spl_autoload_register(function ($class) {
    require __DIR__ . '/../app/code/' . str_replace('\\', '/', $class) . '.php';
});
(new \Magento\Framework\App\FrontController())->dispatch($_SERVER['REQUEST_URI']);
"""
FRONT = r"""<?php
namespace Magento\Framework\App;

class FrontController
{
    public function dispatch(string $uri)
    {
        $bucket = __DIR__ . '/../../../../etc/rewrites/' . crc32($uri) %% %(buckets)d . '.json';
        $rewrites = is_file($bucket) ? json_decode(file_get_contents($bucket), true) : [];
        $class = $rewrites[$uri] ?? null;
        return $class ? (new $class())->execute() : http_response_code(404);
    }
}
"""
# A page builds a document, which takes native memory and gives it back.
CONTROLLER = r"""<?php
namespace %(namespace)s;

class %(cls)s
{
    public function execute()
    {
        $document = new \DOMDocument;
        $root = $document->appendChild($document->createElement('page'));
        for ($i = 0; $i < 200; $i++)
            $root->appendChild($document->createElement('item', str_repeat('x', 200)));
        %(leak)s
        echo strlen($document->saveXML());
    }
}
"""
# As Magento 2 does it: the controller says which page, and is gone when that is rendered.
LATE_CONTROLLER = r"""<?php
namespace %(namespace)s;

class %(cls)s
{
    public function execute()
    {
        $document = new \DOMDocument;
        for ($i = 0; $i < 10; $i++)
            $document->appendChild($document->createElement('page', str_repeat('x', 200)));
        return new \Magento\Framework\View\TemplateEngine\Php('%(template)s');
    }
}
"""
ENGINE = r"""<?php
namespace Magento\Framework\View\TemplateEngine;

class Php
{
    public function __construct(private string $template) {}

    public function renderResult()
    {
        foreach (['header', $this->template] as $name)
            include __DIR__ . '/../../../../../design/frontend/Acme/shop/' . $name . '.phtml';
    }
}
"""
TEMPLATE = r"""<?php
$document = new \DOMDocument;
$root = $document->appendChild($document->createElement('page'));
for ($i = 0; $i < 200; $i++)
    $root->appendChild($document->createElement('item', str_repeat('x', 200)));
echo strlen($document->saveXML());
"""
LEAK = r"\FFI::new('char[%d]', false, true);" % LEAK_BYTES


def words(rng):
    """Like `blue-cotton-shirt`: nothing in it says that it is a value."""
    parts = ["blue", "red", "warm", "cotton", "linen", "shirt", "sock", "coat", "hat", "scarf",
             "summer", "winter", "kids", "men", "women", "soft", "long", "short", "new", "basic"]
    return "-".join(rng.sample(parts, 4))


class Shop(stage.Stage):
    def __init__(self, products=PRODUCTS, categories=CATEGORIES, settings=(("INTERVAL_BYTES", 32768),)):
        """`settings`: of the shim, FPMSCOPE_<name>."""
        super().__init__(workers=4)
        self.rng = random.Random(SEED)
        self.products, self.categories, self.shim_settings = products, categories, settings
        self.docroot = self.path("shop/pub")
        uris = self.uris()
        self.write("pub/index.php", INDEX)
        self.write("app/code/Magento/Framework/App/FrontController.php", FRONT % {"buckets": BUCKETS})
        for kind, controller in CONTROLLERS.items():
            namespace, _, cls = (VENDOR + "\\" + controller).rpartition("\\")
            self.write("app/code/%s/%s.php" % (namespace.replace("\\", "/"), cls), CONTROLLER % dict(
                namespace=namespace, cls=cls, leak=LEAK if kind == "product" else ""))
        self.write_rewrites({uri: self.controller(kind) for kind in uris for uri in uris[kind]})
        self.by_kind = uris

    def write_rewrites(self, rewrites):
        buckets = {}
        for uri, controller in rewrites.items():
            buckets.setdefault(zlib.crc32(uri.encode()) % BUCKETS, {})[uri] = controller
        for bucket, part in buckets.items():
            self.write("app/etc/rewrites/%d.json" % bucket, json.dumps(part))

    def environment(self):
        return dict(super().environment(),
                    **{"FPMSCOPE_" + name: str(value) for name, value in self.shim_settings})

    def write(self, name, text):
        path = self.path("shop/" + name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)

    @staticmethod
    def controller(kind):
        return VENDOR + "\\" + CONTROLLERS[kind]

    def uris(self):
        rng, seen = self.rng, set()
        while len(seen) < self.products + self.categories:
            seen.add("/%s.html" % words(rng))
        names = rng.sample(sorted(seen), len(seen))
        return {"product": names[:self.products], "category": names[self.products:],
                "cart": ["/checkout/cart/"]}

    def drive_all(self):
        todo = self.by_kind["product"] + self.by_kind["category"] * 2 + self.by_kind["cart"] * 300
        self.rng.shuffle(todo)
        count = len(todo)

        def work():
            while True:
                try:
                    uri = todo.pop()
                except IndexError:
                    return
                status = fcgi_client.get(self.path("fpm.sock"), self.docroot + "/index.php", uri)[0]
                assert status == 200, (status, uri)

        pool = [threading.Thread(target=work) for _ in range(3)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        return count

    def summary_of_all(self):
        """What `summary` says when every request of drive_all() is stored."""
        self.start()
        sent, found = self.drive_all(), []

        def complete():
            found.append(self.json("summary"))
            seen = sum(row["hits"] for row in found[-1]["routes"])
            return seen + found[-1]["coverage"]["dropped_messages"] >= sent

        stage.wait_for("%d requests in the store" % sent, complete, 60)
        return found[-1]


class LateShop(Shop):
    """Pages are rendered behind their controllers; header.phtml is part of every page."""

    def __init__(self, products, categories):
        super().__init__(products, categories)
        self.write("pub/index.php", INDEX.replace(
            "['REQUEST_URI']);", "['REQUEST_URI'])->renderResult();"))
        self.write("app/code/Magento/Framework/View/TemplateEngine/Php.php", ENGINE)
        self.write("app/design/frontend/Acme/shop/header.phtml", TEMPLATE)
        for kind, controller in CONTROLLERS.items():
            namespace, _, cls = (VENDOR + "\\" + controller).rpartition("\\")
            self.write("app/code/%s/%s.php" % (namespace.replace("\\", "/"), cls),
                       LATE_CONTROLLER % dict(namespace=namespace, cls=cls, template=kind))
            self.write("app/design/frontend/Acme/shop/%s.phtml" % kind, TEMPLATE)


class RenderedLate(unittest.TestCase):
    def test_pages_whose_controller_has_returned_are_named_by_what_their_templates_teach(self):
        with LateShop(900, 300) as shop:
            routes = {row["route"]: row["hits"] for row in shop.summary_of_all()["routes"]}
        products, categories = (routes.get(Shop.controller(kind), 0) for kind in ("product", "category"))
        self.assertGreaterEqual(products, 0.7 * 900, routes)
        self.assertLessEqual(products, 900, routes)
        self.assertGreaterEqual(categories, 0.7 * 2 * 300, routes)
        self.assertLessEqual(categories, 2 * 300, routes)


class FrontController(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("seed %d (FPMSCOPE_SEED repeats it)" % SEED, file=sys.stderr)
        with Shop() as shop:
            cls.summary = shop.summary_of_all()
        cls.routes = {row["route"]: row for row in cls.summary["routes"]}
        for name, row in list(cls.routes.items())[:12]:
            print("%6d %-12s %s" % (row["hits"], row["verdict"], name), file=sys.stderr)

    def test_every_product_is_the_product_controller(self):
        row = self.routes[Shop.controller("product")]
        self.assertGreaterEqual(row["hits"], 0.95 * PRODUCTS)

    def test_categories_of_the_same_shape_are_their_own_controller(self):
        row = self.routes[Shop.controller("category")]
        self.assertGreaterEqual(row["hits"], 0.95 * 2 * CATEGORIES)
        self.assertLessEqual(row["hits"], 2 * CATEGORIES)

    def test_a_page_that_has_an_address_keeps_it(self):
        self.assertEqual(self.routes["/checkout/cart/"]["hits"], 300)

    def test_there_are_few_routes(self):
        self.assertLessEqual(len(self.routes), 8, sorted(self.routes))

    def test_the_leak_is_found_in_the_controller_and_only_there(self):
        leaks = [name for name, row in self.routes.items() if row["verdict"] in ("leak", "suspect")]
        self.assertEqual(leaks, [Shop.controller("product")])
        row = self.routes[leaks[0]]
        self.assertEqual(row["verdict"], "leak")
        self.assertAlmostEqual(row["bytes_per_request"], LEAK_BYTES, delta=0.1 * LEAK_BYTES)
        self.assertEqual(row["module"], "Acme_Catalog")


class WithoutSamples(unittest.TestCase):
    """No native sample is taken: the stacks of armed and of exact requests name the controller."""

    def expect_controllers(self, *settings):
        with Shop(300, 60, settings) as shop:
            routes = {row["route"]: row["hits"] for row in shop.summary_of_all()["routes"]}
        self.assertGreaterEqual(routes.get(Shop.controller("product"), 0), 0.95 * 300, routes)
        self.assertGreaterEqual(routes.get(Shop.controller("category"), 0), 0.95 * 2 * 60, routes)

    def test_armed_requests_say_who_answered_them(self):
        self.expect_controllers(("BUDGET_PPM", 0), ("ZEND_BUDGET_PPM", 1000000))

    def test_exact_requests_say_who_answered_them(self):
        self.expect_controllers(("EXACT", 1))


if __name__ == "__main__":
    unittest.main()
