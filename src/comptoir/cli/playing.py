"""What `comptoir trigger` makes happen at the sandbox: calls as customers, banks and sellers do."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp

from comptoir.app import App
from comptoir.flows import purchase, stocking, subscribing
from comptoir.kit.errors import ComptoirError, Unavailable

Type = Literal[
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "checkout.session.completed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.dispute.created",
    "invoice.paid",
]

_SECONDS: Final = 10.0
_GATHERS: Final = 1_000
_WORKS: Final = "pm_card_visa"
_DECLINES: Final = "pm_card_visa_chargeDeclined"
_EMAIL: Final = "trigger@example.com"
_OK: Final = 200
_LESS_THAN: Final = 400

Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The pretend Stripe beside `comptoir serve`: its pages, and its own routes."""

    http: aiohttp.ClientSession
    base: str

    async def ask(self) -> dict[str, Any]:
        """Its knobs, and how many deliveries wait.

        Raises:
            Unavailable: it cannot be reached.
        """
        return await self._call("GET", "/_sandbox", None)

    async def turn(self, what: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
        """One of its own routes.

        Raises:
            ComptoirError: it would not have it.
            Unavailable: it cannot be reached.
        """
        return await self._call("POST", f"/_sandbox/{what}", said)

    async def pay(self, session: str, method: str) -> None:
        """What a customer does on the page: he pays, or his card is declined.

        Raises:
            ComptoirError: there is no such page.
            Unavailable: it cannot be reached.
        """
        form, url = {"method": method, "email": _EMAIL}, f"{self.base}/pay/{session}"
        try:
            async with self.http.post(url, data=form, allow_redirects=False) as answer:
                if answer.status >= _LESS_THAN:
                    raise ComptoirError("sandbox-refused", reason=f"{url}: {answer.status}")
        except aiohttp.ClientError as error:
            raise Unavailable("sandbox-away", base=self.base) from error

    @asynccontextmanager
    async def shuffling(self) -> AsyncGenerator[None]:
        """Deliver what happens in the block in any order; then as before."""
        before = (await self.ask())["chaos"]["shuffle"]
        await self.turn("chaos", shuffle=_GATHERS)
        try:
            yield
        finally:
            await self.turn("chaos", shuffle=before)

    async def _call(self, method: str, path: str, said: Said | None) -> dict[str, Any]:
        try:
            async with self.http.request(method, self.base + path, json=said) as answer:
                body: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("sandbox-away", base=self.base) from error
        if answer.status != _OK:
            raise ComptoirError("sandbox-refused", reason=body["error"]["message"])
        return body


@asynccontextmanager
async def sandbox_at(base: str) -> AsyncGenerator[Sandbox]:
    """The sandbox at an address, while the block runs."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield Sandbox(http, base.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought, by whom."""

    book: int
    customer: str
    pack: str
    plan: str
    key: str


@dataclass(slots=True)
class Scene:
    """What was made.

    Attributes:
        names: of the objects that events may be about.
        references: what the journal calls what was paid.
        begun: the purchase; None for a plan.
    """

    app: App
    sandbox: Sandbox
    order: Order
    names: set[str] = field(default_factory=set[str])
    references: set[str] = field(default_factory=set[str])
    begun: purchase.Begun | None = None

    def about(self, *names: object) -> None:
        """Events may be about these."""
        self.names |= {name for name in names if isinstance(name, str)}


@dataclass(frozen=True, slots=True)
class Script:
    """How a type of event is made to happen, and how it must end.

    Attributes:
        grants: how often credits must have been granted, however often events came.
        stays: whether they are there in the end; else they were taken back, or never came.
        status: of the purchase in the end.
    """

    play: Callable[[Scene], Awaitable[None]]
    grants: int
    stays: bool
    status: str | None


async def _begin(scene: Scene) -> str:
    """Begin a purchase; returns the session on whose page it is paid."""
    order, till = scene.order, scene.app.till
    wanted = purchase.Wanted(order.customer, order.pack, order.key)
    begun = await purchase.buy(till, order.book, wanted)
    session = begun.checkout_url.rpartition("/")[2]
    scene.begun = begun
    scene.about(str(begun.id), session)
    scene.references.add(str(begun.id))
    return session


async def _named(scene: Scene, session: str) -> str | None:
    """Note what belongs to a session by now; returns its PaymentIntent."""
    found = await scene.app.till.provider.session(session)
    intent = found.get("payment_intent")
    scene.about(intent, found.get("subscription"), found.get("customer"), found.get("invoice"))
    scene.references |= {name for name in (intent, found.get("invoice")) if name}
    return intent


async def _bought(scene: Scene) -> str:
    session = await _begin(scene)
    await scene.sandbox.pay(session, _WORKS)
    intent = await _named(scene, session)
    if intent is None:
        raise ComptoirError("sandbox-refused", reason=session)
    return intent


async def _paid(scene: Scene) -> None:
    await _bought(scene)


async def _declined(scene: Scene) -> None:
    session = await _begin(scene)
    await scene.sandbox.pay(session, _DECLINES)
    await _named(scene, session)


async def _expired(scene: Scene) -> None:
    session = await _begin(scene)
    await scene.app.till.provider.expire_session(session, f"{scene.order.key}:expire")


async def _refunded(scene: Scene) -> None:
    intent = await _bought(scene)
    params = {"payment_intent": intent}
    await scene.app.till.provider.create_refund(params, f"{scene.order.key}:refund")


async def _disputed(scene: Scene) -> None:
    await scene.sandbox.turn("dispute", payment_intent=await _bought(scene))


async def _subscribed(scene: Scene) -> None:
    order, till = scene.order, scene.app.till
    await stocking.push(till, order.book)
    wanted = subscribing.Wanted(order.customer, order.plan, "month", order.key)
    url, _ = await subscribing.checkout(till, order.book, wanted)
    session = url.rpartition("/")[2]
    scene.about(session)
    await scene.sandbox.pay(session, _WORKS)
    await _named(scene, session)


SCRIPTS: Final[Mapping[Type, Script]] = {
    "payment_intent.succeeded": Script(_paid, 1, stays=True, status="granted"),
    "payment_intent.payment_failed": Script(_declined, 0, stays=False, status="pending"),
    "checkout.session.completed": Script(_paid, 1, stays=True, status="granted"),
    "checkout.session.expired": Script(_expired, 0, stays=False, status="failed"),
    "charge.refunded": Script(_refunded, 1, stays=False, status="refunded"),
    "charge.dispute.created": Script(_disputed, 1, stays=False, status="granted"),
    "invoice.paid": Script(_subscribed, 1, stays=True, status=None),
}
