"""The sandbox beside `comptoir serve`: a pretend Stripe, where nobody has named a real one."""

import secrets
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from comptoir.app.sandbox import KEY, Place, forget
from comptoir.cli.desk import Desk
from comptoir.cli.sandbox import PORT
from comptoir.config import Environment, is_loopback, without_stripe
from comptoir.flows.settling import EVENTS

_HOST: Final = "127.0.0.1"
_SECRET: Final = "SANDBOX_WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
_PATH: Final = "/api/webhooks/stripe"
_ENDS_WITHIN: Final = 10


@contextmanager
def sandboxed(
    desk: Desk, environment: Environment, address: tuple[str, int]
) -> Generator[Place | None]:
    """A sandbox while the block runs, if this is somebody's own machine and he has named no Stripe.

    Args:
        desk: whose settings count.
        environment: in which is served.
        address: where events are to be sent.
    """
    settings = desk.settings()
    host, port = address
    wanted = (
        settings.stripe_secret_key is None
        and settings.sandbox == "auto"
        and environment is Environment.DEVELOPMENT
        and is_loopback(host)
    )
    if not wanted:
        yield None
        return
    home = settings.home_folder
    home.mkdir(parents=True, exist_ok=True)
    place = Place(f"http://{_HOST}:{_free()}", f"whsec_{secrets.token_urlsafe(24)}")
    named = f"[{host}]" if ":" in host else host
    command = [
        sys.executable, "-P", "-m", "comptoir_sandbox", "--port", place.base.rpartition(":")[2],
        "--file", str(home / "sandbox.sqlite"), "--key", KEY, "--exit-with-stdin",
        "--endpoint", f"http://{named}:{port}{_PATH}", "--events", ",".join(EVENTS),
    ]  # fmt: skip
    # The two packages know nothing of each other; they meet as processes.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=without_stripe() | {_SECRET: place.secret}, start_new_session=True,
    ) as process:  # fmt: skip
        place.write(home)
        try:
            yield place
        finally:
            forget(home)
            assert process.stdin is not None, "a pipe was asked for"
            process.stdin.close()
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()


def _free() -> int:
    """The usual port, or another one where that is taken."""
    for port in (PORT, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((_HOST, port))
            except OSError:
                continue
            found: int = listener.getsockname()[1]
            return found
    return PORT
