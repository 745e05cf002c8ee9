<?php
// fault_page.php - the script of varnish_stage.py: /FAULT/TOKEN[/NUMBER] fails in the way it is told.
// chaos.py says the same in a header, so that many requests have one and the same URI.
// Before that it writes its pid into a note, so that a test knows which worker it was.
[, $fault, $token, $number] = array_pad(
    explode('/', $_SERVER['HTTP_X_CHAOS'] ?? parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)), 4, '');
$notes = sys_get_temp_dir();

function crash()
{
    FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(null, 0, 16);
}

// A signal ends usleep(); a page that works would go on.
function work($ms)
{
    for ($end = microtime(true) + $ms / 1000; microtime(true) < $end;) {
        usleep((int) max(1000, ($end - microtime(true)) * 1e6));
    }
}

function overflow()
{
    return preg_replace_callback('/./', fn ($m) => overflow(), 'x');
}

// A shared mapping whose file is cut: what a deploy does to opcache's files.
function bus($path)
{
    $c = FFI::cdef('int open(const char *path, int flags, ...);
        void *mmap(void *a, size_t n, int prot, int flags, int fd, long at);
        void *memset(void *s, int c, size_t n);');
    file_put_contents($path, str_repeat('x', 4096));
    $at = $c->mmap(null, 4096, 3, 1, $c->open($path, 2), 0);
    file_put_contents($path, '');
    $c->memset($at, 0, 16);
}

function eat($bytes)
{
    $block = FFI::new("char[$bytes]", false, true);
    FFI::memset($block, 1, $bytes);
}

// $note is the page's own, so that pages do not wait for each other.
function wait_for_note($path)
{
    for ($i = 0; $i < 1000 && !file_exists($path); $i++) {
        usleep(20 * 1000);
        clearstatcache();
    }
}

if ($token !== '' && $fault !== 'healthy') {
    file_put_contents("$notes/pid-$token.new", getmypid());
    rename("$notes/pid-$token.new", "$notes/pid-$token");
}
switch ($fault) {
    case 'segv':
    case 'rewritten':
        work((int) $number);
        crash();
    case 'next':
        if ($number === 'both' || getenv('POOL') === 'www') {
            crash();
        }
        break;
    case 'stale': // good once, for the cache
        if (file_exists("$notes/seen-$token")) {
            crash();
        }
        touch("$notes/seen-$token");
        break;
    case 'overflow':
        work((int) $number);
        overflow();
        break;
    case 'abort':
        work((int) $number);
        FFI::cdef('void abort(void);')->abort();
    case 'bus':
        bus("$notes/mapped-$token");
        break;
    case 'oom':
        wait_for_note("$notes/go-$token");
        for ($i = 0; $i < 80; $i++) {
            eat(8 << 20);
        }
        break;
    case 'flushed':
        echo str_repeat('x', 65536);
        flush();
        work(100);
        crash();
    case 'shutdown':
        register_shutdown_function(function () { work(100); crash(); });
        echo str_repeat('y', 65536);
        flush();
        break;
    case 'finished':
        echo 'thank you';
        fastcgi_finish_request();
        work(300);
        crash();
    case 'leaver':
        ignore_user_abort(true);
        work(1200);
        crash();
    case 'memory':
        for ($rows = [];;) {
            $rows[] = str_repeat('a', 256 * 1024);
        }
    case 'exception':
        throw new RuntimeException('no such product');
    case 'header':
        for ($left = (int) $number; $left > 0; $left--) {
            header("X-Debug-$left: " . str_repeat('h', 1000));
        }
        break;
    case 'wait':
    case 'terminate':
    case 'read-timeout':
    case 'full-unix':
    case 'full-tcp':
        work((int) $number);
        break;
    default:
        for ($rows = [], $i = 0; $i < 500; $i++) {
            $rows[] = ['sku' => "SKU-$i", 'price' => ($i * 37) % 1999];
        }
        usort($rows, fn ($a, $b) => $a['price'] <=> $b['price']);
        usleep(random_int(1, 15) * 1000);
}
echo "$fault done\n";
