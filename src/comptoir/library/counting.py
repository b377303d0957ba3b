"""Counters for applications: of a book, and of a customer's day."""

from collections.abc import Sequence

from comptoir.app import App
from comptoir.guards import quotas
from comptoir.guards.quotas import Usage


class Counters:
    """What is counted, to be shown; whatever decides is a quota.

    Names are lower case, as `quotes:created:total`. An event with an id is counted exactly once,
    whoever counts it again. Without an id it is gathered in the process, and written within a
    second: a killed process loses what it had not written.
    """

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    async def add(self, name: str, amount: int = 1, *, id: str | None = None) -> int | None:  # noqa: A002  # what it is
        """Count an event; `tx.guards.count` does so in a transaction.

        Args:
            name: of the counter.
            amount: how much; less than nothing takes away.
            id: of the event: the same again is not counted.

        Returns:
            What the counter has then; None when the event was counted before, or has no id.

        Raises:
            Invalid: a name or the amount cannot be.
            Unavailable: the database is down, of an event with an id.
        """
        counters = (await self._app.guards(self._book)).counters
        if id is not None:
            return await counters.add(name, amount, id=id)
        counters.count(name, amount)
        return None

    async def read(self, *names: str) -> dict[str, int]:
        """What counters have, in one round trip; those that nobody has counted have nothing.

        Raises:
            Invalid: a name cannot be one, or there are more than a hundred.
            Unavailable: the database is down.
        """
        return await (await self._app.guards(self._book)).counters.read(names)

    async def add_daily(
        self,
        customer: str,
        metric: str,
        amount: int = 1,
        *,
        id: str | None = None,  # noqa: A002  # what it is
    ) -> bool:
        """Count for a customer's day, which is one of his time zone; kept for 400 days.

        Args:
            customer: his own id.
            metric: what is counted, as `quotes`.
            amount: how much.
            id: of the event: the same again is not counted.

        Returns:
            Whether it was counted: False when the event had been before.

        Raises:
            Invalid: a name or the amount cannot be.
            Unavailable: the database is down.
        """
        counting = quotas.Counting(customer, metric, amount, id)
        return await quotas.count(self._app.pool, self._book, counting)

    async def daily(self, customer: str, metrics: Sequence[str]) -> dict[str, Usage]:
        """What was counted for a customer today, of many metrics in one round trip.

        Raises:
            Invalid: a name cannot be one, or there are more than fifty.
            Unavailable: the database is down.
        """
        return await quotas.usage(self._app.pool, self._book, customer, metrics)
