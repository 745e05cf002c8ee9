#!/usr/bin/env python3
"""test_shim_link.py - the shim with a collector, without one, and with a false one, one line a fact.

    tests/e2e/test_shim_link.py [WORD...]     only facts whose names contain a word

Needs build/libfpmscope.so; as root, workers run as www-data.  Exit status 1 when a fact is none.
"""
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
from facts import needs_root  # noqa: E402
from shim_stage import HELLO, LEAK, SHIM, Sink, Stage, delta, get_many  # noqa: E402


def without_a_collector_requests_go_on_and_it_may_come_later():
    with Stage() as stage:
        stage.sink.close()
        fpm = stage.fpm(scripts={"leak.php": LEAK})
        get_many(fpm, "/leak.php", 20)
        stage.sink = Sink(stage.socket)
        end = time.monotonic() + 20
        while not stage.sink.all("REQUEST") and time.monotonic() < end:
            fpm.body("/leak.php?later")
            time.sleep(0.1)
        request = stage.sink.request("/leak.php?later")
        hello = stage.sink.wait("HELLO", role=1)[0]
    assert delta(request) == 65544 and request["seq"] > 20, request
    assert hello["pid"] == request["from_pid"] and hello["page"], hello


def without_a_collector_no_pages_pile_up():
    with Stage() as stage:
        stage.sink.close()
        fpm = stage.fpm(workers=2, pool="pm.max_requests=2", scripts={
            "hello.php": HELLO, "die.php": "<?php posix_kill(getmypid(), 11);"})
        get_many(fpm, "/hello.php", 40)
        try:
            fpm.get("/die.php")
        except ConnectionError:
            pass
        end = time.monotonic() + 10
        while len(stage.page_names()) != 3 and time.monotonic() < end:
            time.sleep(0.05)
        pages = [name.split("-")[0] for name in stage.page_names()]
        alive = {str(pid) for pid in fpm.workers()}
        dead = [pid for pid in pages if pid not in alive]
        assert len(dead) == 1 and len(pages) == 3, (pages, alive)  # the one that crashed


def a_stopped_collector_delays_nobody_and_is_counted():
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        get_many(fpm, "/hello.php", 20)
        stage.sink.request("/hello.php?n=19")
        stage.sink.reading.clear()
        begin = time.monotonic()
        get_many(fpm, "/hello.php?stopped", 3000)
        took = time.monotonic() - begin
        stage.sink.reading.set()
        time.sleep(0.3)
        fpm.body("/hello.php?again")
        again = stage.sink.request("/hello.php?again")
        told = len(stage.sink.all("REQUEST"))
    assert took < 30, took
    assert again["dropped_messages"] > 100, again["dropped_messages"]
    assert told + again["dropped_messages"] >= again["seq"], (told, again)


def a_squatter_on_the_abstract_name_gets_nothing():
    needs_root()
    with Stage() as stage:
        fpm = stage.fpm(scripts={"hello.php": HELLO})
        fpm.body("/hello.php")
        stage.sink.request("/hello.php")
        stage.sink.close()
        squatter = subprocess.Popen([sys.executable, "-c", f'''
import os, socket, sys
os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("\\0fpmscope:{stage.socket}"); s.listen(10); s.settimeout(6); print("up", flush=True)
try:
    c, _ = s.accept(); c.settimeout(3); got = c.recv(65536)
except OSError:
    got = b""
print(len(got))'''], stdout=subprocess.PIPE, text=True)
        squatter.stdout.readline()
        for _ in range(20):
            fpm.body("/hello.php?squat")
            time.sleep(0.1)
        got = squatter.communicate(timeout=30)[0].strip()
    assert got == "0", got


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM]))
