"""Accounts that somebody watches, kept up to date in memory: read once for all who watch.

Whatever changes an account announces it (announcing.py); one connection of the process hears it,
and only while somebody watches. An announcement can be lost, and another program may commit
without one: so the versions of watched accounts are looked at from time to time, by one statement.
"""

import asyncio
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Self

import psycopg

from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.ledger.model import Account
from comptoir.store.announcing import LISTENING, SURE_SECONDS, TOPIC, Heard, read
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset
from comptoir.store.pool import Limits, Pool, connect, fetch
from comptoir.store.reading import read_accounts

LOOK_SECONDS: Final = 1.0
"""How long a change may go unseen that nobody has announced."""

TOGETHER_SECONDS: Final = 0.02
"""Between two rounds of reading what has changed."""

SEEK_SECONDS: Final = 0.1
"""Between two searches for accounts that are yet to be opened, however much is announced."""

LINGER_SECONDS: Final = 60.0
"""How long the connection stays once nobody watches any more."""

_COMES_BACK_SECONDS: Final = 1.0

HEARD_SECONDS: Final = SURE_SECONDS + 0.5
"""After which every process knows that somebody listens, and what it commits is announced."""

VERSIONS: Final = """
SELECT a.book_id, a.id, a.version, coalesce(a.next_expiry <= now(), false)
FROM unnest(%s::integer[], %s::bigint[]) AS seen(book_id, id)
JOIN comptoir.accounts a ON a.book_id = seen.book_id AND a.id = seen.id"""

_WRITTEN: Final = "SELECT pg_stat_get_tuples_inserted('comptoir.movements'::regclass)"
"""How many movements there are of all books, more or less, without counting them."""

_SHARE: Final = "SELECT pg_advisory_lock_shared(%s, 0)"
_LISTEN: Final = "LISTEN comptoir_balances"
assert _LISTEN.endswith(TOPIC), "what is listened to is what is announced"


@dataclass(frozen=True, slots=True)
class Place:
    """Which account, whether it was opened or not.

    Attributes:
        is_named: the owner is a name of its own, such as stock:TEE:M; else he is a customer.
    """

    book: int
    asset: Asset
    owner: str
    is_named: bool = False

    @property
    def asked(self) -> tuple[int, int, str]:
        """The same for the directory."""
        return self.book, self.asset.id, self.owner


