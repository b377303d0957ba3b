"""What the doors around an application share: the open books of a request, and what it costs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from comptoir.kit.errors import Misuse
from comptoir.library.entry import Comptoir
from comptoir.library.holding import Holding
from comptoir.library.requests import Amount

STATE: Final = "comptoir"
"""Under which name the state of a request has the books."""

TTL: Final = 600
"""Seconds after which what was set aside is free again, should the whole process die."""


def books_of(scope: Mapping[str, Any]) -> Comptoir:
    """The books that are open around a request.

    Raises:
        Misuse: none are.
    """
    found = scope.get("state", {}).get(STATE)
    if not isinstance(found, Comptoir):
        raise Misuse("books-not-open", fix="wrap the application in comptoir.asgi.Books")
    return found


class Charge:
    """What a request costs. By default all that was set aside, if it succeeds."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self.is_reported = False

    @property
    def amount(self) -> Decimal:
        """What was set aside."""
        return self._holding.hold.amount

    def report(
        self, used: Amount, *, model: str | None = None, cost: Decimal | str | None = None
    ) -> None:
        """Say how much was used so far: that is charged however the request ends, but by an error.

        Whoever streams says it as he goes: of an answer that is broken off, what was sent is paid.

        Raises:
            Invalid: it is no amount of credits.
        """
        self._holding.report(used, model=model, cost=cost)
        self.is_reported = True

    def take_all(self) -> None:
        """Charge all that was set aside, unless something else was reported."""
        if not self.is_reported:
            self._holding.report(self.amount)

    def take_nothing(self) -> None:
        """Give all back, whatever was reported."""
        self._holding.report(0)
