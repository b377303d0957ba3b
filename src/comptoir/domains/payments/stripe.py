"""Stripe: the one place that calls it. Nothing here is called inside of a transaction.

Every call that changes something carries an idempotency key of ours, so that a repeat finds what
the first one did. A 500 is the exception: Stripe keeps it as the answer to its key for a day, and
the work may be done all the same. Whoever gets one looks the object up, and asks again under
another key only when it is not there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from comptoir.domains.payments import compat
from comptoir.kit.errors import ComptoirError, Conflict, Unavailable

Object = Mapping[str, Any]
Params = Mapping[str, Any]

TIMEOUT: Final = 15.0
"""Seconds that one try of a call may take."""

RETRIES: Final = 2
FAILURES: Final = 5
"""Calls that fail one after the other until nobody calls any more for a while."""

OPEN_SECONDS: Final = 10.0
TOGETHER: Final = 16
PAGE: Final = 100
_NONE: Final[Params] = {}
_Create = Callable[[Params, str], Awaitable[Object]]
_LIVE: Final = ("sk_live_", "rk_live_")


class _BrokenOff(Exception):
    """The answer broke off: the work may be done, and a repeat under the same key says so."""


class ProviderFailed(Unavailable):
    """Stripe answered 500: it may have done the work, or not."""


class ProviderRefused(Conflict):
    """Stripe would not have it: another try would end the same way."""


@dataclass(slots=True)
class Circuit:
    """Keeps callers from waiting for a provider that does not answer.

    After some failures one after the other every call fails at once, for a while; then one may try.
    """

    clock: Callable[[], float]
    failures: int = 0
    open_until: float = 0.0

    def check(self) -> None:
        """Let a call pass.

        Raises:
            Unavailable: the provider has failed again and again just now.
        """
        left = self.open_until - self.clock()
        if self.failures >= FAILURES and left > 0:
            raise Unavailable("provider-down", retry_after=max(1, int(left)))

    def failed(self) -> None:
        """A call has failed in a way that says nothing of the next one's content."""
        self.failures += 1
        if self.failures >= FAILURES:
            self.open_until = self.clock() + OPEN_SECONDS

    def answered(self) -> None:
        """A call was answered, be it by a refusal."""
        self.failures = 0


@dataclass(frozen=True, slots=True)
class Access:
    """How Stripe is reached.

    Attributes:
        key: the secret key.
        base: another address than Stripe's own, as the sandbox has.
        timeout: seconds that one try may take.
        retries: tries after the first, by the SDK, under the same key.
        asked: told of every call with its parameters, for tests.
    """

    key: str
    base: str | None = None
    timeout: float = TIMEOUT
    retries: int = RETRIES
    asked: Callable[[str, Params], None] = field(default=lambda _call, _params: None)


