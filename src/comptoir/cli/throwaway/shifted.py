"""Run as a file of its own: the command line with a clock that is wrong.

Usage: shifted.py SECONDS COMMAND...
"""

import runpy
import sys
import time

OFFSET = int(sys.argv.pop(1))
true_time, true_time_ns = time.time, time.time_ns  # noqa: TID251  # what is right
# Before anything is imported that could keep the right one.
time.time = lambda: true_time() + OFFSET  # noqa: TID251  # what is wrong
time.time_ns = lambda: true_time_ns() + OFFSET * 1_000_000_000  # noqa: TID251  # as above

if __name__ == "__main__":
    runpy.run_module("comptoir.cli", run_name="__main__")
