"""From the asks of tables and programs to requests of the ledger, for drivers below HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from comptoir.kit.ids import request_id
from comptoir.kit.limits import SECOND
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Answer, Kind, Note
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import (
    DEFAULT_PRIORITY,
    Capture,
    Chain,
    Grant,
    Hold,
    IfSpent,
    OnExcess,
    Refund,
    Release,
    Renew,
    Request,
    Reverse,
    Spend,
    Transfer,
)
from tests.support.tables import Ask, Told

BOOK: Final = 1
START: Final = 1_500_000_000 * SECOND
"""When every case begins: long past, so that the database never finds a refusal too young."""

NOWHERE: Final = 2**40
"""The id of an account that nobody has."""


class Places(Protocol):
    """Where a driver has put accounts."""

    def account(self, name: str) -> int: ...

    def contra(self, asset: str, kind: str) -> int: ...


@dataclass(slots=True)
class Clerk:
    """Writes the requests of one case, and remembers which movement each label made.

    Attributes:
        prefix: what sets the keys of this case apart from those of the others.
        now: the time of the case, in microseconds.
    """

    places: Places
    prefix: str
    now: int = START
    made: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def id(self, label: str) -> bytes:
        """The id of the request, and of the hold, that `label` names."""
        return request_id(BOOK, self.prefix + label)

    def chain(self, asks: Sequence[Ask]) -> Chain:
        """The chain that the asks mean."""
        return tuple(self.request(ask) for ask in asks)

    def told(self, asks: Sequence[Ask], answers: Sequence[Answer]) -> list[Told]:
        """What the answers say; remembers the movements that they name."""
        for ask, answer in zip(asks, answers, strict=True):
            if answer.outcome is Outcome.CREATED and answer.line is not None:
                self.made[ask.label] = (answer.line.account, answer.line.version)
        return [tell(answer) for answer in answers]

    def request(self, ask: Ask) -> Request:  # noqa: PLR0911  # one verb, one return
        """The request that `ask` means now."""
        key, mark = self.id(ask.label), _mark(ask)
        note = None if ask.reference is None else Note(reference=ask.reference)
        amount = ask.amount or 0
        hold = self.id(ask.hold or "")
        match ask.op:
            case "grant":
                return self._grant(ask, key, mark, note)
            case "spend":
                kind = Kind(ask.kind or Kind.SPEND)
                return Spend(key, mark, self._of(ask), self._to(ask, "revenue"), amount, kind)
            case "hold":
                ttl = None if ask.ttl is None else ask.ttl * SECOND
                excess = OnExcess(ask.on_excess or OnExcess.REFUSE)
                contra = self._to(ask, "revenue")
                return Hold(key, mark, self._of(ask), contra, amount, ttl, excess)
            case "capture":
                return Capture(key, mark, hold, ask.amount, ask.final)
            case "release":
                return Release(key, mark, hold)
            case "renew":
                return Renew(key, mark, hold, (ask.ttl or 0) * SECOND)
            case "transfer":
                target = self.places.account(ask.target or "")
                return Transfer(key, mark, self._of(ask), target, amount)
            case "reverse":
                account, version = self.made.get(ask.movement or "", (NOWHERE, 1))
                return Reverse(key, mark, account, version, IfSpent(ask.if_spent or IfSpent.REFUSE))
            case "refund":
                account, version = self.made.get(ask.movement or "", (NOWHERE, 1))
                if_spent = IfSpent(ask.if_spent or IfSpent.REFUSE)
                return Refund(key, mark, account, version, amount, if_spent)
            case other:
                raise AssertionError(other)

    def _grant(self, ask: Ask, key: bytes, mark: bytes, note: Note | None) -> Grant:
        return Grant(
            key,
            mark,
            self._of(ask),
            self._to(ask, "issuer"),
            ask.amount or 0,
            kind=Kind(ask.kind or Kind.GRANT),
            source=ask.source or "grant",
            priority=DEFAULT_PRIORITY if ask.priority is None else ask.priority,
            expires_at=None if ask.expires is None else START + ask.expires * SECOND,
            paid=ask.paid,
            tax=ask.tax,
            currency=ask.currency,
            note=note,
        )

    def _of(self, ask: Ask) -> int:
        return self.places.account(ask.account or "")

    def _to(self, ask: Ask, kind: str) -> int:
        return self.places.contra(ask.contra or ask.asset, kind)


def tell(answer: Answer) -> Told:
    """An answer of the ledger as a driver tells it."""
    return Told(
        outcome=answer.outcome,
        field=answer.field,
        replayed=answer.replayed,
        late=answer.late,
        needed=answer.needed,
        available=answer.available,
        captured=answer.captured,
    )


def _mark(ask: Ask) -> bytes:
    is_transfer = ask.op == "transfer"
    return fingerprint(
        (
            ("op", ask.op),
            ("customer", None if is_transfer else ask.account),
            ("from", ask.account if is_transfer else None),
            ("to", ask.target),
            ("asset", ask.contra),
            ("hold", ask.hold),
            ("movement", ask.movement),
            ("amount", ask.amount),
            ("ttl_seconds", ask.ttl),
            ("on_excess", ask.on_excess),
            ("final", None if ask.final else "false"),
            ("if_spent", ask.if_spent),
            ("expires_at", ask.expires),
            ("priority", ask.priority),
            ("source", ask.source),
            ("paid", ask.paid or None),
            ("kind", ask.kind),
            ("reference", ask.reference),
        )
    )
