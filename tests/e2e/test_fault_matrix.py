#!/usr/bin/env python3
"""test_fault_matrix.py - the rows of the fault matrix that `make check` has time for."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_matrix import ROWS, matrix  # noqa: E402


def main():
    if os.geteuid() != 0:
        print("skip: the fault matrix needs root")
        return 0
    return 1 if matrix([row for row in ROWS if row.quick], seconds=1.5) else 0


if __name__ == "__main__":
    sys.exit(main())
