"""scratch.py - directories of tests, also of those that are killed.

    self.dir = Path(scratch.make("facts"))
    self.pages = Path(scratch.make("pages", scratch.SHM))

Who makes one removes it.  As long as its process lives it is locked; what a killed test left, nobody
holds, and the next one that makes a directory beside it removes it.
"""
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

SHM = "/dev/shm"
PREFIX = "fpmscope-test-"
YOUNG_S = 60  # it may have been made, and not yet locked
held = []     # descriptors, as long as this process lives


def lock(path):
    """A descriptor, or None when somebody holds it."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def sweep(where):
    for path in Path(where).glob(PREFIX + "*"):
        try:
            status = path.lstat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < YOUNG_S:
                continue
            fd = lock(path)
        except OSError:
            continue  # no directory, or gone meanwhile
        if fd is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(fd)


def make(kind, where=None):
    """A new directory, for this user alone, in `where` or in the usual place."""
    where = where or tempfile.gettempdir()
    sweep(where)
    path = tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=where)
    held.append(lock(path))
    return path
