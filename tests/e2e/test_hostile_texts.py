#!/usr/bin/env python3
"""test_hostile_texts.py - no text of a visitor, a script or a log reaches a terminal or a spreadsheet alive.

Requests, PHP names, log lines and a mark carry terminal escapes (as bytes, as C1, as UTF-8), bidirectional
overrides, HTML and formulas.  Then every command prints what it knows, for people, for pipes and as
JSON, and each output is looked at byte by byte.
"""
import json
import re
import sys
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import facts  # noqa: E402
import fcgi_client  # noqa: E402
from collector_stage import FPMSCOPE, Stage, swallow, wait_for  # noqa: E402
from facts import needs_root  # noqa: E402
from shim_stage import SHIM  # noqa: E402

ESCAPE, C1, OVERRIDE = "\x1b]0;owned\x07\x1b[2J", "\u009b31m", "\u202egnp\u2066"
FORMULA, HTML = "=cmd|' /C calc'!A0", "<script>alert(1)</script>"
EVIL = (ESCAPE, C1, OVERRIDE, FORMULA, HTML, "@SUM(A1)", "+1+1|x", "\x7f\x08\x08", "\xff\xfe")
# PHP names may be made of any bytes from 0x80 on; paths of any but 0.
CLASS = "Ev\u202eil\u009b31m"
CODE = f"""<?php class {CLASS} {{ static function fall() {{ FFI::cdef('void *memset(void *s, int c, size_t n);')
    ->memset(FFI::new('char *'), 1, 16); }} }}
    if (str_contains($_SERVER['QUERY_STRING'] ?? '', 'fall')) {CLASS}::fall(); echo 1;"""
SCRIPT = "e\x1b[31m" + "=x.php"
ERROR = ('2026/11/22 11:00:01 [error] 7#7: *%d recv() failed (104: Connection reset by peer) while reading '
         'response header from upstream, client: 127.0.0.1, server: a, request: "GET /%s HTTP/1.1", '
         'upstream: "fastcgi://unix:/x:", host: "%s"\n')
ACCESS = '127.0.0.1 - - [22/Nov/2026:11:00:01 +0000] "GET /%s HTTP/1.1" 502 150 "-" "%s"\n'
COMMANDS = (["summary"], ["routes"], ["modules"], ["workers"], ["crashes"], ["502", "--all"], ["export"],
            ["doctor", "--all"], ["502", "--all", "--format", "{uri} {host} {evidence}"],
            ["502", "--all", "--fields", "uri,host,method,evidence"], ["summary", "--compare", "x" + ESCAPE])


def as_text(raw):
    return raw.decode("utf-8", "surrogateescape")


def living_bytes(text):
    """Characters that a terminal obeys, or that change how the rest reads."""
    return sorted({f"U+{ord(c):04X}" for c in text if c not in "\n\t" and
                   (unicodedata.category(c) == "Cc" or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
                    or 0xdc80 <= ord(c) <= 0xdcff)})


def formulas(text):
    """Cells of piped tables that a spreadsheet would compute."""
    cells = [cell for line in text.splitlines() if "\t" in line for cell in line.split("\t")]
    return [cell for cell in cells if cell[:1] in "=+-@" and cell and
            not re.fullmatch(r"[-+]?[0-9.]*[A-Za-z% ]*", cell)]


def ask(fpm, uri, script, evil):
    """A request as a compromised web server might put it; what fails is no matter."""
    extra = {"HTTP_HOST": evil, "HTTP_USER_AGENT": evil, "HTTP_X_REQUEST_ID": evil, "REMOTE_ADDR": evil}

    def send():
        with fpm.connect() as conn:
            values = dict(fcgi_client.environment(fpm.script("/") + script, uri), **extra)
            values["REQUEST_METHOD"] = evil[:16]
            conn.sendall(fcgi_client.begin() + fcgi_client.record(fcgi_client.PARAMS, fcgi_client.pairs(values))
                         + fcgi_client.record(fcgi_client.PARAMS) + fcgi_client.record(fcgi_client.STDIN))
            fcgi_client.read_response(conn)
    swallow(send)


def fill(stage):
    stage.collect("--log", stage.dir / "access.log", "--log", stage.dir / "error.log")
    fpm = stage.fpm(workers=2, scripts={SCRIPT: CODE})
    for evil in EVIL:
        for i in range(12):
            ask(fpm, f"/{evil}/x?{evil}={i}", SCRIPT, evil)
        ask(fpm, f"/{evil}/x?fall=1", SCRIPT, evil)
        with (stage.dir / "access.log").open("a", errors="surrogateescape") as access, \
                (stage.dir / "error.log").open("a", errors="surrogateescape") as error:
            access.write(ACCESS % (evil, evil))
            error.write(ERROR % (7, evil, evil))
    wait_for("crashes", lambda: len(stage.events("crash")) >= len(EVIL), 30)
    stage.command("mark", "x" + ESCAPE)


def look(stage, words, problems):
    json_too = words[0] != "export" and "--format" not in words and "--fields" not in words
    outputs = [(stage.raw(*words), False)] + ([(stage.raw(*words, "--json"), True)] if json_too else [])
    for raw, is_json in outputs:
        text = as_text(raw)
        assert raw or words[0] in ("workers", "modules"), words
        # DEL does nothing on a terminal's screen, and jansson writes it as it is.
        problems += [(words, is_json, code) for code in living_bytes(text) if not is_json or code != "U+007F"]
        problems += [] if is_json or words[0] == "export" else [(words, cell) for cell in formulas(text)]
        if is_json:
            json.loads(text)


def no_output_lets_a_hostile_text_through():
    needs_root()
    with Stage() as stage:
        for name in ("access.log", "error.log"):
            (stage.dir / name).write_text("")
        fill(stage)
        problems = []
        for words in COMMANDS:
            look(stage, words, problems)
        logs = [str(stage.dir / "access.log"), str(stage.dir / "error.log")]
        for more in ([], ["--format", "{uri} {host} {evidence}"], ["--fields", "uri,host,method,evidence"]):
            look(stage, ["502", "--all", *more, *logs], problems)
        assert not problems, problems[:20]
        frames = [frame for row in stage.events("stk") for frame in row["php"]]
        assert any(CLASS in frame for frame in frames), frames


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, FPMSCOPE]))
