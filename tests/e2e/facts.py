"""facts.py - a test file as a list of facts: functions without arguments whose names are sentences.

    if __name__ == "__main__":
        sys.exit(facts.run(globals(), [SHIM]))

Words on the command line choose facts by name.  Helpers take arguments, and so are no facts.
"""
import inspect
import os
import sys
import time
import traceback


class Skip(Exception):
    """This machine cannot show it; the text says why."""


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def of(names):
    """The facts that the program itself defines, in its order."""
    return [(name, value) for name, value in names.items()
            if inspect.isfunction(value) and value.__module__ == "__main__" and
            not inspect.signature(value).parameters]


def tell(name, fact):
    """Try one and print its line; False when it is no fact."""
    begin, holds = time.monotonic(), True
    try:
        fact()
        verdict = "ok  "
    except Skip as why:
        verdict = f"skip ({why})"
    except Exception:
        traceback.print_exc()
        verdict, holds = "FAIL", False
    print(f"{verdict} {name.replace('_', ' ')} ({time.monotonic() - begin:.1f} s)", flush=True)
    return holds


def run(names, needed):
    """Exit status of a test file: `names` are its globals(), `needed` the files that must be built."""
    for path in needed:
        if not path.exists():
            sys.exit(f"{sys.argv[0]}: '{path}' is not there: run make first")
    words = sys.argv[1:]
    chosen = [(name, fact) for name, fact in of(names)
              if not words or any(word in name for word in words)]
    return 0 if all([tell(name, fact) for name, fact in chosen]) else 1
