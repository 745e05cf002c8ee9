"""terminal.py - run a program on a terminal of a certain width, and how wide a line is there."""
import fcntl
import os
import pty
import struct
import subprocess
import termios
import unicodedata


def width_of(line):
    """Columns of a line without colours."""
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) == "Cf" else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def on_terminal(command, columns, env, colour=False):
    """The exit status of `command`, and what a terminal of that width gets of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {key: value for key, value in env.items() if key not in ("NO_COLOR", "COLUMNS")}
    env.update(TERM="xterm", **({} if colour else {"NO_COLOR": "1"}))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        text += part
    os.close(master)
    return process.wait(), text.decode().replace("\r\n", "\n")
