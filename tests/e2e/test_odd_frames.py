#!/usr/bin/env python3
"""test_odd_frames.py - native stacks through hand-written code: libunwind goes on where the shim cannot.

    tests/e2e/test_odd_frames.py [WORD...]     only facts whose names contain a word

A real worker calls injected/odd_malloc.so by FFI.  Its frames have rows that three columns cannot express.
"""
import ctypes.util
import os
import platform
import sys
from pathlib import Path

import facts
from shim_stage import ROOT, SHIM, Stage

INJECTED = ROOT / "build/release/tests/e2e/injected"
LIBRARY, HEADERLESS = INJECTED / "odd_malloc.so", INJECTED / "headerless_malloc.so"
BY_RBX, BY_EXPRESSION, HIDES_FP, WITHOUT_ROW = range(4)
BLOCK_BYTES = 4 << 20  # far above the interval: each is a sample
CAN_NATIVE_STACK = 2
STAY = 0x1002  # RTLD_NOW | RTLD_NODELETE: the map is read after the request
PAGE = f"""<?php
$library = '{INJECTED}/' . ($_GET['library'] ?? '{LIBRARY.name}');
FFI::cdef('void *dlopen(const char *file, int flags);')->dlopen($library, {STAY});
$c = FFI::cdef('void *odd_malloc(unsigned which, size_t size);', $library);
for ($i = 0; $i < $_GET['times']; $i++) $c->odd_malloc($_GET['which'], {BLOCK_BYTES} + $_GET['which']);
echo 'kept';"""
EXTENSIONS = (ROOT / "tests/bench/workloads/extensions.php").read_text()


def needs(libunwind):
    if platform.machine() != "x86_64":
        raise facts.Skip("the frames are x86-64's")
    if libunwind and not ctypes.util.find_library("unwind"):
        raise facts.Skip("needs libunwind")


def file_of(pc, maps):
    """The name of the file that a program counter lies in."""
    for line in maps.splitlines():
        start, end = (int(text, 16) for text in line.split()[0].split("-"))
        if start <= pc < end:
            return Path(line.split(maxsplit=5)[5]).name if len(line.split()) > 5 else ""
    return ""


def stacks_of(stage, fpm, which, times=1, library=LIBRARY):
    """The files of each frame of the blocks that one request leaves behind."""
    uri = f"/odd.php?which={which}&times={times}&library={library.name}"
    assert fpm.body(uri) == b"kept"
    fpm.body("/odd.php?which=0&times=0")
    seq = stage.sink.request(uri)["seq"]
    maps = Path(f"/proc/{fpm.workers()[0]}/maps").read_text()
    samples = [s for s in stage.sink.all("SAMPLE", seq=seq) if s["size_bytes"] // BLOCK_BYTES == 1]
    assert len(samples) == times, samples
    natives = [stage.sink.wait("STACK", id=sample["stack"])[0]["native"] for sample in samples]
    return [[file_of(int.from_bytes(native[at:at + 8], "little"), maps) for at in range(0, len(native), 8)]
            for native in natives]


def pool(stage, env=None, shim=True):
    return stage.fpm(scripts={"odd.php": PAGE, "extensions.php": EXTENSIONS}, shim=shim,
                     env={"FPMSCOPE_INTERVAL_BYTES": "262144"} | (env or {}))


def stacks_go_on_beyond_hand_written_frames():
    needs(libunwind=True)
    with Stage() as stage:
        fpm = pool(stage)
        for which in (BY_RBX, BY_EXPRESSION, HIDES_FP):  # libunwind 1.3 does not guess without a row
            [files] = stacks_of(stage, fpm, which)
            assert files[:3] == ["odd_malloc.so"] * 3, files
            assert "php-fpm" in files[-1] and any("ffi" in name for name in files), files


def of_a_library_without_a_header_the_file_is_read():
    needs(libunwind=True)
    with Stage() as stage:
        fpm = pool(stage)
        [files] = stacks_of(stage, fpm, BY_RBX, library=HEADERLESS)
        assert files[:3] == [HEADERLESS.name] * 3 and "php-fpm" in files[-1], files


def without_libunwind_they_end_there_which_is_said_and_nothing_else_is_lost():
    needs(libunwind=False)
    with Stage() as stage:
        empty = stage.dir / "empty"
        empty.mkdir()
        (empty / "libunwind.so.8").write_bytes(b"")  # found first, and no library
        fpm = pool(stage, {"LD_LIBRARY_PATH": str(empty)})
        for which, count in ((BY_RBX, 2), (BY_EXPRESSION, 2), (HIDES_FP, 3), (WITHOUT_ROW, 2)):
            [files] = stacks_of(stage, fpm, which)
            assert files == ["odd_malloc.so"] * count, (which, files)
        hello = [m for m in stage.sink.all("HELLO") if m["php_version"]][0]
        assert hello["abilities"] & CAN_NATIVE_STACK, hello
        notes = stage.sink.all("NOTE")
        assert len(notes) == 1 and b"libunwind" in notes[0]["detail"], notes
        assert "exited" not in fpm.log_text(), fpm.log_text()


def a_request_asks_a_few_times_and_the_next_one_again():
    needs(libunwind=True)
    with Stage() as stage:
        fpm = pool(stage)
        lengths = [sorted({len(files) for files in stacks_of(stage, fpm, BY_RBX, times)})
                   for times in (20, 1)]
    assert lengths[0][0] == 2 and lengths[0][-1] > 4, lengths
    assert lengths[1] == lengths[0][-1:], lengths


def open_pipes(fpm):
    folder = Path(f"/proc/{fpm.workers()[0]}/fd")
    return sum(os.readlink(path).startswith("pipe:") for path in folder.iterdir())


def a_worker_that_meets_no_such_frame_never_starts_it():
    needs(libunwind=True)
    with Stage() as stage:
        plain, fpm = pool(stage, shim=False), pool(stage)
        for i in range(5):
            plain.body(f"/extensions.php?n={i}")
            fpm.body(f"/extensions.php?n={i}")
        assert stage.sink.wait("STACK")
        assert open_pipes(fpm) == open_pipes(plain)
        stacks_of(stage, fpm, BY_RBX)
        assert open_pipes(fpm) > open_pipes(plain)


if __name__ == "__main__":
    sys.exit(facts.run(globals(), [SHIM, LIBRARY, HEADERLESS]))
