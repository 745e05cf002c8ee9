"""varnish_stage.py - a stage with the whole way of a hosted shop: nginx -> Varnish -> nginx -> php-fpm.

`front_port` is nginx that proxies to Varnish (`kept_port`: over connections that it keeps), `port` is
nginx that talks to php-fpm directly.  Five pools (one normal, one with a short
request_terminate_timeout, two that are full at once, one to fall back on) serve one script,
fault_page.php, which fails in the way that its path says.
"""
import os
import shutil
import signal
import threading
import time

import stage

VARNISHD = shutil.which("varnishd") or "/usr/sbin/varnishd"
VARNISHLOG = shutil.which("varnishlog") or "/usr/bin/varnishlog"
HERE = os.path.dirname(os.path.abspath(__file__))

POOL = """
[{name}]
{user}
listen = {listen}
listen.mode = 0666
listen.backlog = {backlog}
pm = static
pm.max_children = 1
env[POOL] = {name}
php_admin_value[ffi.enable] = 1
php_admin_value[sys_temp_dir] = {dir}/tmp
php_admin_flag[display_errors] = off
{extra}
"""

ACCESS_FORMATS = """
    log_format with_id escape=json '{{"time":"$time_iso8601","msec":"$msec","remote_addr":"$remote_addr",'
        '"host":"$host","request":"$request","status":"$status","body_bytes_sent":"$body_bytes_sent",'
        '"user_agent":"$http_user_agent","request_time":"$request_time","request_id":"$rid",'
        '"upstream_addr":"$upstream_addr","upstream_status":"$upstream_status","port":"$server_port",'
        '"handler":"$handler"}}';
    log_format truth escape=json '{{"chaos":"$http_x_chaos","request":"$request"}}';
    log_format stock escape=json '{{"time":"$time_iso8601","remote_addr":"$remote_addr",'
        '"host":"$host","request":"$request","status":"$status","body_bytes_sent":"$body_bytes_sent",'
        '"user_agent":"$http_user_agent","request_time":"$request_time","port":"$server_port",'
        '"handler":"$handler"}}';
    map $http_x_request_id $rid {{ default $http_x_request_id; "" $request_id; }}
    map $server_port $handler {{ default phpfpm; {front_port} varnish; {kept_port} varnish; }}
    map $server_port $header_room {{ default 0; {back_port} 1; }}
"""

FASTCGI = """
            fastcgi_param SCRIPT_FILENAME {docroot}/fault_page.php;
""" + stage.FASTCGI_PARAMS

NGINX_CONF = """daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {dir}/tmp/body; proxy_temp_path {dir}/tmp/proxy;
    fastcgi_temp_path {dir}/tmp/fastcgi; uwsgi_temp_path {dir}/tmp/uwsgi; scgi_temp_path {dir}/tmp/scgi;
""" + ACCESS_FORMATS + """
    access_log {dir}/access.log {log_format};
    access_log {dir}/truth.log truth;
    fastcgi_cache_path {dir}/tmp/cache keys_zone=pages:1m;
    upstream varnish_kept {{ server 127.0.0.1:{varnish_port}; keepalive 4; }}
    upstream pools {{
        server unix:{dir}/fpm.sock max_fails=0;
        server unix:{dir}/second.sock backup max_fails=0;
    }}
    server {{
        listen 127.0.0.1:{port};
        root {docroot};
""" + FASTCGI + """
        location / {{ fastcgi_pass unix:{dir}/fpm.sock; }}
        location /read-timeout/ {{ fastcgi_pass unix:{dir}/fpm.sock; fastcgi_read_timeout 1s; }}
        location /terminate/ {{ fastcgi_pass unix:{dir}/timed.sock; }}
        location /full-unix/ {{ fastcgi_pass unix:{dir}/tiny.sock; }}
        location /full-tcp/ {{ fastcgi_pass 127.0.0.1:{tcp_port}; fastcgi_connect_timeout 1s; }}
        location /stale/ {{
            fastcgi_pass unix:{dir}/fpm.sock;
            fastcgi_cache pages;
            fastcgi_cache_key $request_uri;
            fastcgi_cache_valid 200 1s;
            fastcgi_cache_use_stale error;
        }}
        location /next/ {{ fastcgi_pass pools; }}
        location /nobody/ {{ fastcgi_pass 127.0.0.1:{closed_port}; }}
        location /rewritten/ {{ fastcgi_pass unix:{dir}/fpm.sock; error_page 502 =503 @sorry; }}
        location @sorry {{ return 503 "back soon"; }}
    }}
    server {{
        listen 127.0.0.1:{front_port};
        location / {{
            proxy_pass http://127.0.0.1:{varnish_port};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Request-Id $rid;
        }}
    }}
    server {{
        listen 127.0.0.1:{kept_port};
        location / {{
            proxy_pass http://varnish_kept;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Request-Id $rid;
        }}
    }}
    server {{
        listen 127.0.0.1:{back_port};
        root {docroot};
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Forwarded-For;
        real_ip_recursive on;
        fastcgi_buffer_size 128k;
        fastcgi_buffers 16 128k;
        fastcgi_busy_buffers_size 256k;
""" + FASTCGI + """
        location / {{ fastcgi_pass unix:{dir}/fpm.sock; }}
    }}
}}
"""

