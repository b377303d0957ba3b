"""Tells other processes which accounts have changed, once that is committed.

It only wakes: whoever hears it reads what there is, and looks from time to time for what he has not
heard. NOTIFY never runs in a transaction with movements, where it would serialize commits: what has
gathered goes out in a statement of its own. While nobody in the database listens nothing is
gathered. Why so: docs/decisions/0026-live.md.
"""

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple, Self

from comptoir.kit.errors import ComptoirError
from comptoir.store.pool import Pool, fetch
from comptoir.store.touched import Changed, Touched

TOPIC: Final = "comptoir_balances"

LISTENING: Final = 0x6C697665
"""The first half of the advisory lock that whoever listens shares: "live" in ASCII."""

SURE_SECONDS: Final = 1.0
"""How long an answer to the question whether anybody listens is good for."""

TOGETHER_SECONDS: Final = 0.02
"""After something was sent all that comes in this time goes out together."""

PAYLOAD_BYTES: Final = 7_900
"""PostgreSQL takes less than 8,000."""

_IS_HEARD: Final = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s::bigint::oid AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)"""

_TELL: Final = "SELECT pg_notify(%s, %s)"


class Heard(NamedTuple):
    """What an announcement says: accounts with their versions, or books in which to look."""

    accounts: Touched
    books: frozenset[int]


class Announcer:
    """Gathers what this process has changed, and announces it. An async context of one loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._tasks = asyncio.TaskGroup()
        self._gathered: Touched = {}
        self._is_sending = False
        self._is_closed = False
        self._is_heard = False
        self._sure_until = 0.0
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        await self._tasks.__aexit__(None, None, None)

    @property
    def is_quiet(self) -> bool:
        """Whether nobody listens, as far as is known, so that nothing is gathered."""
        return not self._may_be_heard()

    @property
    def waiting(self) -> int:
        """Accounts that are yet to be announced."""
        return len(self._gathered)

    def changed(self, changed: Changed) -> None:
        """Announce what a group commit has changed."""
        if changed.accounts and self._may_be_heard():
            changed.add_to(self._gathered)
            self._send_soon()

    def touched(self, touched: Touched) -> None:
        """Announce what a transaction has changed."""
        if self._may_be_heard():
            self._gathered.update(touched)
            self._send_soon()

    def touched_by_thread(self, touched: Touched) -> None:
        """The same, for threads beside that of the event loop."""
        with suppress(RuntimeError):  # a loop that is closed by now announces nothing
            self._loop.call_soon_threadsafe(self.touched, touched)

    def _may_be_heard(self) -> bool:
        is_known = self._loop.time() < self._sure_until
        return not self._is_closed and (self._is_heard or not is_known)

    def _send_soon(self) -> None:
        if not self._is_sending:
            self._is_sending = True
            self._tasks.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._gathered:  # bounded: whoever adds to it has committed something
                gathered, self._gathered = self._gathered, {}
                try:
                    await self._tell(gathered)
                except ComptoirError:  # others look from time to time
                    self._know(is_heard=False)
                await asyncio.sleep(TOGETHER_SECONDS)
        finally:
            self._is_sending = False

    async def _tell(self, gathered: Touched) -> None:
        if self._loop.time() >= self._sure_until:
            [(is_heard,)] = await fetch(self._pool, _IS_HEARD, (LISTENING,))
            self._know(is_heard=is_heard)
        if self._is_heard:
            await fetch(self._pool, _TELL, (TOPIC, write(gathered)))

    def _know(self, *, is_heard: bool) -> None:
        self._is_heard = is_heard
        self._sure_until = self._loop.time() + SURE_SECONDS


def write(touched: Touched) -> str:
    """The payload that says what has changed: of too many accounts only in which books they are."""
    said = " ".join(f"{book}:{account}:{version}" for (book, account), version in touched.items())
    if len(said) <= PAYLOAD_BYTES:
        return said
    return " ".join(str(book) for book in sorted({book for book, _ in touched}))


def read(payload: str) -> Heard:
    """What a payload says; of one that is not ours nothing."""
    accounts: Touched = {}
    books: set[int] = set()
    for word in payload.split():
        parts = word.split(":")
        if not all(part.isascii() and part.isdigit() for part in parts):
            continue
        match [int(part) for part in parts]:
            case [book]:
                books.add(book)
            case [book, account, version]:
                accounts[book, account] = version
            case _:
                continue
    return Heard(accounts, frozenset(books))
