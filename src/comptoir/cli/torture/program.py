"""What each caller asks, one thing after the other: made from the seed and its number alone.

A job is a few steps that belong together; whoever is refused leaves the rest of it out. Bodies are
complete, ids of holds included, since a hold's id follows from its key.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count
from random import Random
from typing import Any, Final

from comptoir.cli.throwaway import BOOK
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, request_id

Body = dict[str, Any]

HOT: Final = tuple(f"hot-{number}" for number in range(4))
"""Customers whom many callers ask for; each caller has his own among them, and his own article.

So a stranger who holds a row stops some of the callers and not all of them.
"""

ARTICLES: Final = ("stock:MUG:ONE", "stock:TEE:M", "stock:TEE:L")
COLD: Final = 4
"""Customers whom one caller has for himself."""

REMEMBERED: Final = 60
"""How far back a repeat may reach, in requests of one caller."""

_SCALE: Final = 6
_CREDIT: Final = 10**_SCALE
_OPENING: Final = 500
_UNITS: Final = 20
_LONG: Final = 3_600
_SHORT: Final = 1
_LATE_SECONDS: Final = 1.3
_RESTS: Final = (0.0, 0.0, 0.02, 0.05)

BATCH: Final = "/api/ledger/batch"


class Manner(Enum):
    """Why something is asked."""

    NEW = auto()
    REPEAT = auto()
    """It was asked before: the answer must be the stored one."""
    REUSE = auto()
    """The key belongs to another request: it must be refused."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request.

    Attributes:
        keys: its idempotency keys: one, or that of each item of a batch.
        path, body: what is posted.
        lines: the lines of the journal that it writes when it succeeds, by key.
    """

    keys: tuple[str, ...]
    path: str
    body: Body
    lines: int = 1

    @property
    def is_batch(self) -> bool:
        """Whether its items carry their keys themselves."""
        return self.path == BATCH

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids that its keys have in the ledger."""
        return tuple(request_id(BOOK, key) for key in self.keys)

    @property
    def ops(self) -> tuple[str, ...]:
        """What each of its keys asks for, as a batch calls it."""
        if self.is_batch:
            return tuple(item["op"] for item in self.body["requests"])
        verb = self.path.rpartition("/")[2]
        return ({"holds": "hold"}.get(verb, verb),)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a caller does.

    Attributes:
        rest: seconds to wait before.
        at: which server it turns to first.
    """

    ask: Ask
    manner: Manner = Manner.NEW
    rest: float = 0.0
    at: int = 0


Job = tuple[Step, ...]


def opening() -> Job:
    """What is there from the beginning: credits of the hot customers, units of the articles."""
    grants = [_credits(f"open-{name}", name, _OPENING * _CREDIT) for name in HOT]
    units = [_restock(f"open-{name}", name, _UNITS) for name in ARTICLES]
    return tuple(Step(ask) for ask in (*grants, *units))


def program(seed: int, caller: int) -> Iterator[Job]:
    """The jobs of one caller, without end."""
    writer = _Writer(caller, Random(f"{seed}/caller/{caller}"))  # noqa: S311  # repeatable
    yield from writer.jobs()


def reused(ask: Ask) -> Ask:
    """Another request with the same key."""
    return replace(ask, body=ask.body | {"reason": "another one"})


@dataclass(slots=True)
class _Writer:
    """Writes the program of one caller."""

    caller: int
    draw: Random
    numbers: Iterator[int] = field(default_factory=count)
    asked: deque[Ask] = field(default_factory=lambda: deque[Ask](maxlen=REMEMBERED))

    def jobs(self) -> Iterator[Job]:
        makers: tuple[tuple[Callable[[str], Job], int], ...] = (
            (self._grant, 16),
            (self._spend, 24),
            (self._hold, 20),
            (self._buy, 14),
            (self._reserve, 8),
            (self._restock, 6),
            (self._transfer, 10),
            (self._repeat, 10),
            (self._reuse, 4),
        )
        makes, weights = zip(*makers, strict=True)
        for number in self.numbers:
            make = self.draw.choices(makes, weights)[0]
            job = make(f"c{self.caller}-{number}")
            self.asked.extend(step.ask for step in job if step.manner is Manner.NEW)
            rest = self.draw.choice(_RESTS)
            yield tuple(
                replace(step, rest=step.rest or rest, at=self.draw.randrange(1_000)) for step in job
            )

    def _is_heads(self) -> bool:
        return self.draw.getrandbits(1) == 1

    def _customer(self) -> str:
        if self._is_heads():
            return HOT[self.caller % len(HOT)]
        return f"cold-{self.caller}-{self.draw.randrange(COLD)}"

    def _article(self) -> str:
        return ARTICLES[self.caller % len(ARTICLES)]

    def _amount(self, most: int) -> int:
        """Whole credits, or some that need every decimal."""
        if self._is_heads():
            return self.draw.randint(1, most) * _CREDIT
        return self.draw.randint(1, most * _CREDIT)

    def _grant(self, key: str) -> Job:
        return (Step(_credits(key, self._customer(), self._amount(12))),)

    def _spend(self, key: str) -> Job:
        body = {"customer": self._customer(), "amount": _written(self._amount(6))}
        return (Step(Ask((key,), "/api/credits/spend", body)),)

    def _hold(self, key: str) -> Job:
        """A hold that is captured in part, wholly, for more than it has, late, or given back."""
        amount = self._amount(5)
        end = self.draw.choice(("part", "whole", "more", "late", "release", "leave"))
        is_short = end in {"late", "leave"}
        body = {
            "customer": self._customer(),
            "amount": _written(amount),
            "ttl_seconds": _SHORT if is_short else _LONG,
            "on_excess": self.draw.choice(("refuse", "cap", "debt")),
        }
        hold = Step(Ask((key,), "/api/credits/holds", body))
        capture = Ask((f"{key}-c",), _of_hold(key, "capture"), {})
        if end == "leave":
            return (hold,)
        if end == "release":
            return (hold, Step(Ask((f"{key}-r",), _of_hold(key, "release"), {})))
        if end == "late":
            return (hold, Step(capture, rest=_LATE_SECONDS))
        if end == "whole":
            return (hold, Step(capture))
        if end == "more":
            return (hold, Step(_capturing(capture, amount + self._amount(2))))
        first = Ask((f"{key}-p",), capture.path, {"final": False})
        part = self.draw.randint(1, amount)
        return (hold, Step(_capturing(first, part)), Step(capture))

    def _buy(self, key: str) -> Job:
        """One unit and its price, both or neither, in either order."""
        unit, price = self._unit_and_price(key)
        items = [{"op": "spend", **each} for each in (unit, price)]
        if self._is_heads():
            items.reverse()
        return (Step(_batch(items)),)

    def _reserve(self, key: str) -> Job:
        """The same as two holds that live together, captured or released by the first of them."""
        both = self._unit_and_price(key)
        items = [{"op": "hold", "ttl_seconds": _LONG, **each} for each in both]
        verb = self.draw.choice(("capture", "capture", "release"))
        end = Ask((f"{key}-e",), _of_hold(f"{key}-unit", verb), {}, lines=len(items))
        return (Step(_batch(items)), Step(end))

    def _unit_and_price(self, key: str) -> tuple[Body, Body]:
        unit = {
            "idempotency_key": f"{key}-unit",
            "account": self._article(),
            "amount": 1,
        }
        price = {
            "idempotency_key": f"{key}-price",
            "customer": self._customer(),
            "amount": _written(self._amount(4)),
        }
        return unit, price

    def _restock(self, key: str) -> Job:
        return (Step(_restock(key, self._article(), self.draw.randint(1, 5))),)

    def _transfer(self, key: str) -> Job:
        source, target = self._customer(), self._customer()
        if source == target:
            return self._spend(key)
        body = {"from": source, "to": target, "amount": _written(self._amount(5))}
        return (Step(Ask((key,), "/api/ledger/transfer", body, lines=2)),)

    def _repeat(self, key: str) -> Job:
        return self._again(key, list(self.asked), Manner.REPEAT)

    def _reuse(self, key: str) -> Job:
        return self._again(key, [ask for ask in self.asked if not ask.is_batch], Manner.REUSE)

    def _again(self, key: str, choice: list[Ask], manner: Manner) -> Job:
        if not choice:
            return self._grant(key)
        return (Step(self.draw.choice(choice), manner),)


def _credits(key: str, customer: str, amount: int) -> Ask:
    body = {"customer": customer, "amount": _written(amount), "reason": "torture"}
    return Ask((key,), "/api/credits/grant", body)


def _restock(key: str, article: str, units: int) -> Ask:
    return _batch([{"op": "grant", "idempotency_key": key, "account": article, "amount": units}])


def _batch(items: list[Body]) -> Ask:
    keys = tuple(item["idempotency_key"] for item in items)
    return Ask(keys, BATCH, {"requests": items, "atomic": len(items) > 1})


def _capturing(ask: Ask, amount: int) -> Ask:
    return replace(ask, body=ask.body | {"amount": _written(amount)})


def _of_hold(key: str, verb: str) -> str:
    return f"/api/credits/holds/{hold_name(request_id(BOOK, key))}/{verb}"


def _written(amount: int) -> str:
    return format_amount(amount, _SCALE)
