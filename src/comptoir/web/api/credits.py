"""Changing balances: grant, spend, reverse, transfer, and the verbs of holds."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from comptoir.domains.credits import queries
from comptoir.domains.credits.model import Ask, Op
from comptoir.ledger.model import Answer
from comptoir.store.pool import begin
from comptoir.web import shapes, views, wire
from comptoir.web.api.asking import asked, decide
from comptoir.web.call import Call
from comptoir.web.outcomes import refusal
from comptoir.web.replies import REPLAYED, Reply, ok
from comptoir.web.routing import OPERATORS, SERVERS, Operation

_REPLAY_HEADER: Final = {"Idempotent-Replayed": "true when the answer is a stored one"}
HOLD_PART: Final[dict[str, dict[str, Any]]] = {
    "hold": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["hold_" + "0" * 32]}
}


class _Described(wire.Wire):
    metadata: wire.Metadata | None = None


class GrantBody(_Described):
    """Give credits as a new lot."""

    customer: wire.Customer
    amount: wire.Amount
    asset: wire.AssetCode | None = None
    reason: wire.Reason
    reference: wire.Reference | None = None
    expires_at: wire.Time | None = None
    priority: wire.Priority | None = None


def _one_way_to_say_how_much(schema: dict[str, Any]) -> None:
    """Either an amount, or an action with or without a quantity: two closed objects."""
    fields = schema.pop("properties")
    required = [name for name in schema.pop("required", []) if name != "amount"]
    schema.pop("additionalProperties", None)
    by_amount = {name: kind for name, kind in fields.items() if name not in _ACTION_FIELDS}
    by_action = {name: kind for name, kind in fields.items() if name != "amount"}
    schema.pop("type", None)
    schema["oneOf"] = [
        {
            "title": title,
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "required": [*required, needed],
        }
        for title, properties, needed in (
            ("By amount", by_amount, "amount"),
            ("By action", by_action, "action"),
        )
    ]


_ACTION_FIELDS: Final = ("action", "quantity")


class Priced(_Described, json_schema_extra=_one_way_to_say_how_much):
    """How much: an amount, or what an action costs."""

    amount: Annotated[wire.Amount, Field(default=None)]
    action: Annotated[wire.Action, Field(default=None)]
    quantity: Annotated[wire.Quantity, Field(default=None)]

    @model_validator(mode="after")
    def _either(self) -> "Priced":
        said = self.model_fields_set
        if ("amount" in said) == ("action" in said) or ("amount" in said and "quantity" in said):
            raise PydanticCustomError("amount-or-action", "say one of the two")
        return self


class SpendBody(Priced):
    """Take credits for good."""

    customer: wire.Customer
    asset: wire.AssetCode | None = None
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None
    model: wire.Model | None = None
    cost: wire.Cost | None = None


class HoldBody(Priced):
    """Set credits aside."""

    customer: wire.Customer
    asset: wire.AssetCode | None = None
    ttl_seconds: wire.Seconds
    on_excess: Literal["refuse", "cap", "debt"] = "refuse"
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None


class CaptureBody(_Described):
    """Take what was set aside, all of it by default."""

    amount: wire.Amount | None = None
    final: bool = True
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None
    model: wire.Model | None = None
    cost: wire.Cost | None = None


class ReleaseBody(_Described):
    """Give back what was set aside."""

    reason: wire.Reason | None = None
    reference: wire.Reference | None = None


class RenewBody(_Described):
    """Keep it aside for longer, from now."""

    ttl_seconds: wire.Seconds
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None


class ReverseBody(_Described):
    """Undo a movement by a new one."""

    movement: Annotated[str, Field(min_length=1, max_length=50, examples=["mv_17_4"])]
    reason: wire.Reason
    reference: wire.Reference | None = None
    if_spent: Literal["refuse", "debt"] = "refuse"


class TransferBody(_Described):
    """Move credits between two customers, or units between two stock accounts."""

    customer: Annotated[wire.Customer, Field(alias="from")]
    target: Annotated[wire.Customer, Field(alias="to", examples=["bob@example.com"])]
    amount: wire.Amount
    asset: wire.AssetCode | None = None
    reason: wire.Reason | None = None
    reference: wire.Reference | None = None


def _told(answer: Answer, content: object, status: int) -> Reply:
    return ok(content, *((REPLAYED,) if answer.replayed else ()), status=status)


async def _move(call: Call, ask: Ask, status: int) -> Reply:
    built, answer = await decide(call, ask)
    if answer.line is None:
        return refusal(call, answer, built.asset)
    content = {
        "movement": views.movement_made(ask, built.asset, answer.line),
        "balance": views.balance_after(built.owner, built.asset, answer.line),
    }
    return _told(answer, content, status)


async def grant(call: Call, body: GrantBody) -> Reply:
    """POST /api/credits/grant."""
    ask = asked(Op.GRANT, call.key, body)
    return await _move(call, ask, 201)


async def spend(call: Call, body: SpendBody) -> Reply:
    """POST /api/credits/spend."""
    ask = asked(Op.SPEND, call.key, body)
    return await _move(call, ask, 200)


async def reverse(call: Call, body: ReverseBody) -> Reply:
    """POST /api/credits/reverse."""
    ask = asked(Op.REVERSE, call.key, body)
    return await _move(call, ask, 200)


async def _set_aside(call: Call, ask: Ask, status: int) -> Reply:
    built, answer = await decide(call, ask)
    if answer.line is None or answer.hold is None:
        return refusal(call, answer, built.asset)
    group = None if ask.op is Op.HOLD else await _group(call, answer.hold)
    content = {
        "hold": views.hold_made(ask, built, answer, group),
        "balance": views.balance_after(built.owner, built.asset, answer.line),
    }
    return _told(answer, content, status)


async def _group(call: Call, hold_: bytes) -> bytes | None:
    """The group of a hold, which never changes."""
    async with begin(call.app.pool) as tx:
        return (await queries.hold(tx, call.actor.book, call.app.directory, hold_)).group


async def hold(call: Call, body: HoldBody) -> Reply:
    """POST /api/credits/holds."""
    ask = asked(Op.HOLD, call.key, body)
    return await _set_aside(call, ask, 201)


async def capture(call: Call, body: CaptureBody) -> Reply:
    """POST /api/credits/holds/{hold}/capture."""
    ask = asked(Op.CAPTURE, call.key, body, hold=call.part("hold"))
    built, answer = await decide(call, ask)
    if answer.line is None:
        return refusal(call, answer, built.asset)
    content = {
        "movement": views.movement_made(ask, built.asset, answer.line),
        "balance": views.balance_after(built.owner, built.asset, answer.line),
        "late": answer.late,
    }
    return _told(answer, content, 200)


async def release(call: Call, body: ReleaseBody) -> Reply:
    """POST /api/credits/holds/{hold}/release."""
    ask = asked(Op.RELEASE, call.key, body, hold=call.part("hold"))
    return await _set_aside(call, ask, 200)


async def renew(call: Call, body: RenewBody) -> Reply:
    """POST /api/credits/holds/{hold}/renew."""
    ask = asked(Op.RENEW, call.key, body, hold=call.part("hold"))
    return await _set_aside(call, ask, 200)


async def transfer(call: Call, body: TransferBody) -> Reply:
    """POST /api/ledger/transfer."""
    ask = asked(Op.TRANSFER, call.key, body)
    built, answer = await decide(call, ask)
    if answer.line is None or answer.mirror is None:
        return refusal(call, answer, built.asset)
    content = {
        "movement": views.movement_made(ask, built.asset, answer.line),
        "from": views.balance_after(built.owner, built.asset, answer.line),
        "to": views.balance_after(built.target, built.asset, answer.mirror),
    }
    return _told(answer, content, 200)


_MOVED: Final[tuple[str, ...]] = (
    "idempotency-key-missing",
    "idempotency-key-reused",
    "request-in-flight",
    "unknown-asset",
)


def _write(path: str, handler: Any, summary: tuple[str, str], **more: Any) -> Operation:  # noqa: ANN401  # handlers and fields differ
    settings: dict[str, Any] = {"roles": SERVERS, "answer": shapes.Moved, "tag": "credits"} | more
    settings["codes"] = (*_MOVED, *settings.get("codes", ()))
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        summary=summary,
        keyed=True,
        headers=_REPLAY_HEADER,
        **settings,
    )


_HOLD: Final = "/api/credits/holds/{hold}"
OPERATIONS: Final = (
    _write(
        "/api/credits/spend",
        spend,
        ("Spend credits", "Dépenser des crédits"),
        body=SpendBody,
        codes=(
            "insufficient-credits",
            "insufficient-tokens",
            "insufficient-stock",
            "unknown-action",
        ),
        ask={"customer": "alice@example.com", "amount": "5", "reason": "One picture"},
    ),
    _write(
        "/api/credits/grant",
        grant,
        ("Give credits", "Octroyer des crédits"),
        body=GrantBody,
        status=201,
        codes=("expired", "too-many-lots", "balance-limit"),
        ask={"customer": "alice@example.com", "amount": "100", "reason": "Welcome gift"},
    ),
    _write(
        "/api/credits/holds",
        hold,
        ("Hold credits", "Retenir des crédits"),
        body=HoldBody,
        answer=shapes.HoldMade,
        status=201,
        codes=(
            "insufficient-credits",
            "insufficient-tokens",
            "insufficient-stock",
            "unknown-action",
        ),
        ask={"customer": "alice@example.com", "amount": "8", "ttl_seconds": 600},
    ),
    _write(
        f"{_HOLD}/capture",
        capture,
        ("Capture a hold", "Capturer une retenue"),
        body=CaptureBody,
        body_optional=True,
        answer=shapes.Captured,
        parts=HOLD_PART,
        codes=(
            "hold-not-found",
            "hold-not-open",
            "exceeds-hold",
            "insufficient-credits",
            "insufficient-tokens",
            "insufficient-stock",
        ),
        ask={"amount": "6.5"},
    ),
    _write(
        f"{_HOLD}/release",
        release,
        ("Release a hold", "Libérer une retenue"),
        body=ReleaseBody,
        body_optional=True,
        answer=shapes.HoldMade,
        parts=HOLD_PART,
        codes=("hold-not-found", "hold-not-open"),
        ask={"reason": "The render failed"},
    ),
    _write(
        f"{_HOLD}/renew",
        renew,
        ("Renew a hold", "Prolonger une retenue"),
        body=RenewBody,
        answer=shapes.HoldMade,
        parts=HOLD_PART,
        codes=("hold-not-found", "hold-not-open"),
        ask={"ttl_seconds": 600},
    ),
    _write(
        "/api/credits/reverse",
        reverse,
        ("Reverse a movement", "Annuler un mouvement"),
        body=ReverseBody,
        roles=OPERATORS,
        codes=(
            "movement-not-found",
            "already-reversed",
            "not-reversible",
            "partly-spent",
            "too-many-lots",
        ),
        ask={"movement": "mv_17_4", "reason": "Given by mistake"},
    ),
    _write(
        "/api/ledger/transfer",
        transfer,
        ("Transfer between customers", "Transférer entre clients"),
        body=TransferBody,
        answer=shapes.Transferred,
        tag="ledger",
        codes=(
            "insufficient-credits",
            "insufficient-tokens",
            "insufficient-stock",
            "too-many-lots",
            "balance-limit",
        ),
        ask={"from": "alice@example.com", "to": "bob@example.com", "amount": "3"},
    ),
)
