"""Opening the dashboard: only when somebody at the terminal asks for it, and sees a browser."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from comptoir.config import has_screen

_BLOCK: Final = 1_024


@asynccontextmanager
async def offered(address: str) -> AsyncGenerator[None]:
    """While the block runs, Enter opens an address in a browser, where there is one to be seen."""
    if not address or not sys.stdin.isatty() or not has_screen():
        yield
        return
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def pressed() -> None:
        if not os.read(number, _BLOCK):
            loop.remove_reader(number)
            return
        # A browser may take its time to start, and the view goes on.
        loop.run_in_executor(None, webbrowser.open, address)

    loop.add_reader(number, pressed)
    try:
        yield
    finally:
        loop.remove_reader(number)