VCL = """vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{back_port}"; .first_byte_timeout = 2s; }}
backend nobody {{ .host = "127.0.0.1"; .port = "{closed_port}"; }}
sub vcl_recv {{
    if (req.url ~ "^/wrong-backend/") {{ set req.backend_hint = nobody; }}
    return (pass);
}}
"""


class KernelLog:
    """The kernel's messages from now on, written to a file as a syslog daemon writes them."""

    def __init__(self, path):
        self.path, self.stopped = path, threading.Event()
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)
        self.thread = threading.Thread(target=self.copy, daemon=True)
        self.thread.start()

    def copy(self):
        with open(self.path, "a", buffering=1) as out:
            while not self.stopped.is_set():
                try:
                    record = os.read(self.fd, 8192).decode(errors="replace")
                except BlockingIOError:
                    self.stopped.wait(0.05)
                    continue
                except OSError:  # overwritten before it was read
                    continue
                head, _, text = record.partition(";")
                out.write("%s stage kernel: [%12.6f] %s\n" % (
                    time.strftime("%b %e %H:%M:%S"), int(head.split(",")[2]) / 1e6,
                    text.split("\n")[0]))

    def stop(self):
        self.stopped.set()
        self.thread.join()
        os.close(self.fd)


class VarnishStage(stage.Stage):
    """with VarnishStage() as stage: stage.start(); stage.get("/healthy/", port=stage.front_port)"""

    nginx_conf = NGINX_CONF
    logs = ("access.log", "error.log", "fpm.log", "kern.log", "varnish.log", "varnishd.out")

    def __init__(self, workers=6, log_format="with_id", daemon=False, varnish=True,
                 varnish_options=(), **more):
        super().__init__(workers=workers, log_format=log_format, **more)
        self.docroot = self.path("web")  # a copy: workers may not read the folder of a checkout
        os.mkdir(self.docroot)
        shutil.copyfile(os.path.join(HERE, "fault_page.php"), self.path("web/fault_page.php"))
        os.chmod(self.path("web/fault_page.php"), 0o644)
        self.daemon = daemon  # `fpmscope collect` beside a php-fpm that comes and goes
        self.has_varnish, self.varnish_options = varnish, list(varnish_options)
        (self.front_port, self.kept_port, self.back_port, self.varnish_port, self.tcp_port,
         closed_port) = (stage.free_port() for _ in range(6))
        self.settings.update(
            front_port=self.front_port, kept_port=self.kept_port, back_port=self.back_port, closed_port=closed_port,
            varnish_port=self.varnish_port, tcp_port=self.tcp_port)
        if self.settings["request_id"]:
            self.settings["request_id"] = "fastcgi_param REQUEST_ID $rid;"
        self.settings["pool_extra"] = "env[POOL] = www\n" + self.settings["pool_extra"] + "".join(
            self.pool(*row) for row in (
                ("timed", "timed.sock", 64, "request_terminate_timeout = 1s"),
                ("tiny", "tiny.sock", 1, ""), ("second", "second.sock", 64, ""),
                ("tinytcp", "127.0.0.1:%d" % self.tcp_port, 1, "")))
        self.kernel_log = None

    def pool(self, name, listen, backlog, extra):
        return POOL.format(
            name=name, backlog=backlog, extra=extra, dir=self.dir,
            listen=listen if ":" in listen else self.path(listen),
            user="user = www-data\ngroup = www-data" if os.getuid() == 0 else "")

    def start(self):
        for name in self.logs:
            open(self.path(name), "a").close()
        if os.access("/dev/kmsg", os.R_OK):
            self.kernel_log = KernelLog(self.path("kern.log"))
        if self.daemon:
            self.write_configuration()
            self.collector = self.spawn([self.fpmscope, "collect", "--no-find-logs"] +
                                        self.log_options(), "collect.out")
            stage.wait_for("the collector", lambda: os.path.exists(self.socket))
            self.start_fpm()
            self.start_nginx()
        else:
            super().start()
        if self.has_varnish:
            self.start_varnish()
        return self

    def start_fpm(self):
        """php-fpm under the shim, beside `fpmscope collect`; returns when it listens."""
        environment = dict(self.environment(),
                           LD_PRELOAD=os.path.join(self.build, "libfpmscope.so"))
        self.run = self.spawn(self.fpm_command(), "run.out", environment)
        stage.wait_for("php-fpm's socket", self.fpm_listens, 15)
        stage.wait_for("php-fpm's workers", self.workers, 15)
        return self.run

    def start_nginx(self):
        self.nginx = self.spawn([stage.NGINX, "-c", self.path("nginx.conf"), "-p", self.dir,
                                 "-e", self.path("error.log")], "nginx.out")
        stage.wait_for("php-fpm and nginx (see %s)" % self.dir, self.answers, 15)

    def start_varnish(self):
        with open(self.path("shop.vcl"), "w") as out:
            out.write(VCL.format(**self.settings))
        self.varnish = self.spawn(
            [VARNISHD, "-F", "-j", "none", "-n", self.path("varnish"), "-f", self.path("shop.vcl"),
             "-a", "127.0.0.1:%d" % self.varnish_port, "-s", "malloc,16m", "-p", "vsl_space=8m"] +
            self.varnish_options,
            "varnishd.out")
        stage.wait_for("Varnish", self.varnish_answers, 30)
        self.varnishlog = self.spawn([VARNISHLOG, "-n", self.path("varnish"), "-g", "request"],
                                     "varnish.log")

    def stop_varnish(self):
        for process in (self.varnish, self.varnishlog):
            process.terminate()
            process.wait(15)
            self.processes.remove(process)

    def varnish_child(self):
        """The process that serves; the one that was started only watches it."""
        children = "/proc/%d/task/%d/children" % (self.varnish.pid, self.varnish.pid)
        return int(stage.wait_for("Varnish's child", lambda: stage.text_of(children).split())[0])

    def rotate(self, name, between):
        """As logrotate does it: rename, and some time later tell nginx; between() comes in between."""
        os.rename(self.path(name), self.path(name + ".1"))
        between()
        self.nginx.send_signal(signal.SIGUSR1)
        stage.wait_for("a new " + name, lambda: os.path.exists(self.path(name)))

    def varnish_answers(self):
        assert self.varnish.poll() is None, stage.text_of(self.path("varnishd.out"))[-2000:]
        try:
            return self.get("/healthy/", port=self.varnish_port)[0] == 200
        except OSError:
            return False

    def note(self, name):
        """The file through which a page tells us its pid, or we tell it to go on."""
        return self.path("tmp/" + name)

    def pid_of(self, token, seconds=10):
        """The worker that serves the page with this token, as the page itself said."""
        def read():
            try:
                return stage.text_of(self.note("pid-" + token)).strip()
            except OSError:
                return None
        return int(stage.wait_for("the pid of " + token, read, seconds))

    def stop(self):
        super().stop()
        if self.kernel_log:
            self.kernel_log.stop()
            self.kernel_log = None


class Background:
    """Visitors of healthy pages, direct and through Varnish, until stopped; counts what failed."""

    def __init__(self, owner, threads=2, pause_s=0.04, through_varnish=True):
        self.owner, self.pause_s, self.stopped = owner, pause_s, threading.Event()
        self.through_varnish, self.answers = through_varnish, {}
        self.threads = [threading.Thread(target=self.visit, args=(i,), daemon=True)
                        for i in range(threads)]

    def visit(self, number):
        count = 0
        while not self.stopped.wait(self.pause_s):
            count += 1
            port = self.owner.front_port if self.through_varnish and count % 2 else None
            uri = "/healthy/%d?page=%d" % (count % 7, count)
            try:
                status = self.owner.get(uri, port=port, client="127.0.1.%d" % (1 + number))[0]
            except OSError:
                status = 0
            self.answers[status] = self.answers.get(status, 0) + 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
