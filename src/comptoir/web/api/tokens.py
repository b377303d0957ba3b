"""Tokens: what a customer has done with them, month by month, and statements."""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field

from comptoir.domains.credits.model import Ask, Op
from comptoir.domains.credits.tokens import TOKENS, Statement
from comptoir.flows import tokens
from comptoir.flows.tokens import Stats
from comptoir.kit.actor import Role
from comptoir.kit.amounts import format_amount
from comptoir.kit.limits import COST_SCALE
from comptoir.web import shapes_money as shapes
from comptoir.web import wire
from comptoir.web.api.asking import decide
from comptoir.web.api.identity import CUSTOMER_PART, customer_name
from comptoir.web.api.reading import whose
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.outcomes import refusal
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_time
from comptoir.web.routing import EVERYBODY, OPERATORS, SERVERS, Operation
from comptoir.web.shapes import Listed

Tokens = Annotated[int, Field(ge=1, le=10**12 - 1, examples=[3])]


class GenerationBody(wire.Wire):
    """What was generated, and how many tokens it costs."""

    cost: Tokens
    reason: wire.Reason | None = None


class AddBody(wire.Wire):
    """How many tokens somebody is given, and why."""

    amount: Tokens
    reason: wire.Reason


async def _customer(call: Call) -> str:
    name = customer_name(call)
    return await whose(call, name) if call.actor.role is Role.CUSTOMER else name


async def stats(call: Call) -> Reply:
    """GET /api/tokens/{customer}/stats."""
    customer = await _customer(call)
    return ok(shown(await tokens.stats(call.app.till, call.actor.book, customer)), PRIVATE)


async def generate(call: Call, body: GenerationBody) -> Reply:
    """POST /api/tokens/{customer}/generations."""
    ask = Ask(
        op=Op.SPEND, key=call.key, customer=customer_name(call), asset=TOKENS,
        amount=body.cost, reason=body.reason or "generation",
    )  # fmt: skip
    return await _decided(call, ask)


async def add(call: Call, body: AddBody) -> Reply:
    """POST /api/tokens/{customer}/add."""
    ask = Ask(
        op=Op.GRANT, key=call.key, customer=customer_name(call), asset=TOKENS,
        amount=body.amount, reason=body.reason,
    )  # fmt: skip
    return await _decided(call, ask)


async def _decided(call: Call, ask: Ask) -> Reply:
    built, answer = await decide(call, ask)
    if answer.line is None:
        return refusal(call, answer, built.asset)
    assert ask.customer is not None, "the path names him"
    # As of its own line, so that a repeat gets the very same answer.
    till, book = call.app.till, call.actor.book
    found = await tokens.stats(till, book, ask.customer, answer.line)
    return ok(shown(found), *((REPLAYED,) if answer.replayed else ()))


async def reset(call: Call) -> Reply:
    """POST /api/tokens/{customer}/reset."""
    till, book = call.app.till, call.actor.book
    found, replayed = await tokens.reset(till, book, customer_name(call), call.key)
    return ok(shown(found), *((REPLAYED,) if replayed else ()))


async def statements(call: Call, query: wire.Page) -> Reply:
    """GET /api/tokens/{customer}/statements: the newest first."""
    customer = await _customer(call)
    of = f"statements\n{customer}"
    position: Any = read_cursor(call, of, query.cursor)
    before = date.fromisoformat(position[0]) if position else date.max
    till, book = call.app.till, call.actor.book
    found = await tokens.statements(till, book, customer, before, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    following = write_cursor(call, of, [page[-1].month.isoformat()]) if more else None
    return ok({"items": [_statement(each) for each in page], "next_cursor": following}, PRIVATE)


def shown(of: Stats) -> dict[str, Any]:
    """What a customer has done with tokens, as it goes out."""
    counted = of.counted
    return {
        "customer": of.customer,
        "token_balance": of.balance,
        "tokens_spent": counted.spent,
        "generations": counted.generations,
        "current_period": {
            "start": write_time(counted.starts_at),
            "end": write_time(counted.ends_at),
            "spent": counted.this_month.spent,
            "generations": counted.this_month.generations,
            "billed": {"amount": of.billed, "currency": of.currency},
        },
        "history": [
            {
                "month": each.month.isoformat()[:7],
                "spent": each.spent,
                "generations": each.generations,
            }
            for each in reversed(counted.months)
        ],
    }


def _statement(of: Statement) -> dict[str, Any]:
    return {
        "id": str(of.id),
        "month": of.month.isoformat()[:7],
        "start": write_time(of.starts_at),
        "end": write_time(of.ends_at),
        "spent": of.spent,
        "generations": of.generations,
        "unit_price": format_amount(of.unit_price, COST_SCALE),
        "billed": {"amount": of.amount, "currency": of.currency},
        "billing": of.billing,
        "invoice": of.invoice,
        "made_at": write_time(of.made_at),
    }


_REPLAY: Final = {"Idempotent-Replayed": "true when it was done before, under the same key"}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/tokens/{customer}/stats",
        handler=stats,
        summary=("Read a customer's tokens", "Lire les jetons d'un client"),
        tag="tokens",
        roles=EVERYBODY,
        codes=("not-found",),
        parts=CUSTOMER_PART,
        answer=shapes.TokenStatsShape,
    ),
    Operation(
        method="POST",
        path="/api/tokens/{customer}/generations",
        handler=generate,
        keyed=True,
        summary=("Record a generation", "Enregistrer une génération"),
        tag="tokens",
        roles=SERVERS,
        body=GenerationBody,
        parts=CUSTOMER_PART,
        answer=shapes.TokenStatsShape,
        codes=("insufficient-tokens", "not-found"),
        headers=_REPLAY,
        ask={"cost": 3, "reason": "article"},
    ),
    Operation(
        method="POST",
        path="/api/tokens/{customer}/add",
        handler=add,
        keyed=True,
        summary=("Add tokens", "Ajouter des jetons"),
        tag="tokens",
        roles=SERVERS,
        body=AddBody,
        codes=("not-found",),
        parts=CUSTOMER_PART,
        answer=shapes.TokenStatsShape,
        headers=_REPLAY,
        ask={"amount": 1000, "reason": "Recharge mensuelle"},
    ),
    Operation(
        method="POST",
        path="/api/tokens/{customer}/reset",
        handler=reset,
        keyed=True,
        summary=("Start anew", "Remettre à zéro"),
        tag="tokens",
        roles=OPERATORS,
        parts=CUSTOMER_PART,
        answer=shapes.TokenStatsShape,
        codes=("unknown-customer",),
        headers=_REPLAY,
    ),
    Operation(
        method="GET",
        path="/api/tokens/{customer}/statements",
        handler=statements,
        summary=("List a customer's statements", "Lister les relevés d'un client"),
        tag="tokens",
        roles=EVERYBODY,
        query=wire.Page,
        parts=CUSTOMER_PART,
        answer=Listed[shapes.StatementShape],
        codes=("unknown-customer", "cursor-invalid"),
    ),
)
