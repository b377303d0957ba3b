"""Runs tables over HTTP: one request by its own route, several by the batch route.

What a table looks at afterwards is read from the database: the routes show the books as of now,
and the cases live in a time of their own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import httpx2

from comptoir.domains.credits.refusals import CODES
from comptoir.kit.ids import hold_name, movement_name, request_id
from comptoir.kit.limits import AMOUNT_PATTERN, SECOND
from tests.support.asking import START
from tests.support.site import LIVE, Site
from tests.support.tables import SCALES, Ask, Case, Flush, Need, Opening, Told

UNSAYABLE: Final = frozenset(
    {Need.TERMS, Need.CONTRA, Need.GHOST, Need.ENDLESS, Need.REFUND, Need.ANY_CHAIN}
)
"""What no route can ask for."""

_SPELLED: Final = re.compile(AMOUNT_PATTERN, re.ASCII)
_IN_BATCHES: Final = frozenset({"grant", "spend", "hold", "capture", "release", "transfer"})


def can_say(case: Case) -> bool:
    """Whether the routes can ask for what a case asks."""
    flushes = [step for step in case.steps if isinstance(step, Flush)]
    return not case.needs & UNSAYABLE and all(_can_send(flush) for flush in flushes)


def _can_send(flush: Flush) -> bool:
    asks = [row.ask for chain in flush.chains for row in chain]
    made = {ask.label for ask in asks if ask.op == "hold"}
    texts = [ask.text for ask in asks if ask.text is not None]
    return (
        all(_SPELLED.match(text) for text in texts)  # amounts beyond the grammar
        and (len(asks) == 1 or all(ask.op in _IN_BATCHES for ask in asks))
        and not any(ask.hold in made for ask in asks)  # nobody knows its name before it is made
    )


_OUTCOMES: Final = {code: outcome.value for outcome, code in CODES.items() if code} | {
    "insufficient-tokens": "insufficient",
    "insufficient-stock": "insufficient",
}
_PATHS: Final = {
    "grant": "/api/credits/grant",
    "spend": "/api/credits/spend",
    "hold": "/api/credits/holds",
    "reverse": "/api/credits/reverse",
    "transfer": "/api/ledger/transfer",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ACCOUNT: Final = """
SELECT a.id FROM comptoir.accounts a JOIN comptoir.customers c ON c.id = a.customer_id
JOIN comptoir.assets s ON s.id = a.asset_id
WHERE a.book_id = 1 AND c.customer = %s AND s.code = %s"""
_BALANCE: Final = "SELECT posted, held, debt FROM comptoir.accounts WHERE id = %s"
_LOTS: Final = """
SELECT remaining, pinned FROM comptoir.lots WHERE account_id = %s AND open
ORDER BY priority, expires_at NULLS LAST, no"""
_STATE: Final = "SELECT state, captured FROM comptoir.holds WHERE id = %s"
_JOURNAL: Final = """
SELECT kind, amount FROM comptoir.movements WHERE account_id = %s AND amount <> 0
ORDER BY version"""
_MADE: Final = "SELECT account_id, version FROM comptoir.requests WHERE id = %s"
_CAPTURED: Final = "SELECT captured FROM comptoir.requests WHERE id = %s"
_SET_FLOOR: Final = """
UPDATE comptoir.accounts a SET floor = %(floor)s, seal = hash_record_extended(ROW(
    a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded, a.posted, a.held, a.debt,
    %(floor)s::bigint, a.filled, a.version, a.lots_made, a.open_lots, a.next_expiry, a.at), 0)
