"""How a worker is connected: by a pool and a listener that lose no cancellation.

The queue's own wait with `asyncio.wait_for`. Before Python 3.12 that loses a cancellation which
comes together with what is waited for: a worker that was told to end in that moment went on for
ever, and so did the server around it.
"""

from typing import Any, Final

from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from psycopg import AsyncConnection, OperationalError

from comptoir.store.pool import CancellablePool

_LISTENS: Final = 30.0
"""Seconds after which a connection that hears nothing is asked whether it lives."""

_SETTINGS: Final = "-c search_path=comptoir -c synchronous_commit=off"
"""Whatever a crash of PostgreSQL loses of a job's status, the job is done again: effects that use
its id happen once all the same."""


class Connector(PsycopgConnector):
    """The queue's own, but for how it waits.

    Args:
        url: the database, past any pooler.
    """

    def __init__(self, url: str) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # they do not say all
            conninfo=url,
            pool_factory=CancellablePool,
            kwargs={"options": _SETTINGS, "application_name": "comptoir"},
            min_size=1,
            max_size=3,
        )

    async def _loop_notify(
        self,
        on_notification: Notify,
        connection: AsyncConnection[Any],
        timeout: float = _LISTENS,  # as the queue has it
    ) -> None:
        while True:  # until cancelled
            try:
                async for heard in connection.notifies(timeout=timeout):
                    await on_notification(channel=heard.channel, payload=heard.payload)
                await connection.execute("SELECT 1")
            except OperationalError:
                return  # it is dead: another one is made
