"""Tokens: what a customer has done with them, month by month, and statements."""

from datetime import date

from msgspec.structs import replace

from comptoir.domains.credits import tokens as counting
from comptoir.domains.credits.tokens import TOKENS
from comptoir.flows import tokens
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import COST_SCALE, LIST_DEFAULT
from comptoir.library import showing
from comptoir.library.answers_money import Money, Statement, TokenMonth, TokenPeriod, TokenStats
from comptoir.library.asking import check_text
from comptoir.library.engine import Engine
from comptoir.library.places import check_limit
from comptoir.library.requests import Grant, Request, Spend
from comptoir.library.tracing import traced


class Tokens:
    """Tokens of customers: whole ones, on the same ledger as everything else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("tokens.stats")
    async def stats(self, customer: str) -> TokenStats:
        """What a customer has done with tokens; nothing for whoever never had any."""
        name = check_text("customer", customer)
        return _stats(await tokens.stats(self._engine.app.till, self._engine.book, name))

    @traced("tokens.record")
    async def record(
        self,
        customer: str,
        cost: int,
        *,
        idempotency_key: str,
        reason: str = "generation",
    ) -> TokenStats:
        """Record a generation, which costs so many tokens; the statistics right after it.

        Raises:
            Insufficient: he has fewer (insufficient-tokens), and none was taken.
            Invalid: an argument is not what it must be.
            Refused, Unavailable: as all verbs of the ledger.
        """
        request = Spend(
            customer=customer, amount=cost, asset=TOKENS, reason=reason,
            idempotency_key=idempotency_key,
        )  # fmt: skip
        return await self._decided(customer, request)

    @traced("tokens.add")
    async def add(
        self, customer: str, amount: int, *, reason: str, idempotency_key: str
    ) -> TokenStats:
        """Give tokens; the statistics right after it.

        Raises:
            Invalid: an argument is not what it must be.
            Refused, Unavailable: as all verbs of the ledger.
        """
        request = Grant(
            customer=customer, amount=amount, asset=TOKENS, reason=reason,
            idempotency_key=idempotency_key,
        )  # fmt: skip
        return await self._decided(customer, request)

    @traced("tokens.reset")
    async def reset(self, customer: str, *, idempotency_key: str) -> TokenStats:
        """Set a customer back to what he was first given, and count anew; the journal stays.

        Raises:
            NotFound: he never had any tokens.
        """
        name, key = check_text("customer", customer), check_text("key", idempotency_key)
        found, _ = await tokens.reset(self._engine.app.till, self._engine.book, name, key)
        return _stats(found)

    @traced("tokens.statements")
    async def statements(
        self, customer: str, *, before: str | None = None, limit: int = LIST_DEFAULT
    ) -> tuple[Statement, ...]:
        """Statements of months that have ended, the newest first.

        Args:
            customer: whose.
            before: only months before this one, as 2026-11: that of the last one seen.
            limit: at most so many, up to 100.

        Raises:
            Invalid: an argument is not what it must be.
        """
        name, most = check_text("customer", customer), check_limit(limit)
        month = date.max if before is None else _month(before)
        till, book = self._engine.app.till, self._engine.book
        return tuple(map(_statement, await tokens.statements(till, book, name, month, most)))

    async def _decided(self, customer: str, request: Request) -> TokenStats:
        done = await self._engine.decide(request)
        # As of its own line, so that a repeat gets the very same answer.
        till, book = self._engine.app.till, self._engine.book
        found = await tokens.stats(till, book, customer, done.line)
        return replace(_stats(found), replayed=done.answer.replayed)


def _month(text: str) -> date:
    try:
        return tokens.month_of(text)
    except (TypeError, ValueError):
        raise Invalid("field-invalid", field="before") from None


def _stats(of: tokens.Stats) -> TokenStats:
    counted = of.counted
    return TokenStats(
        customer=of.customer,
        token_balance=of.balance,
        tokens_spent=counted.spent,
        generations=counted.generations,
        current_period=TokenPeriod(
            showing.moment(counted.starts_at),
            showing.moment(counted.ends_at),
            counted.this_month.spent,
            counted.this_month.generations,
            Money(of.billed, of.currency),
        ),
        history=tuple(
            TokenMonth(each.month.isoformat()[:7], each.spent, each.generations)
            for each in reversed(counted.months)
        ),
    )


def _statement(of: counting.Statement) -> Statement:
    return Statement(
        id=of.id,
        month=of.month.isoformat()[:7],
        start=showing.moment(of.starts_at),
        end=showing.moment(of.ends_at),
        spent=of.spent,
        generations=of.generations,
        unit_price=showing.decimal(of.unit_price, COST_SCALE),
        billed=Money(of.amount, of.currency),
        billing=of.billing,
        invoice=of.invoice,
        made_at=showing.moment(of.made_at),
    )