@dataclass(slots=True, eq=False)
class Watch:
    """What somebody sees of what he watches. Used by one task.

    Attributes:
        woken: set when there is something new, and at the end.
        ended: nothing new will come.
    """

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Let whoever waits go on, for the last time."""
        self.ended.set()
        self.woken.set()


@dataclass(slots=True, eq=False)
class Topic:
    """Something that is watched by whoever is in `watches`.

    Attributes:
        changes: how often it has changed since it is watched.
    """

    watches: set[Watch] = field(default_factory=set[Watch])
    changes: int = 0

    def tell(self) -> None:
        """Wake whoever watches."""
        self.changes += 1
        for watch in self.watches:
            watch.woken.set()

    def end(self) -> None:
        """Nothing new will come of it."""
        for watch in self.watches:
            watch.end()


@dataclass(slots=True, eq=False)
class Seen(Topic):
    """An account that is watched.

    Attributes:
        id: 0 while nobody has opened it.
        found: as it was read last; its version never goes back.
        is_stale: there is something newer to be read.
    """

    id: int = 0
    found: Account | None = None
    is_stale: bool = True

    @property
    def version(self) -> int:
        """The version that was read last."""
        return self.found.version if self.found is not None else 0

    def show(self, account: Account) -> None:
        """Let everybody see it, if it is newer."""
        if self.found is None or account.version > self.found.version:
            self.found = account
            self.tell()


class Live:
    """What is watched in one process. An async context of one event loop.

    Args:
        pool: to read from.
        url: of the database, past any pooler.
        directory: finds accounts that are yet to be opened.
    """

    def __init__(self, pool: Pool, url: str, directory: Directory) -> None:
        self._pool = pool
        self._url = url
        self._directory = directory
        self._tasks = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._seen: dict[Place, Seen] = {}
        self._by_id: dict[tuple[int, int], Seen] = {}
        self._books: defaultdict[int, Topic] = defaultdict(Topic)
        self._stirred = asyncio.Event()
        self._must_look = False
        self._must_seek = False
        self._sought_at = 0.0
        self._written = -1
        self.is_closed = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        if self._resting is not None:
            self._resting.cancel()
        self._rest()
        await self._tasks.__aexit__(None, None, None)

    def close(self) -> None:
        """End every watch, and let nobody begin another: the process is about to end."""
        self.is_closed = True
        for topic in (*self._seen.values(), *self._books.values()):
            topic.end()

    @contextmanager
    def watching(self, place: Place, account: int) -> Generator[tuple[Watch, Seen]]:
        """Watch an account while the block runs.

        Args:
            place: which.
            account: its id; 0 while nobody has opened it.

        Raises:
            Unavailable: the process is about to end.
        """
        seen = self._seen.get(place)
        if seen is None or (account and seen.id not in (0, account)):
            seen = self._seen[place] = Seen()
        if account and not seen.id:
            self._found(place, seen, account)
        with self._joined(seen) as watch:
            try:
                yield watch, seen
            finally:
                if seen.watches == {watch}:
                    self._forget(place, seen)

    @contextmanager
    def following(self, book: int) -> Generator[tuple[Watch, Topic]]:
        """Be told of whatever happens in a book while the block runs.

        Raises:
            Unavailable: the process is about to end.
        """
        topic = self._books[book]
        with self._joined(topic) as watch:
            yield watch, topic

    async def refresh(self, book: int, seen: Seen) -> None:
        """Read an account now, for whoever begins to watch it.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if seen.id:
            await self._read(book, [seen])

    @contextmanager
    def _joined(self, topic: Topic) -> Generator[Watch]:
        if self.is_closed:
            raise Unavailable("shutting-down")
        watch = Watch()
        topic.watches.add(watch)
        self._run()
        try:
            yield watch
        finally:
            topic.watches.discard(watch)
            if not self.is_watched and self._running is not None and not self.is_closed:
                loop = asyncio.get_running_loop()
                self._resting = loop.call_later(LINGER_SECONDS, self._rest)

    def _found(self, place: Place, seen: Seen, account: int) -> None:
        seen.id, seen.is_stale = account, True
        self._by_id[place.book, account] = seen

    def _forget(self, place: Place, seen: Seen) -> None:
        if self._seen.get(place) is seen:
            del self._seen[place]
        if self._by_id.get((place.book, seen.id)) is seen:
            del self._by_id[place.book, seen.id]

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches anything."""
        return bool(self._seen or self._by_id) or any(
            topic.watches for topic in self._books.values()
        )

    def _run(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._running is None:
            self._running = self._tasks.create_task(self._work())

    def _rest(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._tend())

    async def _listen(self) -> None:
        limits = Limits()
        while True:  # until cancelled
            with suppress(ComptoirError, psycopg.Error, OSError):
                async with await connect(self._url, limits, lock=limits.lock) as connection:
                    await connection.execute(_LISTEN)
                    await connection.execute(_SHARE, (LISTENING,))
                    self._look_soon()  # something may have happened before
                    late = asyncio.get_running_loop().call_later(HEARD_SECONDS, self._look_soon)
                    try:
                        async for notice in connection.notifies():
                            self._hear(read(notice.payload))
                    finally:
                        late.cancel()
            await asyncio.sleep(_COMES_BACK_SECONDS)

    def _look_soon(self) -> None:
        """Take it that everything may have changed.

        Of a book that is all that can be done: PostgreSQL's own count comes seconds late.
        """
        for topic in self._books.values():
            topic.tell()
        self._must_look = self._must_seek = True
        self._stirred.set()

    def _hear(self, heard: Heard) -> None:
        books = heard.books | {book for book, _ in heard.accounts}
        for book in books:
            if book in self._books:
                self._books[book].tell()
        self._must_look = self._must_look or bool(heard.books)
        self._must_seek = True
        for key, version in heard.accounts.items():
            seen = self._by_id.get(key)
            if seen is not None and version > seen.version:
                seen.is_stale = True
        self._stirred.set()

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time()
        while True:  # until cancelled
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_at):
                    await self._stirred.wait()
            self._stirred.clear()
            try:
                if self._must_look or loop.time() >= look_at:
                    self._must_look, self._must_seek = False, True
                    look_at = loop.time() + LOOK_SECONDS
                    await self._look()
                if self._must_seek and loop.time() >= self._sought_at + SEEK_SECONDS:
                    self._must_seek, self._sought_at = False, loop.time()
                    await self._seek()
                await self._read_stale()
            except (ComptoirError, psycopg.Error):
                self._must_look = True  # as soon as it is time again
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _look(self) -> None:
        """Find what has changed without an announcement, and what is there no more."""
        if any(topic.watches for topic in self._books.values()):
            await self._look_at_books()
        if not self._by_id:
            return
        asked = list(self._by_id)
        columns = [list(column) for column in zip(*asked, strict=True)]
        found = {(row[0], row[1]): row[2:] for row in await fetch(self._pool, VERSIONS, columns)}
        for key in asked:
            seen = self._by_id.get(key)
            if seen is None:
                continue
            if key not in found:  # its book was emptied
                seen.end()
                continue
            version, is_due = found[key]
            seen.is_stale = seen.is_stale or is_due or version > seen.version

    async def _look_at_books(self) -> None:
        [(written,)] = await fetch(self._pool, _WRITTEN, ())
        before, self._written = self._written, written
        if before not in (-1, written):
            for topic in self._books.values():
                topic.tell()

    async def _seek(self) -> None:
        """Find accounts that were not there when somebody began to watch them."""
        wanted = [place for place, seen in self._seen.items() if not seen.id]
        customers = [place for place in wanted if not place.is_named]
        found: list[tuple[Place, int | None]] = []
        if customers:
            asked = [place.asked for place in customers]
            ids = await self._directory.find_accounts(asked)
            found += zip(customers, ids, strict=True)
        for place in wanted:
            if place.is_named:
                id_ = await self._directory.find_named(place.book, place.asset, place.owner)
                found.append((place, id_))
        for place, id_ in found:
            seen = self._seen.get(place)
            if id_ is not None and seen is not None and not seen.id:
                self._found(place, seen, id_)

    async def _read_stale(self) -> None:
        stale: defaultdict[int, list[Seen]] = defaultdict(list)
        for (book, _), seen in self._by_id.items():
            if seen.is_stale:
                stale[book].append(seen)
        for book, several in stale.items():
            await self._read(book, several)

    async def _read(self, book: int, several: Iterable[Seen]) -> None:
        by_id = {seen.id: seen for seen in several}
        for seen in by_id.values():
            seen.is_stale = False
        facts = await self._directory.facts(book)
        try:
            accounts = await read_accounts(self._pool, book, facts, list(by_id))
        except ComptoirError:
            for seen in by_id.values():
                seen.is_stale = True
            raise
        for id_, account in accounts.items():
            by_id[id_].show(account)
