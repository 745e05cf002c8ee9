#!/usr/bin/env python3
"""big_log.py - an access log of any size through `fpmscope 502`: how fast, in how much memory.

    big_log.py [FPMSCOPE] [--gb 10] [--bad 0.001] [--file]

Without --file the log is made on the way and piped in, so that 10 GB need no disk; with it two files (access
and error log) are written to a temporary directory and read, which takes two readings of each.  Lines
are Hypernode's JSON; a block of 100,000 is made once and sent again and again with later dates.
"""
import argparse
import datetime
import functools
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK_LINES, BLOCK_SECONDS = 100000, 500
FIRST = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)

ACCESS = ('{"time":"@DAY@T%s+00:00", "remote_addr":"%s", "remote_user":"", "host":"www.voorbeeldshop.nl", '
          '"request":"GET %s HTTP/1.1", "status":"%d", "body_bytes_sent":"12879", "referer":"", '
          '"user_agent":"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", '
          '"request_time":"0.065", "handler":"phpfpm", "country":"NL", "server_name":"www.voorbeeldshop.nl", '
          '"port":"23081", "ssl_cipher":"", "ssl_protocol":""}\n')
ERROR = ('@SLASH@ %s [error] 14494#14494: *%d recv() failed (104: Connection reset by peer) while reading '
         'response header from upstream, client: %s, server: s, request: "GET %s HTTP/1.1", upstream: '
         '"fastcgi://unix:/run/php/fpm.sock:", host: "www.voorbeeldshop.nl"\n')


@functools.lru_cache
def make_block(bad):
    """(access lines, error lines) of some minutes, with places for the date."""
    rng = random.Random(1)
    uris = ["/catalog/product/view/id/%d/" % i for i in range(500)] + ["/", "/graphql", "/checkout/cart/"]
    access, errors = [], []
    for i in range(BLOCK_LINES):
        second = i * BLOCK_SECONDS // BLOCK_LINES
        clock = "12:%02d:%02d" % (second // 60, second % 60)
        uri, client = rng.choice(uris), "84.241.%d.%d" % (i % 200, i % 250)
        failed = rng.random() < bad
        access.append(ACCESS % (clock, client, uri, 502 if failed else 200))
        if failed:
            errors.append(ERROR % (clock, i, client, uri))
    return "".join(access).encode(), "".join(errors).encode()


def days(block, total_bytes):
    """The block with one date after the other, until there are so many bytes of it."""
    done, day = 0, FIRST
    while done < total_bytes:
        yield (block[0].replace(b"@DAY@", day.strftime("%Y-%m-%d").encode()),
               block[1].replace(b"@SLASH@", day.strftime("%Y/%m/%d").encode()))
        done += len(block[0])
        day += datetime.timedelta(days=1)


class Memory(threading.Thread):
    """The most memory of a process, asked now and then (getrusage would count what we hold ourselves)."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most_mib = process, 0
        self.start()

    def run(self):
        while self.process.poll() is None:
            try:
                with open("/proc/%d/status" % self.process.pid) as status:
                    self.most_mib = max([self.most_mib] + [int(line.split()[1]) / 1024 for line in status
                                                           if line.startswith("VmHWM")])
            except OSError:
                return
            time.sleep(0.02)


def start(tool, names, **how):
    process = subprocess.Popen([tool, "502", "--all", "--fields", "cause"] + names,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return process, Memory(process)


def through_pipe(tool, block, total_bytes):
    process, memory = start(tool, ["-"], stdin=subprocess.PIPE)
    for access, errors in days(block, total_bytes):
        process.stdin.write(access + errors)
    process.stdin.close()
    return process.wait(), memory.most_mib


def through_files(tool, block, total_bytes):
    with tempfile.TemporaryDirectory(prefix="fpmscope-big-") as folder:
        names = [os.path.join(folder, name) for name in ("access.log", "error.log")]
        with open(names[0], "wb") as access_log, open(names[1], "wb") as error_log:
            for access, errors in days(block, total_bytes):
                access_log.write(access)
                error_log.write(errors)
        process, memory = start(tool, names)
        return process.wait(), memory.most_mib


def measure(tool, gigabytes, bad, as_files=False):
    """(exit status, CPU seconds, most memory in MiB) of the tool alone."""
    block = make_block(bad)
    run = through_files if as_files else through_pipe
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, memory_mib = run(tool, block, gigabytes * 1e9)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (status, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, memory_mib)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fpmscope", nargs="?", default=os.path.join(ROOT, "build", "fpmscope"))
    parser.add_argument("--gb", type=float, default=10)
    parser.add_argument("--bad", type=float, default=0.001)
    parser.add_argument("--file", action="store_true")
    options = parser.parse_args()
    status, cpu_s, memory_mib = measure(options.fpmscope, options.gb, options.bad, options.file)
    print("%.1f GB %s, %.1f %% failed: %.1f s of CPU, %.0f MiB at most" % (
        options.gb, "in files" if options.file else "through a pipe", 100 * options.bad, cpu_s, memory_mib))
    sys.exit(status)


if __name__ == "__main__":
    main()
