"""cgroup.py - a memory control group for one process, so that the real OOM killer can be asked."""
import os

import stage

ROOT = "/sys/fs/cgroup/memory"


def can_be_made():
    """Whether this machine lets us make one (version 1, root)."""
    return os.access(ROOT, os.W_OK) and os.getuid() == 0


class Cgroup:
    """A group with a limit; `with` removes it when its processes are gone."""

    def __init__(self, limit_bytes):
        self.path = "%s/fpmscope-e2e-%d" % (ROOT, os.getpid())
        os.mkdir(self.path)
        self.write("memory.limit_in_bytes", limit_bytes)

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w") as out:
            out.write(str(value))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stage.wait_for("an empty cgroup", lambda: not stage.text_of(self.path + "/cgroup.procs"))
        os.rmdir(self.path)
