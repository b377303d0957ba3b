"""Run as a file of its own: becomes a program that is killed together with its parent.

Usage: mortal.py PARENT PROGRAM ARGUMENTS..., with the number of the parent, who may have gone.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, program = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606  # the program that we were told to become