WHERE a.id = %(id)s"""


@dataclass(slots=True)
class Clock:
    """The time of the case that runs."""

    now: int = START

    def __call__(self, _shown: int) -> int:
        return self.now


@dataclass(slots=True)
class HttpDriver:
    """Runs one case against a server whose ledger goes by `clock`."""

    site: Site
    clock: Clock
    prefix: str
    accounts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.clock.now = START

    async def open(self, account: Opening) -> None:
        name = self.prefix + account.name
        path = f"/api/credits/holds?customer={name}"
        assert self.site.get(path).status_code == 200
        self.site.sql(
            "INSERT INTO comptoir.customers (book_id, customer) VALUES (1, %s)"
            " ON CONFLICT DO NOTHING",
            name,
        )
        self.site.sql(
            "SELECT comptoir.open_account(1, s.id, c.id, NULL, true) FROM comptoir.assets s"
            " JOIN comptoir.customers c ON c.book_id = 1 AND c.customer = %s"
            " WHERE s.book_id = 1 AND s.code = %s",
            name,
            account.asset,
        )
        [[id_]] = self.site.sql(_ACCOUNT, name, account.asset)
        self.accounts[account.name] = id_
        if account.floor:
            statement = _SET_FLOOR.replace("%(floor)s", str(account.floor))
            self.site.sql(statement.replace("%(id)s", str(id_)))

    async def submit(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        if len(chains) == 1 and len(chains[0]) == 1:
            return [[self._single(chains[0][0])]]
        is_atomic = len(chains) == 1
        asks = [ask for chain in chains for ask in chain]
        body = {"requests": [self._item(ask) for ask in asks], "atomic": is_atomic}
        done = self.site.post("/api/ledger/batch", body)
        assert done.status_code == 200, done.text
        told = [
            self._told(ask, result)
            for ask, result in zip(asks, done.json()["results"], strict=True)
        ]
        return [told] if is_atomic else [[each] for each in told]

    def _single(self, ask: Ask) -> Told:
        path = _PATHS.get(ask.op) or f"/api/credits/holds/{self._hold(ask)}/{ask.op}"
        done = self.site.post(path, self._body(ask), key=self.prefix + ask.label)
        return self._told(ask, _as_result(done))

    def _item(self, ask: Ask) -> dict[str, Any]:
        item = {"op": ask.op, "idempotency_key": self.prefix + ask.label} | self._body(ask)
        item = {name: value for name, value in item.items() if value is not None}
        return item | ({"hold": self._hold(ask)} if ask.hold else {})

    def _body(self, ask: Ask) -> dict[str, Any]:
        said: dict[str, Any] = {"amount": ask.text} if ask.text is not None else {}
        if ask.op == "transfer":
            said |= {"from": self.prefix + (ask.account or ""), "asset": ask.asset}
            said["to"] = self.prefix + (ask.target or "")
        elif ask.account is not None:
            said |= {"customer": self.prefix + ask.account, "asset": ask.asset}
        if ask.op in ("grant", "reverse"):
            said["reason"] = "table"
        if ask.movement is not None:
            said["movement"] = self._movement(ask.movement)
        if ask.expires is not None:
            moment = _EPOCH + timedelta(microseconds=START + ask.expires * SECOND)
            said["expires_at"] = moment.isoformat()
        if not ask.final:
            said["final"] = False
        more = {
            "ttl_seconds": ask.ttl,
            "on_excess": ask.on_excess,
            "if_spent": ask.if_spent,
            "priority": ask.priority,
            "reference": ask.reference,
        }
        return said | {name: value for name, value in more.items() if value is not None}

    def _id(self, label: str) -> bytes:
        return request_id(LIVE, self.prefix + label)

    def _hold(self, ask: Ask) -> str:
        return hold_name(self._id(ask.hold or ""))

    def _movement(self, label: str) -> str:
        found = self.site.sql(_MADE, self._id(label))
        if not found or found[0][1] is None:
            return "mv_999999999_1"
        return movement_name(*found[0])

    def _told(self, ask: Ask, result: dict[str, Any]) -> Told:
        problem = result.get("problem", {})
        scale = SCALES[ask.asset]
        captured = self.site.sql(_CAPTURED, self._id(ask.label))
        return Told(
            outcome=result["outcome"],
            field=problem.get("field"),
            replayed=result.get("replayed", False),
            late=result.get("late", False),
            needed=_units(problem.get("needed"), scale),
            available=_units(problem.get("available"), scale),
            captured=captured[0][0] if captured else None,
        )

    async def tick(self, seconds: int) -> None:
        self.clock.now += seconds * SECOND

    async def balance(self, account: str) -> tuple[int, int, int]:
        [row] = self.site.sql(_BALANCE, self.accounts[account])
        return (row[0], row[1], row[2])

    async def lots(self, account: str) -> list[tuple[int, int]]:
        return [(left, pinned) for left, pinned in self.site.sql(_LOTS, self.accounts[account])]

    async def paid(self, account: str) -> list[int]:
        raise AssertionError(f"no route says what the lots of {account} were paid")

    async def state(self, hold: str) -> tuple[str, int]:
        [row] = self.site.sql(_STATE, self._id(hold))
        return (row[0], row[1])

    async def journal(self, account: str) -> list[tuple[str, int]]:
        return [(kind, units) for kind, units in self.site.sql(_JOURNAL, self.accounts[account])]


def _as_result(done: httpx2.Response) -> dict[str, Any]:
    """The answer of a route of its own, in the form that a batch has."""
    replayed = done.headers.get("idempotent-replayed") == "true"
    content = done.json()
    if done.is_success:
        return content | {"outcome": "exists" if replayed else "created", "replayed": replayed}
    outcome = _OUTCOMES.get(content["code"])
    if outcome is None and content["code"] == "validation-failed":
        outcome = _OUTCOMES.get(content["errors"][0]["code"])
    assert outcome is not None, done.text
    return {"outcome": outcome, "problem": content, "replayed": replayed}


def _units(text: str | None, scale: int) -> int | None:
    return None if text is None else int(Decimal(text).scaleb(scale))
