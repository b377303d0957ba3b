#!/usr/bin/env python3
"""Measure a newcomer's first minute: from `git clone` to a dashboard that moves before his eyes.

    python3 scripts/first_minute.py          # a clone of what is committed, `make demo`, a browser
    python3 scripts/first_minute.py --here   # without clone and installation: this Python's demo

It needs what a newcomer has: git, make, Python, and a package cache that is warm. Each stage is
printed in seconds; more than 60 of them are a failure.
"""

import argparse
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 60.0
_ADDRESS = re.compile(rb"http://[^\s/]+/login/[A-Za-z0-9_-]{43}")
_MOVES = re.compile(r'<table class="moves">.*?</table>', re.DOTALL)
_PATIENCE = 300.0
_KEPT = 1_000_000
_BARE: Mapping[str, str] = {}
_STATES = 2
_OK = 200


@dataclass(slots=True)
class Terminal:
    """A command on a terminal of its own, and what it has printed there."""

    process: subprocess.Popen[bytes]
    printed: bytearray = field(default_factory=bytearray)

    def wait_for(self, what: re.Pattern[bytes]) -> str:
        """The first words that fit."""
        deadline = time.monotonic() + _PATIENCE
        while not (found := what.search(self.printed)):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                print(self.printed.decode(errors="replace")[-2_000:], file=sys.stderr)
                raise SystemExit("the demo has shown no address")
            time.sleep(0.02)
        return found.group().decode()

    def interrupt(self) -> int:
        """End it as Ctrl-C does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_PATIENCE)


@contextmanager
def on_terminal(
    command: Sequence[str], folder: Path, more: Mapping[str, str] = _BARE
) -> Iterator[Terminal]:
    """A command on a terminal while the block runs."""
    ours, theirs = pty.openpty()
    seen = {"TERM": "xterm", "COLUMNS": "120", "LINES": "45"}
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **seen, **more},  # noqa: TID251  # as the newcomer has it
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    terminal = Terminal(process)

    def read() -> None:
        with suppress(OSError):  # a terminal whose other side is closed ends so
            while block := os.read(ours, 65_536):
                terminal.printed += block
                del terminal.printed[:-_KEPT]

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield terminal
    finally:
        terminal.interrupt()
        reader.join()
        os.close(ours)


def shop_at(demo: Terminal) -> str:
    """The address that signs a newcomer in, once the demo has printed it."""
    return demo.wait_for(_ADDRESS)


def origin_of(login: str) -> str:
    """The server of an address."""
    parts = urlsplit(login)
    return f"{parts.scheme}://{parts.netloc}"


def signed_in(login: str) -> tuple[OpenerDirector, str]:
    """A browser without scripts, signed in by a one-time address and its button; its cookie."""
    cookies = CookieJar()
    # Nothing of this leaves the machine, whatever proxy the machine has.
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor(cookies))
    sent = {"Origin": origin_of(login), "Content-Type": "application/x-www-form-urlencoded"}
    with browser.open(Request(login, b"next=", sent)) as answer:  # noqa: S310  # the demo's own
        assert answer.status == _OK, answer.status
    [cookie] = cookies
    return browser, f"{cookie.name}={cookie.value}"


def movements(browser: OpenerDirector, login: str) -> str:
    """The movements that the overview shows."""
    with browser.open(f"{origin_of(login)}/dashboard") as answer:
        found = _MOVES.search(answer.read().decode())
    return found.group() if found else ""


def wait_for_two(browser: OpenerDirector, login: str) -> tuple[str, str]:
    """Two states of the overview that a newcomer sees after each other."""
    shown: list[str] = []
    deadline = time.monotonic() + _PATIENCE
    while len(shown) < _STATES:
        assert time.monotonic() < deadline, "the dashboard does not move"
        now = movements(browser, login)
        if now and now not in shown:
            shown.append(now)
        else:
            time.sleep(0.05)
    return shown[0], shown[1]


def measure(*, here: bool) -> float:
    """Print the stages; returns the seconds of all of them."""
    begun = last = time.monotonic()

    def stage(name: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"{name:<44} {now - last:6.1f} s", flush=True)
        last = now

    with tempfile.TemporaryDirectory(prefix="minute-") as place:
        folder = Path(place)
        command = [sys.executable, "-m", "comptoir.cli", "demo"]
        if not here:
            command = ["make", "demo"]
            clone = ["git", "clone", "--quiet", str(ROOT), str(folder / "comptoir")]
            subprocess.run(clone, check=True)
            folder /= "comptoir"
            stage("git clone")
        with on_terminal(command, folder) as demo:
            demo.wait_for(re.compile(rb"PostgreSQL"))
            stage("make demo: Python and packages" if not here else "start")
            login = shop_at(demo)
            stage("the shop opens, its address is printed")
            browser, _ = signed_in(login)
            wait_for_two(browser, login)
            stage("signed in, the dashboard has moved")
    return last - begun


def main() -> int:
    parser = argparse.ArgumentParser(description="The first minute of a newcomer, measured.")
    parser.add_argument("--here", action="store_true", help="without clone and installation")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before", flush=True)
    seconds = measure(here=asked.here)
    print(f"{'from nothing to a moving dashboard':<44} {seconds:6.1f} s of {LIMIT:.0f}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = used.ru_utime + used.ru_stime
    print(f"{'of a core, its closing included':<44} {spent:6.1f} s")
    return 0 if seconds <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
