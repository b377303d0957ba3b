"""What an answer tells: of each request whether it happened, and with which figures."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from typing import Any, Final

from comptoir.cli.torture.program import Ask
from comptoir.kit.ids import parse_hold, parse_movement
from comptoir.ledger.outcomes import STICKY, Outcome

CREATED: Final = Outcome.CREATED.value
UNKNOWN: Final = "unknown"
"""In place of an outcome: nobody ever answered."""

KEPT: Final = frozenset(outcome.value for outcome in STICKY)
"""Outcomes that are stored under the key of the request."""

REFUSALS: Final = frozenset({"insufficient", "hold_not_open", "exceeds_hold", "chain_broken"})
"""What the requests of the program may be refused for."""

_SCALES: Final = {"credits": 6, "stock": 0}
_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_NOT_NOW: Final = frozenset({"request-in-flight", "rate-limited"})
_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)
"""What the ledger decides; an item of a batch that says anything else was not decided."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever it says.

    Attributes:
        replayed: whether it says of itself that it is a stored one.
    """

    status: int
    body: Json
    replayed: bool

    @property
    def code(self) -> str:
        """The code of the problem; empty for success."""
        return str(self.body.get("code", "")) if self.status >= _ERROR else ""


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells of one line of the journal, or of a request that was refused.

    Attributes:
        id: the request.
        outcome: what became of it.
        lines: how many lines of the journal it must have.
        account: whose line this is, where the answer says so.
        version, kind, amount: the line; posted, held and debt are what the account has after it.
        hold: the hold that it is about; set_aside is how much was held at first.
    """

    id: bytes
    outcome: str
    lines: int = 0
    account: int | None = None
    version: int | None = None
    kind: str | None = None
    amount: int | None = None
    posted: int | None = None
    held: int | None = None
    debt: int | None = None
    hold: bytes | None = None
    set_aside: int | None = None

    def row(self) -> str:
        """As a line of CSV for PostgreSQL."""
        return ",".join(_cell(value) for value in astuple(self)) + "\n"


def is_answer(reply: Reply) -> bool:
    """Whether the request was decided; if not, it is to be repeated with the same key."""
    if reply.code in _NOT_NOW or reply.status >= _SERVER_ERROR:
        return False
    return all(part["outcome"] in _OUTCOMES for part in reply.body.get("results", ()))


def told(ask: Ask, reply: Reply) -> list[Told]:
    """Everything that an answer tells."""
    if ask.is_batch and reply.status < _ERROR:
        results = reply.body["results"]
        each = zip(ask.ids, ask.ops, results, strict=True)
        return [line for id_, op, result in each for line in _item(id_, op, result)]
    outcome = CREATED if reply.status < _ERROR else _outcome(reply.code)
    if outcome != CREATED:
        return [Told(id_, outcome) for id_ in ask.ids]
    return list(_lines(ask.ids[0], ask.ops[0], reply.body, ask.lines))


def untold(ask: Ask) -> list[Told]:
    """What there is to say of a request that nobody answered."""
    return [Told(id_, UNKNOWN, ask.lines) for id_ in ask.ids]


def is_final(reply: Reply) -> bool:
    """Whether the same request must get this very answer again."""
    results = reply.body.get("results")
    if results is not None:
        return any(_decided(part) in KEPT for part in results)
    return reply.status < _ERROR or _outcome(reply.code) in KEPT


def content(reply: Reply) -> tuple[int, object]:
    """What must be the same whenever it is told."""
    results = reply.body.get("results")
    if results is None:
        return reply.status, reply.body
    said = [{**part, "outcome": _decided(part), "replayed": None} for part in results]
    return reply.status, said


def must_say_replayed(reply: Reply) -> bool:
    """Whether a repeat of this one must call itself a stored one.

    Of a broken chain only the answer of the request to blame is stored.
    """
    return all(_decided(part) == CREATED for part in reply.body.get("results", ()))


def _decided(result: Json) -> str:
    """What became of an item of a batch, now or before."""
    outcome = str(result["outcome"])
    return CREATED if outcome == Outcome.EXISTS else outcome


def _item(id_: bytes, op: str, result: Json) -> Iterator[Told]:
    if _decided(result) != CREATED:
        yield Told(id_, _decided(result))
    else:
        yield from _lines(id_, op, result, 1)


def _lines(id_: bytes, op: str, body: Json, lines: int) -> Iterator[Told]:
    """The lines that a success tells of: one, or those of both sides of a transfer."""
    balance = body["from"] if op == "transfer" else body["balance"]
    line = replace(_after(balance, id_), lines=lines)
    if "hold" in body:
        held = body["hold"]
        amount = _units(held["amount"], held["asset"])
        yield replace(line, kind=op, amount=0, hold=parse_hold(held["id"]), set_aside=amount)
        return
    movement = body["movement"]
    place = parse_movement(movement["id"])
    assert place is not None, "the API writes what it can read"
    amount, kind = _units(movement["amount"], balance["asset"]), movement["kind"]
    yield replace(line, account=place[0], kind=kind, amount=amount)
    if op == "transfer":
        yield replace(_after(body["to"], id_), lines=lines, kind=kind, amount=-amount)


def _after(balance: Json, id_: bytes) -> Told:
    asset = balance["asset"]
    return Told(
        id_,
        CREATED,
        version=balance["version"],
        posted=_units(balance["balance"], asset),
        held=_units(balance["held"], asset),
        debt=_units(balance["debt"], asset),
    )


def _units(text: str, asset: str) -> int:
    return int(Decimal(text).scaleb(_SCALES[asset]))


def _outcome(code: str) -> str:
    """The outcome that a problem is; each asset has its own word for not enough."""
    return "insufficient" if code.startswith("insufficient-") else code.replace("-", "_")


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return "" if value is None else str(value)