class Stripe:
    """Calls Stripe. An async context of one event loop; nothing is loaded before the first call."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Any = None
        self._stack = AsyncExitStack()
        self._turns = asyncio.Semaphore(TOGETHER)
        self.circuit = Circuit(lambda: asyncio.get_running_loop().time())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self._access.key.startswith(_LIVE)

    async def create_session(self, params: Params, key: str) -> Object:
        """A page on which a customer pays."""
        return await self._do("checkout.sessions.create", params, key=key)

    async def session(self, id_: str) -> Object:
        """A Checkout Session as it is now."""
        return await self._do("checkout.sessions.retrieve", id_)

    async def expire_session(self, id_: str, key: str) -> Object:
        """Let nobody pay on a page any more."""
        return await self._do("checkout.sessions.expire", id_, {}, key=key)

    async def create_intent(self, params: Params, key: str) -> Object:
        """A payment that an application's own page confirms."""
        return await self._do("payment_intents.create", params, key=key)

    async def intent(self, id_: str) -> Object:
        """A PaymentIntent as it is now."""
        return await self._do("payment_intents.retrieve", id_)

    async def fee_of(self, intent: str) -> int | None:
        """What is kept of a payment, in minor units; None where nobody can say yet."""
        params = {"expand": ["latest_charge.balance_transaction"]}
        found = await self._do("payment_intents.retrieve", intent, params)
        fee = _part(_part(found, "latest_charge"), "balance_transaction").get("fee")
        return fee if isinstance(fee, int) else None

    async def cancel_intent(self, id_: str, key: str) -> Object:
        """Let nobody pay a PaymentIntent any more."""
        return await self._do("payment_intents.cancel", id_, {}, key=key)

    async def create_refund(self, params: Params, key: str) -> Object:
        """Send money back."""
        return await self._do("refunds.create", params, key=key)

    async def refund(self, id_: str) -> Object:
        """A refund as it is now."""
        return await self._do("refunds.retrieve", id_)

    async def create_customer(self, params: Params, key: str) -> Object:
        """A customer, whom subscriptions need."""
        return await self._do("customers.create", params, key=key)

    async def create_portal(self, params: Params, key: str) -> Object:
        """A page on which a customer manages his subscription."""
        return await self._do("billing_portal.sessions.create", params, key=key)

    async def subscription(self, id_: str) -> Object:
        """A subscription as it is now."""
        return await self._do("subscriptions.retrieve", id_)

    async def dispute(self, id_: str) -> Object:
        """A dispute as it is now."""
        return await self._do("disputes.retrieve", id_)

    async def invoice(self, id_: str) -> Object:
        """An invoice as it is now."""
        return await self._do("invoices.retrieve", id_)

    async def create_product(self, params: Params, key: str) -> Object:
        """Something that is sold."""
        return await self._do("products.create", params, key=key)

    async def create_price(self, params: Params, key: str) -> Object:
        """What something costs."""
        return await self._do("prices.create", params, key=key)

    async def price(self, id_: str) -> Object:
        """A price as it is now."""
        return await self._do("prices.retrieve", id_)

    async def methods_of(self, customer: str) -> Object:
        """The ways in which a customer may be charged again."""
        params = {"customer": customer, "type": "card", "limit": 1}
        return await self._do("payment_methods.list", params)

    async def create_item(self, params: Params, key: str) -> Object:
        """A line that waits for an invoice."""
        return await self._do("invoice_items.create", params, key=key)

    async def create_invoice(self, params: Params, key: str) -> Object:
        """An invoice of what waits."""
        return await self._do("invoices.create", params, key=key)

    async def finalize_invoice(self, id_: str, key: str) -> Object:
        """Send an invoice on its way."""
        return await self._do("invoices.finalize_invoice", id_, {}, key=key)

    async def endpoints(self) -> Object:
        """Where events are sent."""
        return await self._do("webhook_endpoints.list", {"limit": PAGE})

    async def create_endpoint(self, params: Params, key: str) -> Object:
        """Have events sent somewhere."""
        return await self._do("webhook_endpoints.create", params, key=key)

    async def update_endpoint(self, id_: str, params: Params, key: str) -> Object:
        """Change which events are sent somewhere."""
        return await self._do("webhook_endpoints.update", id_, params, key=key)

    async def account(self) -> Object:
        """Whose key it is."""
        return await self._do("accounts.retrieve_current", {})

    def events(self, params: Params) -> AsyncIterator[Object]:
        """Events, the newest first, page by page as they are read."""
        return self._pages("events.list", params)

    def sessions(self, params: Params) -> AsyncIterator[Object]:
        """Checkout Sessions, the newest first."""
        return self._pages("checkout.sessions.list", params)

    def intents(self, params: Params) -> AsyncIterator[Object]:
        """PaymentIntents, the newest first."""
        return self._pages("payment_intents.list", params)

    def refunds(self, params: Params) -> AsyncIterator[Object]:
        """Refunds, the newest first."""
        return self._pages("refunds.list", params)

    def disputes(self, params: Params) -> AsyncIterator[Object]:
        """Disputes, the newest first."""
        return self._pages("disputes.list", params)

    def subscriptions(self, params: Params) -> AsyncIterator[Object]:
        """Subscriptions, the newest first."""
        return self._pages("subscriptions.list", params)

    def invoices(self, params: Params) -> AsyncIterator[Object]:
        """Invoices, the newest first."""
        return self._pages("invoices.list", params)

    def prices(self, params: Params) -> AsyncIterator[Object]:
        """Prices, the newest first."""
        return self._pages("prices.list", params)

    def invoice_payments(self, params: Params) -> AsyncIterator[Object]:
        """What pays invoices."""
        return self._pages("invoice_payments.list", params)

    async def make_session(self, params: Params, key: str, since: Params = _NONE) -> Object:
        """A page that carries a payment's mark, made once: see `_make`."""
        return await self._make(
            (self.create_session, self.sessions), params, key, (compat.PAYMENT, since)
        )

    async def make_intent(self, params: Params, key: str, since: Params = _NONE) -> Object:
        """An intent that carries a payment's mark, made once: see `_make`."""
        return await self._make(
            (self.create_intent, self.intents), params, key, (compat.PAYMENT, since)
        )

    async def make_refund(self, params: Params, key: str) -> Object:
        """A refund that carries our mark, made once: see `_make`."""
        of = {"payment_intent": params["payment_intent"]}
        return await self._make(
            (self.create_refund, self.refunds), params, key, (compat.REFUND, of)
        )

    async def _make(
        self,
        calls: tuple[_Create, Callable[[Params], AsyncIterator[Object]]],
        params: Params,
        key: str,
        where: tuple[str, Params],
    ) -> Object:
        """Create something that carries our mark in its metadata, whatever an answer of 500 means.

        A 500 stays the answer to its key for a day, and what was asked for may have been made all
        the same: so it is looked for by its mark, and only what is not there is asked for anew.

        Raises:
            Conflict: the provider would not have it.
            Unavailable: the provider does not answer.
        """
        create, pages = calls
        mark, among = where
        try:
            return await create(params, key)
        except ProviderFailed:
            found = await self.found(pages(among), mark, params["metadata"][mark])
            return found if found is not None else await create(params, f"{key}-again")

    async def found(self, pages: AsyncIterator[Object], name: str, value: str) -> Object | None:
        """The object of a list whose metadata has a value: what a call that failed has made."""
        async for each in pages:
            if each.get("metadata", {}).get(name) == value:
                return each
        return None

    async def _pages(self, call: str, params: Params) -> AsyncIterator[Object]:
        """Every object of a list: each page begins after the last object of the one before."""
        after: dict[str, str] = {}
        while True:  # bounded: the provider's lists are
            page = await self._do(call, {"limit": PAGE, **params, **after})
            items: list[Object] = page.get("data", [])
            for each in items:
                yield each
            if not items or not page.get("has_more"):
                return
            after = {"starting_after": items[-1]["id"]}

    async def _do(
        self,
        call: str,
        *said: Any,  # noqa: ANN401  # the SDK's
        key: str | None = None,
    ) -> Object:
        """One call of the SDK, by its path.

        Raises:
            ProviderFailed: it answered 500: nobody knows whether it has done the work.
            ProviderRefused: it would not have it.
            Unavailable: it cannot be reached, or has no time; nothing is known to have changed.
            ComptoirError: it does not know our key.
        """
        self.circuit.check()
        self._access.asked(call, _params_in(said) or {})
        async with self._turns:
            for left in range(self._access.retries, -1, -1):
                try:
                    return await self._ask(await self._method(call), said, key)
                except _BrokenOff as error:
                    if not left:
                        raise Unavailable("provider-down") from error
            raise AssertionError("the last try raises")

    async def _ask(
        self, method: Callable[..., Awaitable[Any]], said: tuple[Any, ...], key: str | None
    ) -> Object:
        import aiohttp  # noqa: PLC0415  # loaded by now
        import stripe  # noqa: PLC0415  # the same

        params = said if _params_in(said) is not None else (*said, _NONE)
        options = {} if key is None else {"idempotency_key": key}
        try:
            answer = await method(*params, options)
        except stripe.RateLimitError as error:
            self.circuit.answered()
            raise Unavailable("provider-busy", retry_after=2) from error
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            self.circuit.answered()
            raise ComptoirError("provider-key-refused") from error
        except stripe.APIConnectionError as error:
            self.circuit.failed()
            raise Unavailable("provider-down") from error
        except stripe.StripeError as error:
            raise self._explained(error) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # The SDK tries again what was not answered, but not what was answered in part.
            self.circuit.failed()
            raise _BrokenOff from error
        self.circuit.answered()
        return answer.to_dict()

    def _explained(self, error: Any) -> ComptoirError:  # noqa: ANN401  # the SDK's own
        status = error.http_status or 0
        if status == 409:  # noqa: PLR2004  # the same key is being answered elsewhere
            return Unavailable("provider-busy", retry_after=1)
        if 400 <= status < 500:  # noqa: PLR2004  # what 4xx means
            self.circuit.answered()
            return ProviderRefused(
                "provider-refused", provider_code=str(error.code or "invalid"), status=status
            )
        self.circuit.failed()
        return ProviderFailed("provider-down")

    async def _method(self, call: str) -> Callable[..., Awaitable[Any]]:
        if self._client is None:
            self._client = await self._opened()
        found: Any = self._client.v1
        *places, verb = call.split(".")
        for place in places:
            found = getattr(found, place)
        return getattr(found, f"{verb}_async")

    async def _opened(self) -> Any:  # noqa: ANN401  # the SDK's client
        # In a thread: it takes longer to load than a request may wait.
        stripe: Any = await asyncio.to_thread(_load)
        session = stripe.AIOHTTPClient(timeout=self._access.timeout)
        self._stack.push_async_callback(session.close_async)
        base = {} if self._access.base is None else {"base_addresses": {"api": self._access.base}}
        return stripe.StripeClient(
            self._access.key,
            http_client=session,
            max_network_retries=self._access.retries,
            **base,
        )


def _part(of: Object, name: str) -> Object:
    found: object = of.get(name)
    return cast("Object", found) if isinstance(found, Mapping) else _NONE


def _params_in(said: tuple[Any, ...]) -> Params | None:
    for each in said:
        if isinstance(each, Mapping):
            return cast("Params", each)
    return None


def _load() -> object:
    import stripe  # noqa: PLC0415  # slow to load, and only who sells needs it

    return stripe


async def first(pages: AsyncIterator[Object]) -> Object | None:
    """The first object of a list."""
    async for each in pages:
        return each
    return None
