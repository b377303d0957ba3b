"""Opening the books for a command: the database, at a revision that this program can work with."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from comptoir.app import App, Urls, database, migrate_now, open_app
from comptoir.app.sandbox import at_sandbox
from comptoir.config import Settings
from comptoir.domains.identity import queries
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.store.here import check_here
from comptoir.store.pool import begin
from comptoir.store.revision import Schema, newest_revision, schema_of

Result = TypeVar("Result")


def run_now(work: Coroutine[Any, Any, Result]) -> Result:
    """Run the work of one command from beginning to end."""
    return asyncio.run(work)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncGenerator[App]:
    """The books, as they are; with the sandbox that runs beside them where no Stripe is named.

    Raises:
        ComptoirError: the database is empty, or has another revision than this program.
        Unavailable: the database cannot be reached.
    """
    async with database(settings) as urls:
        await check(urls)
        async with open_app(at_sandbox(settings), urls) as app:
            yield app


@asynccontextmanager
async def writing(settings: Settings) -> AsyncGenerator[App]:
    """The books, made first when the database is empty: nothing can be lost by that.

    Raises:
        ComptoirError: the database has another revision than this program.
        Unavailable: the database cannot be reached.
    """
    async with database(settings) as urls:
        if await schema_of(urls.owner) is None:
            await migrated(urls)
        await check(urls)
        async with open_app(at_sandbox(settings), urls) as app:
            yield app


async def migrated(urls: Urls) -> str:
    """Bring the database to the revision of this program; returns the one that it has then.

    A newer one on which this program works is left alone: an older process may be restarted
    while a new version takes over.

    Raises:
        ComptoirError: it is newer, and this program does not work on it.
        Unavailable: the database cannot be reached.
    """
    there = await schema_of(urls.owner)
    await asyncio.to_thread(check_here, urls.owner)
    if there is not None and there.revision >= newest_revision():
        _refuse_unless(there)
        return there.revision
    return await asyncio.to_thread(migrate_now, urls.owner)


async def check(urls: Urls) -> None:
    """See to it that this program works on the schema of the database.

    Raises:
        ComptoirError: it does not.
        Unavailable: the database cannot be reached.
    """
    there = await schema_of(urls.owner)
    if there is None:
        raise ComptoirError("database-empty")
    await asyncio.to_thread(check_here, urls.owner)
    _refuse_unless(there)


def _refuse_unless(there: Schema) -> None:
    known = newest_revision()
    if not there.suits(known):
        raise ComptoirError("database-revision", there=there.revision, known=known)


async def book_of(app: App, name: str) -> int:
    """The book of that name.

    Raises:
        NotFound: there is none.
    """
    async with begin(app.pool) as tx:
        books = await queries.books(tx)
    if name not in books:
        raise NotFound("unknown-book", book=name, books=", ".join(books))
    return books[name]
