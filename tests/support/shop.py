"""A shop for tests: an App on a fresh database, with a sandbox; events come when a test says so."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from comptoir.app import App, Urls, open_app
from comptoir.config import Settings
from comptoir.flows import purchase, stocking
from comptoir.flows.inbox_work import Clerk, Handled
from comptoir.flows.receiving import Via
from comptoir.flows.till import Till
from comptoir.store.verify import verify
from tests.support.postgres import Database
from tests.support.sandbox import KEY, Provider

LIVE = 1
_NUMBERS = count()
DUE_NOW = "UPDATE comptoir.inbox SET due_at = now() WHERE due_at IS NOT NULL"


@dataclass(slots=True)
class Shop:
    """A seller whose events a test carries.

    Attributes:
        handled: what became of each event, as the clerk was told.
    """

    app: App
    database: Database
    provider: Provider
    handled: list[Handled] = field(default_factory=list[Handled])
    errors: list[Exception] = field(default_factory=list[Exception])
    carried: set[str] = field(default_factory=set[str])

    @property
    def till(self) -> Till:
        return self.app.till

    @property
    def clerk(self) -> Clerk:
        def told(handled: Handled, error: Exception | None) -> None:
            self.handled.append(handled)
            if error is not None:
                self.errors.append(error)

        return Clerk(self.till, told)

    async def buy(
        self, customer: str = "alice", pack: str = "100", *, key: str | None = None
    ) -> purchase.Begun:
        key = key or f"buy-{next(_NUMBERS)}"
        return await purchase.buy(self.till, LIVE, purchase.Wanted(customer, pack, key))

    async def status(self, begun: purchase.Begun) -> str:
        return (await purchase.state(self.till, LIVE, begun.id)).status

    def pay(self, begun: purchase.Begun, method: str = "pm_card_visa") -> Any:  # noqa: ANN401
        """What a customer does on the page; the session as it is then."""
        session = begun.checkout_url.rpartition("/")[2]
        said = {"method": method, "email": "buyer@example.com"}
        self.provider.http.post(
            f"{self.provider.base}/pay/{session}", data=said, follow_redirects=False
        )
        return self.provider.v1.checkout.sessions.retrieve(session)

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Events that were not carried yet, the oldest first; all types by default."""
        found = self.provider.v1.events.list({"limit": 100})
        events = [each.to_dict() for each in found.auto_paging_iter()][::-1]
        return [
            each
            for each in events
            if each["id"] not in self.carried and (not types or each["type"] in types)
        ]

    async def keep(self, events: Iterable[dict[str, Any]]) -> None:
        """Carry events into the inbox."""
        for event in events:
            self.carried.add(event["id"])
            await self.app.desk.keep(json.dumps(event, default=str).encode(), Via.WEBHOOK)

    async def work(self, rounds: int = 12) -> None:
        """Work off the inbox, without waiting for pauses."""
        for _ in range(rounds):
            await self.clerk.work_off()
            if not self.sql("SELECT 1 FROM comptoir.inbox WHERE due_at IS NOT NULL"):
                break
            self.sql(DUE_NOW)
        assert not self.errors, self.errors

    async def hear(self, *types: str, times: int = 1, seed: int | None = None) -> None:
        """Let all new events come, so many times each, shuffled when there is a seed."""
        events = self.events(*types) * times
        if seed is not None:
            random.Random(seed).shuffle(events)
        await self.keep(events)
        await self.work()

    def sql(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.owner_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), given)
            return cursor.fetchall() if cursor.description else []

    def balance(self, customer: str = "alice", asset: str = "credits") -> int:
        """What somebody has, in the smallest unit."""
        rows = self.sql(
            "SELECT a.posted FROM comptoir.accounts a"
            " JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id"
            " JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id"
            " WHERE a.book_id = 1 AND c.customer = %s AND s.code = %s",
            customer, asset,
        )  # fmt: skip
        return rows[0][0] if rows else 0

    def journal(self, customer: str = "alice") -> list[tuple[str, int]]:
        return [
            (kind, amount)
            for kind, amount in self.sql(
                "SELECT m.kind, m.amount / 1000000 FROM comptoir.movements m"
                " JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id"
                " JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id"
                " WHERE m.book_id = 1 AND c.customer = %s AND m.amount <> 0 ORDER BY m.version",
                customer,
            )
        ]

    def lots(self, customer: str = "alice") -> list[tuple[str | None, int, int]]:
        """Reference, granted and left of each lot."""
        return self.sql(
            "SELECT n.reference, l.granted, l.remaining FROM comptoir.lots l"
            " JOIN comptoir.accounts a ON a.book_id = l.book_id AND a.id = l.account_id"
            " JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id"
            " LEFT JOIN comptoir.notes n ON n.book_id = l.book_id"
            "   AND n.account_id = l.account_id AND n.version = l.version"
            " WHERE l.book_id = 1 AND c.customer = %s ORDER BY 1, 2, 3",
            customer,
        )

    def cases(self) -> list[str]:
        return [kind for (kind,) in self.sql("SELECT kind FROM comptoir.cases ORDER BY kind")]

    def states(self) -> dict[str, int]:
        return dict(self.sql("SELECT state, count(*) FROM comptoir.inbox GROUP BY state"))

    async def balanced(self) -> None:
        """The books balance, and no event waits."""
        found = await verify(self.app.pool, None, full=True)
        assert found.drift == []


@asynccontextmanager
async def shop(
    database: Database, home: Path, provider: Provider, **environment: str
) -> AsyncGenerator[Shop]:
    """A shop while the block runs, with what is for sale from the start."""
    said = {
        "DATABASE_URL": database.app_url, "COMPTOIR_HOME": home, "STRIPE_SECRET_KEY": KEY,
        "STRIPE_API_BASE": provider.base, "STRIPE_WEBHOOK_SECRET": "whsec_test",
        "COMPTOIR_PUBLIC_URL": "http://shop.test",
    }  # fmt: skip
    settings = Settings.model_validate(said | environment)
    urls = Urls(database.app_url, database.owner_url)
    async with open_app(settings, urls) as app:
        await stocking.seed(app.till, LIVE, stocking.read())
        yield Shop(app, database, provider)


async def together(*work: Any) -> Sequence[Any]:  # noqa: ANN401
    """Do several things at the same time."""
    return await asyncio.gather(*work)
