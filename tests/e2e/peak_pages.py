"""peak_pages.py - a shop whose pages hold known amounts of the Zend heap in known modules.

Every page answers with what memory_get_usage() said each module took, so that a test knows the
truth of this run.  Names are the caller's, new in each run.
"""
import os

FRONT = r"""<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
spl_autoload_register(function ($class) {
    $file = __DIR__ . '/../app/code/' . str_replace('\\', '/', $class) . '.php';
    if (is_file($file)) {
        require $file;
    }
});
(new \%(core)s\Core\Controller\Front())->run($path);
"""

CONTROLLER = r"""<?php
namespace %(core)s\Core\Controller;

class Front
{
    private $truth = [], $kept = [];

    private function hold($module, callable $work)
    {
        $before = memory_get_usage();
        $this->kept[] = $work();
        $this->truth[$module] = ($this->truth[$module] ?? 0) + memory_get_usage() - $before;
    }

    public function run($path)
    {
        // Code is loaded before anything is measured.
        $first = new \%(first)s\Catalog\Model\Collector();
        $second = new \%(second)s\Feed\Model\Writer();
        switch (strtok($path, '/')) {
            case 'both':
                $first->scratch(40000); // taken and given back below the peak: nobody's
                $this->hold('%(first)s_Catalog', fn () => $first->collect(60000));
                $this->hold('%(second)s_Feed', fn () => $second->write(5000000));
                $this->hold('%(second)s_Feed', fn () => $second->rows(15000));
                break;
            case 'small':
                $this->hold('%(first)s_Catalog', fn () => $first->collect(50));
                break;
            case 'limit':
                while (true) {
                    $this->kept[] = $second->write(1 << 20);
                }
            case 'killed':
                $this->hold('%(first)s_Catalog', fn () => $first->collect(3000));
                $this->hold('%(second)s_Feed', fn () => $second->write(30000000));
                file_put_contents(sys_get_temp_dir() . '/fpmscope-victim', getmypid());
                usleep(20000000);
        }
        echo json_encode($this->truth);
    }
}
"""

COLLECTOR = r"""<?php
namespace %(first)s\Catalog\Model;

class Collector
{
    public function collect($n)
    {
        $rows = [];
        for ($i = 0; $i < $n; $i++) {
            $rows[] = ['sku' => 'SKU-' . $i, 'name' => str_repeat('x', 40 + $i %% 50)];
        }
        return $rows;
    }

    public function scratch($n)
    {
        return count($this->collect($n));
    }
}
"""

WRITER = r"""<?php
namespace %(second)s\Feed\Model;

class Writer
{
    public function write($bytes)
    {
        return str_repeat('z', $bytes);
    }

    public function rows($n)
    {
        $objects = [];
        for ($i = 0; $i < $n; $i++) {
            $object = new \stdClass();
            $object->id = $i;
            $object->text = 'row ' . $i;
            $objects[] = $object;
        }
        return $objects;
    }
}
"""


def write_shop(root, core, first, second):
    """Create the shop of three vendors under `root`; returns the document root."""
    names = dict(core=core, first=first, second=second)
    files = {
        "pub/index.php": FRONT,
        "app/code/%(core)s/Core/Controller/Front.php": CONTROLLER,
        "app/code/%(first)s/Catalog/Model/Collector.php": COLLECTOR,
        "app/code/%(second)s/Feed/Model/Writer.php": WRITER,
    }
    for path, text in files.items():
        path = os.path.join(root, path % names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text % names)
    return os.path.join(root, "pub")
