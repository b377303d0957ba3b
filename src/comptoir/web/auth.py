"""From a key or token to the one who calls. What a route permits stands on the route."""

import asyncio
import hmac
from collections import OrderedDict
from hashlib import sha256
from typing import Final, TypeVar
from uuid import UUID

from comptoir.app import App
from comptoir.domains.identity import commands, queries
from comptoir.domains.identity.model import CustomerToken, Key, looks_like_key, read_token
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError, Denied, Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store.pool import begin
from comptoir.web.live import Seats

V = TypeVar("V")
Found = tuple[int, Key, Actor]
"""When the database was asked, and what it said."""

FRESH: Final = 2 * SECOND
"""How long a key is believed without asking the database: revoking it takes no longer."""

NOTED: Final = 60 * SECOND
"""How often the last use of a key is written at most."""

_KNOWN: Final = 10_000
_UNKNOWN: Final = 1_000
_PENDING: Final = 10_000
_ADMIN_PATHS: Final = ("/api/admin/", "/api/cron/")
_ADMIN: Final = Actor(Role.OPERATOR, 1, "ADMIN_API_TOKEN")
_BEARER: Final = b"bearer "


class Unauthorized(Denied):
    """Nobody that we know calls."""

    def __init__(self) -> None:
        super().__init__("unauthorized")


class Doorman:
    """Knows who calls, and who is being told. Shared by all tasks of one event loop.

    Attributes:
        seats: the streams that are open.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: OrderedDict[bytes, Found] = OrderedDict()
        self._unknown: OrderedDict[bytes, int] = OrderedDict()
        self._asking: dict[bytes, asyncio.Future[Found]] = {}
        self._noted: dict[UUID, int] = {}
        self._used: dict[UUID, tuple[int, int]] = {}
        self.seats = Seats()

    async def identify(self, authorization: bytes, path: str) -> Actor:
        """Who sends this Authorization header to this path.

        Raises:
            Unauthorized: nobody, or somebody whose key has ended.
            Unavailable: the database cannot be asked.
        """
        if authorization[:7].lower() != _BEARER:
            raise Unauthorized
        credential = authorization[7:].strip()
        if credential.startswith(b"ct_"):
            return self._customer(credential)
        if self._is_admin(credential, path):
            return _ADMIN
        digest = sha256(credential).digest()
        now = self._app.clock()
        found = self._known.get(digest)
        if found is None or now - found[0] >= FRESH:
            found = await self._ask(credential, digest, now)
        _, key, actor = found
        if not key.is_usable(now):
            raise Unauthorized
        if now - self._noted.get(key.id, 0) >= NOTED and len(self._used) < _PENDING:
            self._used[key.id] = (key.book, now)
        return actor

    def ends_at(self, authorization: bytes) -> int | None:
        """When a customer's token ends, in microseconds since 1970; None for a key."""
        token = self._token(authorization[7:].strip())
        return None if token is None else token.expires_at

    def forget(self) -> None:
        """Ask the database again about every key: one of them was just changed here."""
        self._known.clear()
        self._unknown.clear()

    async def note_uses(self) -> None:
        """Write when keys were used last; called by a task of its own, off every request's path."""
        used, self._used = self._used, {}
        if not used:
            return
        if len(self._noted) > _KNOWN:
            self._noted.clear()
        self._noted.update({id_: at for id_, (_, at) in used.items()})
        async with begin(self._app.pool) as tx:
            for id_, (book, at) in sorted(used.items()):
                await commands.note_use(tx, book, id_, at, since=at - NOTED)

    def _customer(self, credential: bytes) -> Actor:
        token = self._token(credential)
        if token is None:
            raise Unauthorized
        name = f"customer {token.customer}"
        return Actor(Role.CUSTOMER, token.book, name, token.customer)

    def _token(self, credential: bytes) -> CustomerToken | None:
        return read_token(self._app.secret, credential.decode("latin-1"), self._app.clock())

    def _is_admin(self, credential: bytes, path: str) -> bool:
        expected = self._app.settings.admin_api_token
        if expected is None or not path.startswith(_ADMIN_PATHS):
            return False
        return hmac.compare_digest(expected.get_secret_value().encode(), credential)

    async def _ask(self, credential: bytes, digest: bytes, now: int) -> Found:
        """Ask the database once, however many requests of one key come at a time."""
        text = credential.decode("latin-1")
        if not looks_like_key(text) or now - self._unknown.get(digest, -FRESH) < FRESH:
            raise Unauthorized
        waiting = self._asking.get(digest)
        if waiting is not None:
            return await asyncio.shield(waiting)
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._asking[digest] = answer
        try:
            answer.set_result(await self._look_up(text, digest))
        except ComptoirError as error:
            answer.set_exception(error)
        finally:
            del self._asking[digest]
            if not answer.done():
                answer.set_exception(Unavailable("database-down"))
        answer.exception()  # nobody may have been waiting
        return answer.result()

    async def _look_up(self, text: str, digest: bytes) -> Found:
        now = self._app.clock()
        async with begin(self._app.pool) as tx:
            key = await queries.find_key(tx, text)
        if key is None:
            self._known.pop(digest, None)
            _put(self._unknown, digest, now, _UNKNOWN)
            raise Unauthorized
        found = (now, key, Actor(key.role, key.book, key.name))
        _put(self._known, digest, found, _KNOWN)
        return found


def _put(cache: OrderedDict[bytes, V], key: bytes, value: V, most: int) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > most:
        cache.popitem(last=False)
