"""Runs the command line with a clock that is wrong: `shifted.py SECONDS COMMAND...`."""

import sys
import time

OFFSET = int(sys.argv.pop(1))
true_time, true_time_ns = time.time, time.time_ns
# Before anything is imported that could keep the right one.
time.time = lambda: true_time() + OFFSET
time.time_ns = lambda: true_time_ns() + OFFSET * 1_000_000_000

from comptoir.cli import main  # noqa: E402  # the clock comes first

if __name__ == "__main__":
    main()
