"""What the demo's shop has before it opens: customers, prices, ten units in two sizes."""

from dataclasses import dataclass
from typing import Final

from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.kit.errors import Unavailable

CUSTOMERS: Final = tuple(f"demo-customer-{number:02d}" for number in range(1, 25))
BUYERS: Final = 500
SIZES: Final = {"M": 6, "L": 4}
UNITS: Final = sum(SIZES.values())
PRICE: Final = 2500
"""Of one unit, in cents."""

YOU: Final = "you"
"""The newcomer, as a customer."""

ACTION: Final = "ai.generate"
_CREDITS_EACH: Final = 100
_DONE: Final = 300


@dataclass(frozen=True, slots=True)
class Names:
    """What things of one race are called: of each race otherwise, or it would be a repetition."""

    number: int = 1

    @property
    def product(self) -> str:
        """What is sold."""
        return self._own("DEMO-TEE")

    @property
    def stock(self) -> str:
        """What the accounts of its sizes are called, as LIKE has it."""
        return f"stock:{self.product}:%"

    @property
    def once(self) -> str:
        """Who buys one pack, whose webhook comes again and again."""
        return self._own("demo-customer-once")

    @property
    def regular(self) -> str:
        """Who buys packs while the sandbox copies and shuffles what it tells of them."""
        return self._own("demo-customer-regular")

    def key(self, name: str) -> str:
        """An idempotency key."""
        return self._own(name)

    def _own(self, name: str) -> str:
        return name if self.number == 1 else f"{name}-{self.number}"


FIRST: Final = Names()


def buyer(number: int) -> str:
    """The customer who is the buyer of that number."""
    return f"demo-buyer-{number:03d}"


async def stock_the_shop(caller: Caller) -> None:
    """Give everybody credits and the shop its units, over HTTP like any application would.

    Raises:
        Unavailable: the shop refuses its own opening.
    """
    _insist(
        await caller.put(
            "/api/credits/prices", {"action": ACTION, "amount": 5, "real_cost": "0.04"}
        )
    )
    await stock_a_race(caller, FIRST)
    grants = [_grant(name, _CREDITS_EACH) for name in (*CUSTOMERS, YOU)]
    reply = await caller.post("/api/ledger/batch", {"requests": grants, "atomic": False})
    _insist(reply)
    outcomes = {result["outcome"] for result in reply.body["results"]}
    if outcomes != {"created"}:
        raise Unavailable("demo-seed", reason=", ".join(sorted(outcomes)))


async def stock_a_race(caller: Caller, names: Names) -> None:
    """Give the shop ten units.

    Raises:
        Unavailable: the shop refuses them.
    """
    await add_product(caller, (names.product, "Demo tee"), tuple(SIZES))
    for size, units in SIZES.items():
        await restock(caller, (names.product, size), units, names.key(f"seed-{size}"))


async def add_product(caller: Caller, named: tuple[str, str], sizes: tuple[str, ...]) -> None:
    """Offer something, by its id and its name.

    Raises:
        Unavailable: the shop refuses it.
    """
    product, name = named
    price = {"amount": PRICE, "currency": "eur"}
    kept = [{"size": size, "low_stock_threshold": 1} for size in sizes]
    terms: Body = {"name": name, "price": price, "sizes": kept}
    _insist(await caller.put(f"/api/stock/products/{product}", terms))


async def restock(caller: Caller, what: tuple[str, str], units: int, key: str) -> None:
    """Receive units of a product in a size.

    Raises:
        Unavailable: the shop refuses them.
    """
    product, size = what
    delivered: Body = {
        "product": product, "size": size, "type": "restock", "quantity": units, "reason": "demo",
    }  # fmt: skip
    _insist(await caller.post("/api/stock/movements", delivered, key))


def _grant(customer: str, amount: int) -> Body:
    return {
        "op": "grant",
        "idempotency_key": f"seed-{customer}",
        "customer": customer,
        "amount": amount,
        "reason": "demo",
    }


def _insist(reply: Reply) -> None:
    if not 0 < reply.status < _DONE:
        raise Unavailable("demo-seed", reason=f"{reply.status} {reply.code}")
