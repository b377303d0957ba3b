"""Start the sandbox: `python -m comptoir_sandbox [--port N] [--file FILE]`."""

import argparse
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Final

import uvicorn

from comptoir_sandbox.sandbox import Options
from comptoir_sandbox.server import create_app

PORT: Final = 12111
_HOST: Final = "127.0.0.1"
SECRET: Final = "SANDBOX_WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
"""A secret is not for a command line, which others can see."""


def main() -> None:
    """Serve until asked to end; on this machine only."""
    asked = _parser().parse_args()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, asked.port))
    base = f"http://{_HOST}:{listener.getsockname()[1]}"
    endpoint = None
    if asked.endpoint is not None:
        endpoint = (
            asked.endpoint,
            os.environ[SECRET],  # noqa: TID251  # the one that reads it
            asked.events.split(","),
        )
    options = Options(base, tuple(asked.key), asked.file, asked.seed, endpoint=endpoint)
    if asked.exit_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    config = uvicorn.Config(
        create_app(options), ws="none", lifespan="on", log_level="warning", access_log=False,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    print(f"The Stripe sandbox listens on {base}", file=sys.stderr, flush=True)  # noqa: T201  # whoever starts it reads it
    uvicorn.Server(config).run([listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m comptoir_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any that is free")
    parser.add_argument("--file", type=Path, help="keep everything in this file")
    parser.add_argument("--key", action="append", default=[], help="an API key that it takes")
    parser.add_argument("--seed", type=int, help="of its chance, to misbehave the same way again")
    parser.add_argument("--endpoint", help=f"where events go; its secret is in {SECRET}")
    parser.add_argument("--events", default="*", help="which events go there, with commas")
    parser.add_argument("--exit-with-stdin", action="store_true", help=argparse.SUPPRESS)
    return parser


def _end_with_stdin() -> None:
    """End when whoever has started us does."""
    while os.read(0, 4_096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
