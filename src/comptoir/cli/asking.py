"""Asking routes from a command: open the books, ask, show the refusal or the answer."""

import sys

from comptoir.cli.desk import Desk, Exit
from comptoir.cli.front import Answered, Asked, ask
from comptoir.cli.opening import book_of, reading, writing
from comptoir.web.catalogue import PROBLEMS


async def change(desk: Desk, book: str, asked: Asked) -> Answered:
    """Ask for a change; an empty database is made first."""
    async with writing(desk.settings()) as opened:
        return await ask(opened, await book_of(opened, book), desk.say.locale, asked)


async def read(desk: Desk, book: str, asked: Asked) -> Answered:
    """Ask for what is there."""
    async with reading(desk.settings()) as opened:
        return await ask(opened, await book_of(opened, book), desk.say.locale, asked)


def refused(answered: Answered) -> Exit:
    """Say why nothing was done; returns the exit code."""
    code = str(answered.body["code"])
    print(f"comptoir: {answered.body['detail']}", file=sys.stderr)
    return PROBLEMS[code].exit
