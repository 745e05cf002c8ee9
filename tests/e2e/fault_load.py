"""fault_load.py - load through nginx that remembers every answer, and compares answers of two runs.

    front = Front(directory, fpm_sockets, script_prefix)   nginx before one or several php-fpm
    answers = drive(front.port, pages, seconds)            all pages in turn, by several clients
    failed, differing = wrong(answers, right_answers(answers_without))
"""
import hashlib
import http.client
import subprocess
import threading
import time
from collections import Counter, defaultdict

from stage import NGINX, free_port

# What one page does must not depend on the clock, the pid or the request before.
SCRIPTS = {
    "hello.php": '<?php echo "hello";',
    "big.php": '<?php for ($i = 0; $i < 6000; $i++) echo str_repeat(chr(65 + $i % 26), 50), "\\n";',
    "post.php": '<?php $in = file_get_contents("php://input"); echo strlen($in), " ", md5($in);',
    "header.php": '<?php header("X-Shop: a, b"); setcookie("basket", "7"); http_response_code(404);'
                  'echo "not here";',
    "fatal.php": '<?php ini_set("display_errors", "0"); ini_set("log_errors", "0"); nothing_like_it();',
    "heap.php": '<?php $a = []; for ($i = 0; $i < 40; $i++) $a[] = str_repeat("x", 200000);'
                'echo strlen(implode("", $a));',
    "dom.php": '<?php $d = new DOMDocument; $d->loadXML("<r>" . str_repeat("<a b=\'c\'/>", 2000) . "</r>");'
               'echo md5($d->saveXML());',
    "limit.php": '<?php ini_set("log_errors", "0"); ini_set("memory_limit", "6M"); ini_set("display_errors", "0");'
                 '$a = str_repeat("x", 20000000);',
    "finish.php": '<?php echo "done"; fastcgi_finish_request(); $a = str_repeat("y", 3000000);',
    "child.php": '<?php echo shell_exec("echo child; env | grep -vE "^(PWD|USER|HOME)=" | sort");',
    "exit.php": '<?php register_shutdown_function(function () { echo " bye"; exit(0); }); echo "one"; exit(1);',
}
PAGES = [("GET", "/hello.php?q=1", None), ("GET", "/big.php", None), ("POST", "/post.php", b"z" * 70000),
         ("GET", "/header.php", None), ("GET", "/fatal.php", None), ("GET", "/heap.php", None),
         ("GET", "/dom.php", None), ("GET", "/limit.php", None), ("GET", "/finish.php", None),
         ("GET", "/child.php", None), ("GET", "/exit.php", None), ("HEAD", "/big.php", None)]
# nginx's words when nobody listens, and when the listener went away with its backlog.
REFUSED, BACKLOG = "connect() to unix:", "104: Connection reset by peer"

CONF = """daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; {user}
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    access_log {dir}/access.log;
    upstream php {{ {servers} {kept} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass php;
            {keep_conn}
            fastcgi_next_upstream off;
            fastcgi_param SCRIPT_FILENAME {prefix}$document_uri;
            fastcgi_param SCRIPT_NAME $document_uri;
            fastcgi_param DOCUMENT_URI $document_uri;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param HTTP_HOST shop.test;
            fastcgi_param REQUEST_ID $request_id;
        }}
    }}
}}
"""


class Front:
    """nginx on a port of its own, in `directory`."""

    def __init__(self, directory, sockets, script_prefix, keep=False, root=True):
        self.dir, self.port = directory, free_port()
        directory.mkdir()
        directory.chmod(0o755)
        (directory / "nginx.conf").write_text(CONF.format(
            dir=directory, port=self.port, prefix=script_prefix,
            user="user www-data;" if root else "",
            servers=" ".join(f"server unix:{path};" for path in sockets),
            kept="keepalive 2;" if keep else "", keep_conn="fastcgi_keep_conn on;" if keep else ""))
        self.process = subprocess.Popen([NGINX, "-c", directory / "nginx.conf", "-p", directory,
                                         "-e", directory / "error.log"])

    def wait(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=10).connect()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("nginx did not start")

    def refused(self, with_backlog):
        """Requests that no worker ever had: nobody listened, or the backlog was thrown away."""
        log = self.dir / "error.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return text.count(REFUSED) + (text.count(BACKLOG) if with_backlog else 0)

    def stop(self):
        self.process.terminate()
        self.process.wait(15)


class Answers:
    """What came back: per page a count of each distinct answer, and how long they took."""

    def __init__(self):
        self.by_page, self.seconds, self.lock = defaultdict(Counter), [], threading.Lock()

    def add(self, page, answer, seconds):
        with self.lock:
            self.by_page[page][answer] += 1
            self.seconds.append(seconds)

    def count(self):
        return sum(sum(answers.values()) for answers in self.by_page.values())

    def quantile_ms(self, share):
        """The time that this share of the answers did not exceed."""
        return 1000 * sorted(self.seconds)[int(len(self.seconds) * share)] if self.seconds else 0

    def median_ms(self):
        return self.quantile_ms(0.5)


def _ask(connection, method, uri, body):
    """Status and a digest of everything that must be the same each time."""
    connection.request(method, uri, body=body)
    response = connection.getresponse()
    text = response.read()
    digest = hashlib.sha256(text)
    for name, value in response.getheaders():
        if name.lower() not in ("date", "connection"):
            digest.update(f"{name}: {value}\n".encode())
    return response.status, len(text), digest.hexdigest()[:16]


def _client(port, pages, first, stop, answers):
    connection, at = http.client.HTTPConnection("127.0.0.1", port, timeout=60), first
    while not stop.is_set():
        method, uri, body = page = pages[at % len(pages)]
        begin = time.monotonic()
        try:
            answer = _ask(connection, method, uri, body)
        except (OSError, http.client.HTTPException) as error:
            answer = (0, 0, type(error).__name__)
            connection.close()
        answers.add(page[:2], answer, time.monotonic() - begin)
        at += 1
    connection.close()


def drive(port, pages, seconds, threads=4):
    """Ask for all pages in turn, each thread beginning at another one."""
    answers, stop = Answers(), threading.Event()
    clients = [threading.Thread(target=_client, args=(port, pages, i * 3, stop, answers))
               for i in range(threads)]
    for client in clients:
        client.start()
    time.sleep(seconds)
    stop.set()
    for client in clients:
        client.join()
    return answers


def right_answers(answers):
    """Page -> its one answer: the most frequent that is no failure of the way to it."""
    right = {}
    for page, seen in answers.by_page.items():
        good = [(n, answer) for answer, n in seen.items() if answer[0] not in (0, 502, 503, 504)]
        if good:
            right[page] = max(good)[1]
    return right


def wrong(answers, right):
    """(requests that failed, requests whose answer has other bytes)."""
    failed = differing = 0
    for page, seen in answers.by_page.items():
        for answer, n in seen.items():
            if answer[0] in (0, 502, 503, 504):
                failed += n
            elif answer != right.get(page, answer):
                differing += n
    return failed, differing
