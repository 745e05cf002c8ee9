#!/usr/bin/env python3
"""test_secrets.py - what visitors and scripts keep secret is nowhere in the store.

Each secret is a word of its own, sent in one way: query strings in all their forms, cookies, bodies,
passwords, referers; and in PHP's hands: arguments of functions that crash, throw, run out of memory,
or are slow, stack traces in every log.  Store, its log, recorder pages and all output are searched.
"""
import base64
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from collector_stage import FPMSCOPE, Stage, swallow, wait_for  # noqa: E402
from facts import needs_root  # noqa: E402
from fault_load import Front  # noqa: E402
from shim_stage import SHIM  # noqa: E402

SALT = "%08x" % random.randrange(1 << 32)


def secret(name):
    """A word that nothing else contains."""
    return f"S3cr3t{name}{SALT}"


PAGE = """<?php function login($user, $password) {
    switch ($_GET['do'] ?? '') {
    case 'crash': FFI::cdef('void *memset(void *s, int c, size_t n);')->memset(FFI::new('char *'), 1, 16);
    case 'throw': throw new Exception('no');
    case 'limit': $a = str_repeat('x', 1 << 30);
    case 'slow': usleep(1500000);
    case 'warn': trigger_error('it fails', E_USER_WARNING);
    case 'die': error_log("said to the log");
    }
    return 1;
}
function frame($password) { login('user', $password); }
frame(%r); echo file_get_contents('php://input') ? 1 : 0;"""
BASIC = base64.b64encode(f"user:{secret('basic')}".encode()).decode()
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
CARRIERS = (
    ("/p.php?token=%s", "query", {}, b""),
    ("/p.php?a=1&b[]=x&c[k]=%s", "list", {}, b""),
    ("/p.php?%s", "bare", {}, b""),
    ("/p.php?%s=1", "longnameaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {}, b""),
    ("/p.php?a=1#%s", "fragment", {}, b""),
    ("/p.php?a=1?b=%s", "second", {}, b""),
    ("/p.php?a=1;b=%s", "semicolon", {}, b""),
    ("http://user:%s@shop.test/p.php", "userinfo", {}, b""),
    ("/p.php/a;jsessionid=%s/b", "session", {}, b""),
    ("/p.php?1", "cookie", {"HTTP_COOKIE": "PHPSESSID=%s"}, b""),
    ("/p.php?2", "bearer", {"HTTP_AUTHORIZATION": "Bearer %s"}, b""),
    ("/p.php?3", "basic", {"HTTP_AUTHORIZATION": "Basic " + BASIC, "PHP_AUTH_PW": "%s"}, b""),
    ("/p.php?4", "referer", {"HTTP_REFERER": "https://shop.test/reset?token=%s"}, b""),
    ("/p.php?5", "env", {"DB_PASSWORD": "%s"}, b""),
    ("/p.php?6", "form", FORM, b"password=%s"),
    ("/p.php?7", "json", {"CONTENT_TYPE": "application/json"}, b'{"password": "%s"}'),
)


def fill(text, word):
    if isinstance(text, bytes):
        return text.replace(b"%s", word.encode())
    return text.replace("%s", word)


def send(fpm, uri, name, extra, body, more=""):
    word = secret(name)
    uri = fill(uri, word)
    if more:
        uri += ("&" if "?" in uri else "?") + more
    values = {key: fill(value, word) for key, value in extra.items()}
    swallow(lambda: fcgi_client.get(str(fpm.socket), fpm.script("/p.php"), uri, method="POST" if body else "GET",
                                    body=fill(body, word), extra=values))


def through_nginx(front):
    """The same through a web server that logs: Referer and request line with query."""
    import http.client
    for do in ("crash", "throw", "limit", "slow", "warn", "die"):
        connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)
        headers = {"Referer": f"https://shop.test/?t={secret('logged')}", "Cookie": f"a={secret('logcookie')}",
                   "Authorization": f"Bearer {secret('logbearer')}", "User-Agent": "fact"}
        swallow(lambda: (connection.request("GET", f"/p.php?do={do}&card={secret('logquery')}", headers=headers),
                         connection.getresponse().read()))
        connection.close()


def searched(stage, names):
    """(place, secret) for each that was found."""
    places = {str(path): path.read_bytes() for path in stage.data.rglob("*") if path.is_file()}
    places["collector's output"] = stage.log.read_bytes()
    for path in stage.pages.iterdir():
        places[f"page {path.name}"] = path.read_bytes()
    for words in (["summary"], ["crashes"], ["crashes", "--json"], ["502", "--all"], ["502", "--all", "--json"],
                  ["export"], ["routes"], ["modules"]):
        places[" ".join(words)] = stage.command(*words).stdout.encode(errors="surrogateescape")
    found = [(place, name) for place, data in places.items() for name in names
             if secret(name).encode() in data]
    return found + [(place, "basic, encoded") for place, data in places.items() if BASIC.encode() in data]


def nothing_secret_is_stored_or_shown():
    needs_root()
    with Stage() as stage:
        root = stage.dir / "root"
        root.mkdir(mode=0o755)
        page = PAGE % secret("argument")
        (root / "p.php").write_text(page)
        pool = f"php_admin_value[zend.exception_ignore_args]=0\nphp_admin_value[error_log]={stage.dir}/php.log\n" \
            "php_admin_value[zend.exception_string_param_max_len]=1000\nphp_admin_flag[log_errors]=on\n" \
            f"request_slowlog_timeout=1s\nslowlog={stage.dir}/slow.log\n"
        (stage.dir / "php.log").touch(mode=0o666)
        (stage.dir / "php.log").chmod(0o666)
        (stage.dir / "slow.log").touch()
        front_dir = stage.dir / "nginx"
        stage.collect(*(word for name in ("php.log", "slow.log", "nginx/access.log", "nginx/error.log")
                        for word in ("--log", stage.dir / name)))
        fpm = stage.fpm(workers=3, scripts={"p.php": page}, pool=pool)
        front = Front(front_dir, [fpm.socket], root)
        front.wait()
        try:
            for uri, name, extra, body in CARRIERS:
                send(fpm, uri, name, extra, body)
                send(fpm, uri, name, extra, body, more="do=crash")
            through_nginx(front)
            through_nginx(front)
        finally:
            front.stop()
        names = [name for _, name, _, _ in CARRIERS] + ["argument", "logged", "logcookie", "logbearer", "logquery"]
        php_log = (stage.dir / "php.log").read_text()
        assert secret("argument") in php_log, "the log itself should show it: " + php_log[-500:]
        wait_for("crashes", lambda: len(stage.events("crash")) >= len(CARRIERS), 30)
        wait_for("pages of the dead to go", lambda: len(list(stage.pages.iterdir())) <= 3)
        wait_for("lines of logs", lambda: stage.rows("log_line") > 0)
        time.sleep(1)
        stage.command("mark", "done")
        found = [hit for hit in searched(stage, names) if not hit[0].startswith("page ")]
        assert not found, found
        stage.stop_collector()
        assert not [hit for hit in searched(stage, names) if not hit[0].startswith("page ")]


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
