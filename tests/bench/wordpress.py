"""wordpress.py - a WordPress with its MariaDB, both in a directory of their own, gone afterwards.

    with wordpress.Site() as site:
        pool.get(site.pages["front"])

From Debian's packages, installed when they are missing (root).  MariaDB listens on a socket in the
directory only; WordPress installs itself, with some posts.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from bench_fpm import Page

PACKAGES = ("wordpress", "wordpress-theme-twentytwentythree", "mariadb-server", "php8.2-mysql", "php8.2-cli")
POSTS = 20

CONFIG = """<?php
define('DB_NAME', 'bench'); define('DB_USER', 'bench'); define('DB_PASSWORD', 'bench');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $k) {{
    define($k . '_KEY', $k . 'k'); define($k . '_SALT', $k . 's');
}}
define('WP_HOME', 'http://shop.test'); define('WP_SITEURL', 'http://shop.test');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

# The theme's styles are computed anew each minute (130 to 170 million instructions): under valgrind,
# where requests take seconds, that is now one of thirty requests and now none.
STEADY = """<?php
foreach (['global_styles_', 'global_styles_svg_filters_'] as $name)
    add_filter('expiration_of_transient_' . $name . get_stylesheet(), function () { return 86400; });
"""

INSTALL = """
$_SERVER += ['HTTP_HOST' => 'shop.test', 'SERVER_NAME' => 'shop.test', 'SERVER_PROTOCOL' => 'HTTP/1.1',
             'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/'];
define('WP_INSTALLING', true);
require 'wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Bench', 'admin', 'admin@shop.test', true, '', 'secret');
for ($i = 0; $i < %d; $i++) {
    wp_insert_post(['post_title' => "Post $i", 'post_status' => 'publish', 'post_author' => 1,
                    'post_content' => str_repeat("<p>Some words about the number $i.</p>\\n", 40)]);
}
echo "installed\\n";
""" % POSTS


def install_packages():
    missing = [name for name in PACKAGES if subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True).stdout != "install ok installed"]
    if missing:
        print("bench: installing " + " ".join(missing), file=sys.stderr)
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends"] + missing, check=True,
                       env=dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1"),
                       stdout=sys.stderr)


class Site:
    def __init__(self):
        install_packages()
        self.dir = tempfile.mkdtemp(prefix="fpmscope-wordpress-")
        os.chmod(self.dir, 0o755)
        self.root, self.socket = self.dir + "/site", self.dir + "/mysql.sock"
        self.database = None
        page = lambda script, uri, status=200: Page(  # noqa: E731
            "%s/%s" % (self.root, script), uri, status, {"DOCUMENT_ROOT": self.root}, lengths=(5, 12))
        self.pages = {
            "front": page("index.php", "/"),
            "post": page("index.php", "/?p=5"),
            "search": page("index.php", "/?s=number"),
            "feed": page("index.php", "/?feed=rss2"),
            "missing": page("index.php", "/?p=99999", 404),
            "login": page("wp-login.php", "/wp-login.php"),
        }

    def __enter__(self):
        try:
            self.start_database()
            self.install()
            return self
        except BaseException:
            self.__exit__()
            raise

    def start_database(self):
        user = ["--user=mysql"] if os.getuid() == 0 else []
        data = self.dir + "/mysql"
        os.mkdir(data)
        if user:
            shutil.chown(data, "mysql")
            os.chmod(self.dir, 0o777)  # the socket and the pid file are mysql's
        subprocess.run(["mariadb-install-db", "--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal",
                        "--skip-test-db"] + user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.database = subprocess.Popen(
            ["mariadbd", "--no-defaults", "--datadir=" + data, "--socket=" + self.socket, "--skip-networking",
             "--pid-file=" + self.dir + "/mysql.pid", "--innodb-buffer-pool-size=64M"] + user,
            stdout=subprocess.DEVNULL, stderr=open(self.dir + "/mysql.log", "w"))
        for _ in range(600):
            if subprocess.run(["mariadb", "--no-defaults", "-uroot", "--socket=" + self.socket, "-e",
                               "CREATE DATABASE IF NOT EXISTS bench; GRANT ALL ON bench.* TO bench@localhost "
                               "IDENTIFIED BY 'bench'"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("bench: MariaDB never came up, see %s/mysql.log" % self.dir)

    def install(self):
        shutil.copytree("/usr/share/wordpress", self.root, ignore_dangling_symlinks=True)
        for name in (".htaccess", "wp-config.php"):
            if os.path.lexists(self.root + "/" + name):
                os.unlink(self.root + "/" + name)
        with open(self.root + "/wp-config.php", "w") as out:
            out.write(CONFIG.format(socket=self.socket))
        os.makedirs(self.root + "/wp-content/mu-plugins")
        with open(self.root + "/wp-content/mu-plugins/steady.php", "w") as out:
            out.write(STEADY)
        done = subprocess.run(["php8.2", "-r", INSTALL], cwd=self.root, capture_output=True, text=True)
        if "installed" not in done.stdout:
            raise SystemExit("bench: WordPress did not install: " + (done.stdout + done.stderr)[-500:])

    def __exit__(self, *_):
        if self.database and self.database.poll() is None:
            self.database.terminate()
            self.database.wait(60)
        shutil.rmtree(self.dir, ignore_errors=True)
