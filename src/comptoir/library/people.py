"""Customers: who somebody is. Each is opened on first use; nothing of this is needed to spend."""

import asyncio
from collections.abc import Mapping
from typing import Final
from zoneinfo import available_timezones

from comptoir.domains.identity import commands, queries
from comptoir.domains.identity.visitors import LINK_SECONDS, LINK_SECONDS_MAX
from comptoir.flows.erase import erase
from comptoir.flows.export import exporting
from comptoir.flows.inviting import Host, invite
from comptoir.kit.errors import Invalid, Unavailable
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.library import showing
from comptoir.library.answers import Customer, Erased, PortalLink
from comptoir.library.answers_money import Export
from comptoir.library.asking import check_metadata, check_text
from comptoir.library.engine import Engine
from comptoir.library.exporting import gathered
from comptoir.library.places import check_limit
from comptoir.library.tracing import traced
from comptoir.store.pool import begin

EXPORT_SECONDS: Final = 120.0
"""How long the database may be read for one export."""


class Customers:
    """The customers of the book."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("customers.get")
    async def get(self, customer: str) -> Customer:
        """A customer by the caller's own id.

        Raises:
            NotFound: the book has never met him.
        """
        name = check_text("customer", customer)
        async with begin(self._engine.app.pool) as tx:
            return showing.customer(await queries.customer(tx, self._engine.book, name))

    @traced("customers.put")
    async def put(  # noqa: PLR0913  # the fields of a customer
        self,
        customer: str,
        *,
        time_zone: str | None = None,
        locale: str | None = None,
        email: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
        plan: str | None = None,
    ) -> Customer:
        """Add a customer, or change what is said; None leaves a field as it is.

        Raises:
            Invalid: a field is not what it must be.
            NotFound: there is no such plan.
        """
        who = check_text("customer", customer)
        if time_zone is not None and time_zone not in available_timezones():
            raise Invalid("field-invalid", field="time_zone")
        change = commands.CustomerChange(
            time_zone=time_zone,
            locale=None if locale is None else check_text("locale", locale),
            email=None if email is None else check_text("email", email),
            name=None if name is None else check_text("name", name),
            metadata=None if metadata is None else check_metadata(metadata),
            plan=None if plan is None else check_text("plan", plan),
        )
        async with begin(self._engine.app.pool) as tx:
            return showing.customer(await commands.put_customer(tx, self._engine.book, who, change))

    @traced("customers.list")
    async def list(
        self, *, after: str | None = None, limit: int = LIST_DEFAULT
    ) -> tuple[Customer, ...]:
        """Customers in the order of their arrival.

        Args:
            after: only those who came after this one, the last one seen.
            limit: at most so many, up to 100.

        Raises:
            NotFound: the book has no customer `after`.
        """
        most, book = check_limit(limit), self._engine.book
        last = None if after is None else check_text("customer", after)
        async with begin(self._engine.app.pool) as tx:
            beyond = 0 if last is None else (await queries.customer(tx, book, last)).id
            found = await queries.customers(tx, book, beyond, most)
        return tuple(map(showing.customer, found))

    @traced("customers.export")
    async def export(self, customer: str) -> Export:
        """Everything that is kept about a customer, as of one moment.

        Raises:
            NotFound: the book does not have him.
            Misuse: that is more than 200,000 lots, holds, movements and payments.
            Unavailable: reading it took more than two minutes.
        """
        name, app = check_text("customer", customer), self._engine.app
        try:
            async with (
                asyncio.timeout(EXPORT_SECONDS),
                exporting(app.pool, app.directory, self._engine.book, name) as found,
            ):
                return await gathered(found)
        except TimeoutError as error:
            raise Unavailable("export-too-long", seconds=int(EXPORT_SECONDS)) from error

    @traced("customers.portal_link")
    async def portal_link(self, customer: str, *, ttl_seconds: int = LINK_SECONDS) -> PortalLink:
        """A link that opens a customer's own pages, once, for so many seconds.

        Servers and this process must sign with the same COMPTOIR_SECRET.

        Raises:
            Invalid: that is no customer, or a time of less than a second or more than a week.
        """
        name, app, book = check_text("customer", customer), self._engine.app, self._engine.book
        if not 1 <= ttl_seconds <= LINK_SECONDS_MAX:
            raise Invalid("field-invalid", field="ttl_seconds")
        id_ = await app.directory.customer(book, name)
        host = Host(app.till, app.secret, app.randomness)
        async with begin(app.pool) as tx:
            url, until = await invite(tx, host, book, id_, ttl_seconds)
        return PortalLink(url, showing.moment(until))

    @traced("customers.erase")
    async def erase(self, customer: str, *, idempotency_key: str | None = None) -> Erased:
        """Erase a customer for good: his movements stay, nothing says whose they are.

        Without an idempotency key a second erasure finds nobody; with one it is answered as the
        first was.

        Raises:
            NotFound: the book does not have him.
            Conflict: he has open holds; or the key was used for something else.
            Unavailable: somebody keeps an account of his locked.
        """
        name, app, book = check_text("customer", customer), self._engine.app, self._engine.book
        key = "" if idempotency_key is None else check_text("key", idempotency_key)
        done = await erase(app.pool, app.directory, book, name, key)
        left = {
            code: showing.decimal(units, (await app.directory.asset(book, code)).scale)
            for code, units in sorted(done.left.items())
        }
        return Erased(showing.moment(done.at), done.movements, done.notes, left, done.replayed)
