"""A real server on a real port, in a thread of the test process, and keys to call it with."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypedDict, Unpack

import httpx2
import psycopg
import uvicorn
import uvloop

from comptoir.app import App, Urls, now, open_app, randomness
from comptoir.config import Settings
from comptoir.domains.identity.model import hash_key, hint_of, write_key
from comptoir.kit.actor import Role
from comptoir.kit.ids import uuid7
from comptoir.store.batch import Batch
from comptoir.store.ledger import Clock
from comptoir.store.pool import Limits
from comptoir.web.server import Options, create_app
from tests.support.postgres import Database

LIVE, TEST = 1, 2
_NUMBERS = count()


def fresh(word: str = "it") -> str:
    """A name that no other test uses."""
    return f"{word}-{next(_NUMBERS)}"


class Said(TypedDict, total=False):
    """How a call is made, beyond its body."""

    key: str | None
    who: str | None
    headers: Mapping[str, str | bytes] | None
    content: bytes | None


@dataclass(slots=True)
class Site:
    """A running server.

    Attributes:
        url: its address.
        owner_url: of the database, as its owner.
        keys: texts of keys: op, svc, test_op, test_svc.
        app: the App that the server has opened.
    """

    url: str
    owner_url: str
    keys: dict[str, str]
    app: App
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60))
    _owner: psycopg.Connection | None = None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        who: str | None = "op",
        headers: Mapping[str, str | bytes] | None = None,
        content: bytes | None = None,
    ) -> httpx2.Response:
        """Call a route; a POST gets a fresh idempotency key when none is given."""
        sent: dict[Any, Any] = dict(headers or {})
        if who is not None:
            sent.setdefault("Authorization", f"Bearer {self.keys.get(who, who)}")
        if method == "POST":
            sent.setdefault("Idempotency-Key", key or fresh("key"))
        more: dict[str, Any] = {} if content is None else {"content": content}
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        if body is not None:
            more["json"] = body
        return self.http.request(method, self.url + path, headers=sent, **more)

    def get(self, path: str, **more: Unpack[Said]) -> httpx2.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Unpack[Said]) -> httpx2.Response:
        return self.call("POST", path, body, **more)

    def grant(
        self, customer: str, amount: str | int = "100", *, who: str = "op", **more: object
    ) -> dict[str, Any]:
        """Give credits, which must work."""
        body = {"customer": customer, "amount": amount, "reason": "test"} | more
        done = self.post("/api/credits/grant", body, who=who)
        assert done.status_code == 201, done.text
        return done.json()

    def rich(self, amount: str | int = "100", *, who: str = "op", **more: object) -> str:
        """A new customer with credits."""
        customer = fresh("customer")
        self.grant(customer, amount, who=who, **more)
        return customer

    def balance(self, customer: str, *, asset: str = "credits", who: str = "op") -> dict[str, Any]:
        query = httpx2.QueryParams({"customer": customer, "asset": asset})
        found = self.get(f"/api/credits/balance?{query}", who=who)
        assert found.status_code == 200, found.text
        return found.json()

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database itself, as its owner."""
        if self._owner is None:
            self._owner = psycopg.connect(self.owner_url, autocommit=True)
        cursor = self._owner.execute(statement, parameters)  # pyright: ignore[reportArgumentType]
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Close what the calls have opened."""
        self.http.close()
        if self._owner is not None:
            self._owner.close()

    def add_key(self, book: int, role: Role, *, expires_at: int | None = None) -> str:
        """A key, made behind the server's back."""
        text = write_key(book, role, randomness(32))
        self.sql(
            "INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, comptoir.moment(%s))",
            book, uuid7(now(), randomness(10)), role, "test", hash_key(text), hint_of(text),
            expires_at,
        )  # fmt: skip
        return text


@contextmanager
def serving(
    database: Database,
    home: Path,
    options: Options | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
    **environment: str,
) -> Iterator[Site]:
    """A server on that database while the block runs.

    With a `clock`, the ledger of the live book takes its time from there.
    """
    usual = {"DATABASE_URL": database.app_url, "COMPTOIR_HOME": home, "RATE_LIMIT_CLIENT": "off"}
    settings = Settings.model_validate(usual | environment)
    opened: list[App] = []

    @asynccontextmanager
    async def make() -> AsyncGenerator[App]:
        urls = Urls(database.app_url, database.owner_url)
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(open_app(settings, urls, limits=limits))
            if clock is not None:
                facts = await app.directory.facts(LIVE)
                batch = Batch(urls.app, LIVE, facts, app.limits, clock)
                app.batches[LIVE] = await stack.enter_async_context(batch)
            opened.append(app)
            yield app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(make, options), http="httptools", ws="none", lifespan="on", log_config=None,
        access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    ready = threading.Event()
    thread = threading.Thread(target=_run, args=(server, listener, ready), daemon=True)
    thread.start()
    try:
        assert ready.wait(30), "the server did not start"
        assert opened, "the server stopped while it started"
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = Site(url, database.owner_url, {}, opened[0])
        for name, book, role in (
            ("op", LIVE, Role.OPERATOR), ("svc", LIVE, Role.SERVICE),
            ("test_op", TEST, Role.OPERATOR), ("test_svc", TEST, Role.SERVICE),
        ):  # fmt: skip
            site.keys[name] = site.add_key(book, role)
        try:
            yield site
        finally:
            site.close()
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def _run(server: uvicorn.Server, listener: socket.socket, ready: threading.Event) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve([listener]))
            while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn has no event
                await asyncio.sleep(0.01)
            ready.set()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
