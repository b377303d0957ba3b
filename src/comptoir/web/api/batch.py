"""POST /api/ledger/batch: up to 5,000 requests at once, all or nothing or each for itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from comptoir.domains.credits.commands import CREDITS, Built, PriceOf, build, check_chain
from comptoir.domains.credits.model import Ask, Op, Price
from comptoir.domains.credits.refusals import code_of
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.kit.ids import ID_BYTES, request_id
from comptoir.kit.limits import BATCH_REQUESTS
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Release, Request
from comptoir.store.door import Door
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


@dataclass(slots=True)
class _Part:
    """One request on its way: what was asked, what it means, and what became of it."""

    ask: Ask
    built: Built | None = None
    error: ComptoirError | None = None
    answer: Answer | None = None


_BUILDERS: Final = 6
"""Names that are looked up at a time: fewer than the pool has connections."""

_NO_HOLD: Final = bytes(ID_BYTES)

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

    parts = [_Part(asked(_OPS[item.op], item.idempotency_key, item)) for item in body.requests]
    await _build_all(door, price_of, parts)
    if body.atomic:
        await _leave_to_ledger(door, parts)
        group = await _decide_chain(door, parts)
    else:
        group = None
        await _decide_each(door, parts)
    _raise_if_down(parts)
    results = [_result(call, part, group) for part in parts]
    is_replay = all(part.answer is not None and part.answer.replayed for part in parts)
    return ok({"results": results}, *((REPLAYED,) if is_replay else ()))


async def _build_all(door: Door, price_of: PriceOf, parts: Sequence[_Part]) -> None:
    """Look the names up, a few at a time: those that nobody has used yet take a while to open."""
    rest = iter(parts)

    async def work_off() -> None:
        for part in rest:
            try:
                part.built = await build(door, price_of, part.ask)
            except ComptoirError as error:
                part.error = error

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_BUILDERS):
            tasks.create_task(work_off())


async def _leave_to_ledger(door: Door, parts: Sequence[_Part]) -> None:
    """Let the ledger itself miss holds that nobody has made.

    So the first refusal of the chain is the one that is told, and stored, whatever it is.
    """
    for part in parts:
        if part.error is not None and part.error.code == "hold-not-found":
            id_ = request_id(door.book, part.ask.key)
            asset = await door.directory.asset(door.book, CREDITS)
            part.built = Built(Release(id_, b"", _NO_HOLD), asset, None)
            part.error = None


async def _decide_chain(door: Door, parts: Sequence[_Part]) -> bytes | None:
    """All or nothing; returns the group that the chain's holds form, if there are several."""
    built = [part.built for part in parts if part.built is not None]
    check_chain(built)
    if len(built) == len(parts):
        answers = await door.submit(tuple(each.request for each in built))
        for part, answer in zip(parts, answers, strict=True):
            part.answer = answer
    else:
        for part in parts:
            if part.built is not None:
                part.answer = _broken(part.built.request)
    holds = [each.request.id for each in built if each.request.op == Op.HOLD]
    return holds[0] if len(holds) > 1 else None


def _broken(request: Request) -> Answer:
    return Answer(request.id, request.mark, request.op, Outcome.CHAIN_BROKEN)


async def _decide_each(door: Door, parts: Sequence[_Part]) -> None:
    """Each for itself; they are queued in their order before the first is decided."""
    built = [(part, part.built.request) for part in parts if part.built is not None]
    results = await door.submit_each([(request,) for _, request in built])
    for (part, _), result in zip(built, results, strict=True):
        if isinstance(result, ComptoirError):
            part.error = result
        else:
            part.answer = result[0]


def _raise_if_down(parts: Sequence[_Part]) -> None:
    """When nothing at all could be decided, the whole batch says so."""
    errors = [part.error for part in parts if isinstance(part.error, Unavailable)]
    if errors and len(errors) == len(parts):
        raise errors[0]


def _result(call: Call, part: _Part, group: bytes | None) -> views.View:
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
