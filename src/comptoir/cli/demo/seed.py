"""What the demo's shop has before it opens: customers, prices, ten units in two sizes."""

from typing import Final

from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.kit.errors import Unavailable

CUSTOMERS: Final = tuple(f"demo-customer-{number:02d}" for number in range(1, 25))
BUYERS: Final = 500
PRODUCT: Final = "DEMO-TEE"
SIZES: Final = {"M": 6, "L": 4}
UNITS: Final = sum(SIZES.values())
PRICE: Final = 2500
"""Of one unit, in cents."""

STOCK: Final = f"stock:{PRODUCT}:%"
"""What the accounts of its sizes are called, as LIKE has it."""

ACTION: Final = "ai.generate"
_CREDITS_EACH: Final = 100
_DONE: Final = 300


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
    sizes = [{"size": size, "low_stock_threshold": 1} for size in SIZES]
    price = {"amount": PRICE, "currency": "eur"}
    terms: Body = {"name": "Demo tee", "price": price, "sizes": sizes}
    _insist(await caller.put(f"/api/stock/products/{PRODUCT}", terms))
    for size, units in SIZES.items():
        delivered: Body = {
            "product": PRODUCT, "size": size, "type": "restock", "quantity": units,
            "reason": "demo",
        }  # fmt: skip
        _insist(await caller.post("/api/stock/movements", delivered, f"seed-{size}"))
    grants = [_grant(name, _CREDITS_EACH) for name in CUSTOMERS]
    reply = await caller.post("/api/ledger/batch", {"requests": grants, "atomic": False})
    _insist(reply)
    outcomes = {result["outcome"] for result in reply.body["results"]}
    if outcomes != {"created"}:
        raise Unavailable("demo-seed", reason=", ".join(sorted(outcomes)))


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
