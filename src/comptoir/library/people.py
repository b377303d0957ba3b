"""Customers: who somebody is. Each is opened on first use; nothing of this is needed to spend."""

from collections.abc import Mapping
from zoneinfo import available_timezones

from comptoir.domains.identity import commands, queries
from comptoir.kit.errors import Invalid
from comptoir.library import showing
from comptoir.library.answers import Customer
from comptoir.library.asking import check_metadata, check_text
from comptoir.library.engine import Engine
from comptoir.store.pool import begin


class Customers:
    """The customers of the book."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, customer: str) -> Customer:
        """A customer by the caller's own id.

        Raises:
            NotFound: the book has never met him.
        """
        name = check_text("customer", customer)
        async with begin(self._engine.app.pool) as tx:
            return showing.customer(await queries.customer(tx, self._engine.book, name))

    async def put(
        self,
        customer: str,
        *,
        time_zone: str | None = None,
        locale: str | None = None,
        email: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Customer:
        """Add a customer, or change what is said; None leaves a field as it is.

        Raises:
            Invalid: a field is not what it must be.
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
        )
        async with begin(self._engine.app.pool) as tx:
            return showing.customer(await commands.put_customer(tx, self._engine.book, who, change))
