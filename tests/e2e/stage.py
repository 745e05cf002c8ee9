"""stage.py - a stage for end-to-end tests: real php-fpm and nginx in a directory of their own.

Everything listens on a unix socket or on loopback, everything that was started is stopped by pid,
and the directory is removed, also when a test fails.  Python 3, standard library only.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import scratch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHP_FPM = os.environ.get("FPMSCOPE_PHP_FPM") or shutil.which("php-fpm8.2") or "/usr/sbin/php-fpm8.2"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

FPM_CONF = """[global]
error_log = {dir}/fpm.log
pid = {dir}/fpm.pid
daemonize = no
log_level = notice
{global_extra}
[{pool}]
{user}
listen = {dir}/fpm.sock
listen.mode = 0666
pm = static
pm.max_children = {workers}
pm.max_requests = {max_requests}
pm.status_path = /fpm-status
ping.path = /fpm-ping
catch_workers_output = no
php_admin_value[ffi.enable] = 1
php_admin_value[memory_limit] = {memory_limit}
php_admin_value[sys_temp_dir] = {dir}/tmp
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
{pool_extra}
"""

# Of every location that php-fpm answers, behind its SCRIPT_FILENAME.
FASTCGI_PARAMS = """\
            fastcgi_param SCRIPT_NAME /index.php;
            fastcgi_param DOCUMENT_URI /index.php;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param SERVER_PORT $server_port;
            fastcgi_param SERVER_NAME $server_name;
            {request_id}
