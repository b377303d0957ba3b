"""Writes requests at random that know of each other: captures of holds, repeats, reversals."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from tests.support.tables import Ask, Opening, Told

T = TypeVar("T")
Draw = Callable[[int, int], int]
"""A whole number between two others, both included."""

ACCOUNTS: Final = (
    Opening("alice", "tokens"),
    Opening("bob", "tokens"),
    Opening("carol", "tokens", floor=-5),
    Opening("shelf", "stock"),
)
VERBS: Final = (
    *("grant",) * 5, *("spend",) * 4, *("hold",) * 5, *("capture",) * 6, *("release",) * 2,
    "renew", *("transfer",) * 2, *("reverse",) * 3, *("refund",) * 3,
)  # fmt: skip
SAFE: Final = ("grant", "grant", "spend", "hold", "hold", "capture", "transfer")
"""What chains are mostly made of, so that some of them succeed."""


class Author:
    """Writes the asks of one program; is told what became of them, and then writes about that."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.second = 0
        self._asset = {account.name: account.asset for account in ACCOUNTS}
        self._written: list[Ask] = []
        self._chains: list[list[Ask]] = []
        self._holds = ["nobody"]
        self._moves = ["nothing"]

    def chain(self) -> list[Ask]:
        """A chain, mostly of one; at times a group of holds, at times an older chain once more."""
        kind = self.draw(0, 9)
        if kind == 0 and self._chains:
            return self._pick(self._chains[-6:])
        if kind == 1:
            made = [self.ask("hold") for _ in range(self.draw(2, 3))]
        elif kind <= 3:
            made = [self.ask(self._pick(SAFE)) for _ in range(self.draw(2, 4))]
        else:
            made = [self.ask(self._pick(VERBS))]
        self._chains.append(made)
        return made

    def ask(self, verb: str) -> Ask:
        """A new request; what there is nothing for yet is mostly made first."""
        if verb in {"capture", "release", "renew"} and len(self._holds) == 1 and self.draw(0, 5):
            verb = "hold"
        ask: Ask = getattr(self, f"_{verb}")()
        self._written.append(ask)
        if verb == "hold" and self.draw(0, 3) == 0:
            self._holds.append(ask.label)  # its key names it before anybody has answered
        return ask

    def repeat(self) -> Ask:
        """A request once more, or another one under its key."""
        if not self._written:
            return self.ask("grant")
        ask = self._pick(self._written[-12:])
        if self.draw(0, 3) == 0:
            return replace(ask, amount=(ask.amount or 0) + 1)
        return ask

    def heard(self, chain: Sequence[Ask], told: Sequence[Told]) -> None:
        """What became of a chain. Nobody can name a movement of which he was not told."""
        for ask, answer in zip(chain, told, strict=True):
            if answer.outcome == "created" or self.draw(0, 9) == 0:
                self._moves.append(ask.label)
                if ask.op == "hold":
                    self._holds.append(ask.label)

    def tick(self) -> int:
        """Some seconds, none of them far from the lives of holds and lots."""
        seconds = self._pick([1, 3, 7, 20])
        self.second += seconds
        return seconds

    def _pick(self, options: Sequence[T]) -> T:
        return options[self.draw(0, len(options) - 1)]

    def _label(self, op: str) -> str:
        return f"{op}{len(self._written)}"

    def _account(self) -> dict[str, Any]:
        name = self._pick(ACCOUNTS).name
        return {"account": name, "asset": self._asset[name]}

    def _recent(self, labels: Sequence[str]) -> str:
        """Mostly one of the last few: older ones are mostly done with."""
        return self._pick(labels[-6:] if self.draw(0, 5) else labels)

    def _grant(self) -> Ask:
        amount = self.draw(1, 20)
        ask = Ask(op="grant", label=self._label("g"), amount=amount, **self._account())
        kind = self.draw(0, 5)
        if kind == 1:
            ask = replace(ask, paid=self.draw(1, 500), currency="eur", source="pack")
        if kind == 2:
            ask = replace(ask, reference="r")
        if self.draw(0, 1):
            ask = replace(ask, expires=self.second - 1 + self.draw(0, 8) * 3)
        return replace(ask, priority=self._pick([None, None, 10, 60]))

    def _spend(self) -> Ask:
        contra = "stock" if self.draw(0, 30) == 0 else None
        amount = self.draw(1, 9)
        label = self._label("s")
        return Ask(op="spend", label=label, amount=amount, contra=contra, **self._account())

    def _hold(self) -> Ask:
        return Ask(
            op="hold",
            label=self._label("h"),
            amount=self.draw(1, 9),
            ttl=self._pick([None, 2, 5, 9, 30]),
            on_excess=self._pick([None, "cap", "debt"]),
            **self._account(),
        )

    def _capture(self) -> Ask:
        return Ask(
            op="capture",
            label=self._label("c"),
            hold=self._recent(self._holds),
            amount=self.draw(1, 6) if self.draw(0, 1) else None,
            final=self.draw(0, 2) > 0,
        )

    def _release(self) -> Ask:
        return Ask(op="release", label=self._label("r"), hold=self._recent(self._holds))

    def _renew(self) -> Ask:
        hold = self._recent(self._holds)
        return Ask(op="renew", label=self._label("n"), hold=hold, ttl=self._pick([2, 9, 30]))

    def _transfer(self) -> Ask:
        places = self._account()
        others = [a.name for a in ACCOUNTS if a.name != places["account"]]
        target = self._pick(others if self.draw(0, 9) else [a.name for a in ACCOUNTS])
        amount = self.draw(1, 9)
        return Ask(op="transfer", label=self._label("t"), target=target, amount=amount, **places)

    def _reverse(self) -> Ask:
        return Ask(
            op="reverse",
            label=self._label("v"),
            movement=self._recent(self._moves),
            if_spent=self._pick([None, "debt"]),
        )

    def _refund(self) -> Ask:
        return Ask(
            op="refund",
            label=self._label("b"),
            movement=self._recent(self._moves),
            amount=self.draw(1, 8),
            if_spent=self._pick([None, "debt"]),
        )
