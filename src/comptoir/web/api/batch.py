"""POST /api/ledger/batch: up to 5,000 requests at once, all or nothing or each for itself."""

from typing import Annotated, Final, Literal

from pydantic import Field

from comptoir.domains.credits.batch import Part, decide_chain, decide_each
from comptoir.domains.credits.model import Op, Price
from comptoir.domains.credits.refusals import code_of
from comptoir.kit.errors import ComptoirError
from comptoir.kit.limits import BATCH_REQUESTS
from comptoir.store.facts import Asset
from comptoir.web import shapes, views, wire
from comptoir.web.api.asking import asked
from comptoir.web.api.credits import Priced
from comptoir.web.call import Call
from comptoir.web.outcomes import figures
from comptoir.web.problems import document
from comptoir.web.replies import REPLAYED, Reply, ok
from comptoir.web.routing import SERVERS, Operation


class _Item(wire.Wire):
    idempotency_key: wire.Key
    metadata: wire.Metadata | None = None
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None


class _OnAccount(_Item):
    customer: wire.Customer | None = None
    account: wire.Account | None = None
    asset: wire.AssetCode | None = None


class GrantItem(_OnAccount):
    """Give."""

    op: Literal["grant"]
    amount: wire.Amount
    expires_at: wire.Time | None = None
    priority: wire.Priority | None = None


class SpendItem(_OnAccount, Priced):
    """Take for good."""

    op: Literal["spend"]
    model: wire.Model | None = None
    cost: wire.Cost | None = None


class HoldItem(_OnAccount, Priced):
    """Set aside."""

    op: Literal["hold"]
    ttl_seconds: wire.Seconds
    on_excess: Literal["refuse", "cap", "debt"] = "refuse"


class CaptureItem(_Item):
    """Take what was set aside."""

    op: Literal["capture"]
    hold: Annotated[str, Field(min_length=1, max_length=100)]
    amount: wire.Amount | None = None
    final: bool = True
    model: wire.Model | None = None
    cost: wire.Cost | None = None


class ReleaseItem(_Item):
    """Give back what was set aside."""

    op: Literal["release"]
    hold: Annotated[str, Field(min_length=1, max_length=100)]


class TransferItem(_Item):
    """Move between two customers, or two stock accounts."""

    op: Literal["transfer"]
    customer: Annotated[wire.Customer, Field(alias="from")]
    target: Annotated[wire.Customer, Field(alias="to")]
    asset: wire.AssetCode | None = None
    amount: wire.Amount


Item = Annotated[
    GrantItem | SpendItem | HoldItem | CaptureItem | ReleaseItem | TransferItem,
    Field(discriminator="op"),
]


class BatchBody(wire.Wire):
    """Requests in order; `atomic` makes them one chain."""

    requests: Annotated[list[Item], Field(min_length=1, max_length=BATCH_REQUESTS)]
    atomic: bool = False


_OPS: Final = {op.value: op for op in Op}


async def batch(call: Call, body: BatchBody) -> Reply:
    """Decide a batch.

    Raises:
        ComptoirError: nobody can decide any of it now.
        Invalid: two requests of an atomic batch carry one key.
    """
    app, book = call.app, call.actor.book
    door = await app.door(book)

    async def price_of(asset: Asset, action: str) -> Price:
        return await app.price(book, asset, action)

    asks = [asked(_OPS[item.op], item.idempotency_key, item) for item in body.requests]
    if body.atomic:
        parts, group = await decide_chain(door, price_of, asks)
    else:
        parts, group = await decide_each(door, price_of, asks), None
    results = [_result(call, part, group) for part in parts]
    is_replay = all(part.answer is not None and part.answer.replayed for part in parts)
    return ok({"results": results}, *((REPLAYED,) if is_replay else ()))


def _result(call: Call, part: Part, group: bytes | None) -> views.View:
    if part.error is not None:
        return _failed(call, part.error)
    answer, built = part.answer, part.built
    assert answer is not None, "whatever has no error was decided"
    assert built is not None, "and was a request first"
    result: views.View = {"outcome": answer.outcome.value}
    if answer.replayed:
        result["replayed"] = True
    if answer.line is None:
        code = code_of(answer.outcome, built.asset.code)
        assert code is not None, "success has a line"
        told = figures(answer, built.asset)
        result["problem"] = document(code, call.language, told, call.instance)
        return result
    if answer.hold is not None and part.ask.op is not Op.CAPTURE:
        result["hold"] = views.hold_made(part.ask, built, answer, group)
    else:
        result["movement"] = views.movement_made(part.ask, built.asset, answer.line)
    if part.ask.op is Op.CAPTURE:
        result["late"] = answer.late
    result["balance"] = views.balance_after(built.owner, built.asset, answer.line)
    return result


def _failed(call: Call, error: ComptoirError) -> views.View:
    told = {name: value for name, value in error.figures.items() if name != "retry_after"}
    return {
        "outcome": error.code.replace("-", "_"),
        "problem": document(error.code, call.language, told, call.instance),
    }


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/ledger/batch",
        handler=batch,
        summary=("Many requests at once", "Plusieurs requêtes à la fois"),
        tag="ledger",
        roles=SERVERS,
        body=BatchBody,
        answer=shapes.Results,
        headers={"Idempotent-Replayed": "true when every answer is a stored one"},
        ask={
            "requests": [
                {
                    "op": "spend",
                    "idempotency_key": "order-1842-unit",
                    "account": "stock:TEE:M",
                    "amount": 1,
                },
                {
                    "op": "spend",
                    "idempotency_key": "order-1842-credits",
                    "customer": "alice@example.com",
                    "amount": "10",
                },
            ],
            "atomic": True,
        },
    ),
)
