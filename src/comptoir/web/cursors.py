"""Cursors: where a list goes on, signed, so that nobody can ask for what is not his."""

from typing import Final

import msgspec

from comptoir.domains.identity.model import read_signed, sign_text
from comptoir.kit.errors import ComptoirError
from comptoir.kit.limits import DAY
from comptoir.web.call import Call

CURSOR_LIFE: Final = DAY
"""How long a cursor may be used after it was given."""

Position = list[int | str | None]
"""The keys of the last row that was seen."""


def write_cursor(call: Call, of: str, position: Position) -> str:
    """The cursor after a row.

    Args:
        call: the request that is answered.
        of: what the list is about: its account, asset and filters.
        position: the keys of the last row.
    """
    text = msgspec.json.encode([call.app.clock() + CURSOR_LIFE, *position]).decode()
    return sign_text(call.app.secret, _purpose(call, of), text)


def read_cursor(call: Call, of: str, cursor: str | None) -> Position | None:
    """The keys of the last row that was seen; None at the beginning of the list.

    Raises:
        ComptoirError: the cursor is of another list, was changed, or has expired.
    """
    if cursor is None:
        return None
    text = read_signed(call.app.secret, _purpose(call, of), cursor)
    if text is None:
        raise ComptoirError("cursor-invalid")
    until, *position = msgspec.json.decode(text, type=list[int | str | None])
    if not isinstance(until, int) or until <= call.app.clock():
        raise ComptoirError("cursor-invalid")
    return position


def _purpose(call: Call, of: str) -> str:
    return f"cursor\n{call.scope['path']}\n{call.actor.book}\n{of}\n"