"""

# The request id makes the join exact; `log_request_id` False is the stock format of many hosts.
NGINX_CONF = """daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {dir}/tmp/body; proxy_temp_path {dir}/tmp/proxy;
    fastcgi_temp_path {dir}/tmp/fastcgi; uwsgi_temp_path {dir}/tmp/uwsgi; scgi_temp_path {dir}/tmp/scgi;
    log_format shop escape=json '{{"time":"$time_iso8601","msec":"$msec","remote_addr":"$remote_addr",'
        '"host":"$host","request":"$request","status":"$status","body_bytes_sent":"$body_bytes_sent",'
        '"user_agent":"$http_user_agent","request_time":"$request_time","request_id":"$request_id",'
        '"upstream_status":"$upstream_status","server_port":"$server_port","handler":"phpfpm"}}';
    access_log {dir}/access.log {log_format};
    server {{
        listen 127.0.0.1:{port};
        root {docroot};
        location / {{
            fastcgi_pass unix:{dir}/fpm.sock;
            fastcgi_param SCRIPT_FILENAME {docroot}/index.php;
""" + FASTCGI_PARAMS + """\
            {nginx_extra}
        }}
    }}
}}
"""


def free_port():
    """A loopback port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(what, condition, seconds=10.0):
    """Wait until condition() is true; AssertionError names what never came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited %.0f s in vain for %s" % (seconds, what))


def text_of(path):
    """What is in a file now."""
    with open(path, errors="replace") as file:
        return file.read()


class Stage:
    """with Stage(pages) as stage: stage.start(); stage.get("/"); rows = stage.json("summary")"""

    # What a stage with other servers replaces (varnish_stage.py): str.format texts, filled in from
    # `settings`, and the logs that the collector follows.
    fpm_conf, nginx_conf = FPM_CONF, NGINX_CONF
    logs = ("access.log", "error.log", "fpm.log")

    def __init__(self, docroot=None, build="build", workers=4, max_requests=0, memory_limit="96M",
                 pool="www", log_format="shop", request_id=True, pool_extra="", global_extra="",
                 nginx_extra="", shim=True, run_options=(), keep=bool(os.environ.get("FPMSCOPE_KEEP"))):
        self.dir = tempfile.mkdtemp(prefix="fpmscope-kept-") if keep else scratch.make("e2e")
        os.chmod(self.dir, 0o755)
        for name in ("tmp", "data"):
            os.mkdir(os.path.join(self.dir, name))
        os.chmod(os.path.join(self.dir, "tmp"), 0o777)
        self.build = os.path.join(ROOT, build) if not os.path.isabs(build) else build
        self.fpmscope = os.path.join(self.build, "fpmscope")
        self.socket = os.path.join(self.dir, "collector.sock")
        self.data = os.path.join(self.dir, "data")
        self.port = free_port()
        self.docroot, self.keep, self.shim = docroot, keep, shim
        self.run_options = list(run_options)  # of `fpmscope run`
        self.settings = dict(
            workers=workers, max_requests=max_requests, memory_limit=memory_limit, pool=pool,
            log_format=log_format, pool_extra=pool_extra, global_extra=global_extra,
            nginx_extra=nginx_extra,
            request_id="fastcgi_param REQUEST_ID $request_id;" if request_id else "")
        self.processes = []
        self.run = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.keep:
            print("kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write_configuration(self):
        root = os.getuid() == 0
        values = dict(self.settings, dir=self.dir, docroot=self.docroot, port=self.port)
        with open(self.path("fpm.conf"), "w") as out:
            out.write(self.fpm_conf.format(
                user="user = www-data\ngroup = www-data" if root else "", **values))
        with open(self.path("nginx.conf"), "w") as out:
            out.write(self.nginx_conf.format(user="user www-data;" if root else "", **values))

    def fpm_command(self):
        return [PHP_FPM, "-F", "-y", self.path("fpm.conf")]

    def environment(self):
        env = dict(os.environ, FPMSCOPE_SOCKET=self.socket, FPMSCOPE_DATA=self.data, NO_COLOR="1",
                   TMPDIR=self.path("tmp"))
        env.pop("LD_PRELOAD", None)
        return env

    def spawn(self, command, log, env=None):
        with open(self.path(log), "ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       env=env or self.environment())
        self.processes.append(process)
        return process

    def start(self):
        """nginx, and php-fpm under `fpmscope run` (or plain, with shim=False)."""
        self.write_configuration()
        if self.shim:
            self.run = self.spawn([self.fpmscope, "run", "--data", self.data] +
                                  self.run_options + self.log_options() + ["--"] + self.fpm_command(), "run.out")
        else:
            self.run = self.spawn(self.fpm_command(), "run.out")
        wait_for("php-fpm's socket (see %s)" % self.dir, self.fpm_listens, 15)
        self.nginx = self.spawn([NGINX, "-c", self.path("nginx.conf"), "-p", self.dir,
                                 "-e", self.path("error.log")], "nginx.out")
        wait_for("php-fpm and nginx (see %s)" % self.dir, self.answers, 15)
        return self

    def log_options(self):
        return [word for name in self.logs for word in ("--log", self.path(name))]

    def fpm_listens(self):
        assert self.run.poll() is None, text_of(self.path("run.out"))[-2000:]
        return os.path.exists(self.path("fpm.sock"))

    def answers(self):
        for process in self.processes:
            assert process.poll() is None, "%s ended: %s" % (
                process.args[0], text_of(self.path("run.out"))[-2000:])
        try:
            return self.get("/fpm-ping-of-stage")[0] in (200, 404)
        except OSError:
            return False

    def get(self, uri, method="GET", body=None, headers=None, timeout=60, port=None,
            client="127.0.0.1"):
        """(status, body) of one request through nginx; a connection of its own, from `client`."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout,
                                                source_address=(client, 0))
        try:
            connection.request(method, uri, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def drive(self, uris, threads=3):
        """Send every uri once, `threads` at a time; returns the list of (uri, status)."""
        todo, done, lock = list(uris), [], threading.Lock()

        def work():
            while True:
                with lock:
                    if not todo:
                        return
                    uri = todo.pop()
                status = self.get(uri)[0]
                with lock:
                    done.append((uri, status))

        pool = [threading.Thread(target=work) for _ in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        return done

    def kill_victim(self, uri):
        """Request a "killed" page and SIGKILL the worker that serves it; returns (pid, status)."""
        note = self.path("tmp/fpmscope-victim")
        if os.path.exists(note):
            os.unlink(note)
        answer = []
        thread = threading.Thread(target=lambda: answer.append(self.get(uri)[0]))
        thread.start()
        pid = wait_for("the victim", lambda: os.path.exists(note) and text_of(note).strip())
        time.sleep(0.1)
        os.kill(int(pid), signal.SIGKILL)
        thread.join()
        return int(pid), answer[0]

    def workers(self):
        """Pids of this stage's php-fpm workers."""
        try:
            master = int(text_of(self.path("fpm.pid")))
            out = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, text=True).stdout
        except (OSError, ValueError):
            return []
        return [int(pid) for pid in out.split()]

    def json(self, *command):
        """The parsed --json output of a fpmscope command on this stage's store."""
        run = subprocess.run([self.fpmscope, command[0], "--json"] + list(command[1:]),
                             capture_output=True, text=True, env=self.environment(), timeout=120)
        assert run.stdout, "%s printed nothing: %s" % (" ".join(command), run.stderr)
        return json.loads(run.stdout)

    def stop(self):
        """Stop what was started, in reverse, and wait for it."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.processes = []
