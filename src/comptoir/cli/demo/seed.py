"""What the demo's shop has before it opens: customers, prices, and ten units of one article."""

from typing import Final

from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.kit.errors import Unavailable

CUSTOMERS: Final = tuple(f"demo-customer-{number:02d}" for number in range(1, 25))
BUYERS: Final = 500
UNITS: Final = 10
UNIT_PRICE: Final = 20
"""Credits for one unit."""

STOCK: Final = "stock:DEMO-TEE:M"
ACTION: Final = "ai.generate"
_CREDITS_EACH: Final = 100
_BUYER_CREDITS: Final = 25
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
    grants: list[Body] = [_grant(name, _CREDITS_EACH) for name in CUSTOMERS] + [
        _grant(buyer(number), _BUYER_CREDITS) for number in range(BUYERS)
    ]
    units = {"op": "grant", "idempotency_key": "seed-units", "account": STOCK, "amount": UNITS}
    reply = await caller.post("/api/ledger/batch", {"requests": [*grants, units], "atomic": False})
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
