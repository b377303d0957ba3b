"""A movement in a sentence, in English or French: what happened, from which lot, what was left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from comptoir.domains.credits.story import Origin, Told
from comptoir.kit.amounts import format_amount
from comptoir.ledger.model import Kind
from comptoir.store.facts import Asset

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_BREAK: Final = "\u202f"
_LOTS_SAID: Final = 3
"""Lots that one sentence names; the rest are counted."""

_Texts = tuple[str, str]

_MONTHS: Final = (
    (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
    (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ),
)  # fmt: skip

_UNITS: Final[dict[str, tuple[_Texts, _Texts]]] = {
    "credits": (("credit", "credits"), ("crédit", "crédits")),
    "tokens": (("token", "tokens"), ("jeton", "jetons")),
    "stock": (("unit", "units"), ("unité", "unités")),
}
"""One and many, in English and in French; assets of one's own are called by their code."""

_HEADS: Final[dict[str, _Texts]] = {
    "grant": ("Granted {amount}", "Don de {amount}"),
    "purchase": ("Bought {amount}", "Achat de {amount}"),
    "allowance": ("Allowed {amount}", "Allocation de {amount}"),
    "refund": ("Refunded {amount}", "Remboursement de {amount}"),
    "adjustment": ("Adjusted by {signed}", "Ajustement de {signed}"),
    "spend": ("Spent {amount}", "Dépense de {amount}"),
    "capture": ("Took {amount} from {hold}", "Prélèvement de {amount} sur {hold}"),
    "late": (
        "Took {amount} late, after {hold} had expired",
        "Prélèvement tardif de {amount}, après l'expiration de {hold}",
    ),
    "hold": ("Set aside {held}", "Mise de côté de {held}"),
    "release": ("Released {hold}", "Libération de {hold}"),
    "hold_expiry": ("{hold} expired", "Expiration de {hold}"),
    "renewal": ("Prolonged {hold}", "Prolongation de {hold}"),
    "expiry": ("{amount} expired", "Expiration de {amount}"),
    "sent": ("Sent {amount} to {other}", "Transfert de {amount} à {other}"),
    "received": ("Received {amount} from {other}", "Transfert de {amount} reçu de {other}"),
    "taken-back": ("Took back {amount}, reversing {undone}", "Reprise de {amount} pour {undone}"),
    "given-back": ("Gave back {amount}, reversing {undone}", "Retour de {amount} pour {undone}"),
}
_UNDONE: Final[dict[Kind, _Texts]] = {
    Kind.GRANT: ("the grant", "annuler le don"),
    Kind.PURCHASE: ("the purchase", "annuler l'achat"),
    Kind.ALLOWANCE: ("the allowance", "annuler l'allocation"),
    Kind.REFUND: ("the refund", "annuler le remboursement"),
    Kind.ADJUSTMENT: ("the adjustment", "annuler l'ajustement"),
    Kind.SPEND: ("the spend", "annuler la dépense"),
    Kind.CAPTURE: ("the capture", "annuler le prélèvement"),
}
_SAID: Final[dict[str, _Texts]] = {
    "the-hold": ("the hold of {amount} of {day}", "la retenue de {amount} du {day}"),
    "a-hold": ("the hold", "la retenue"),
    "a-movement": ("a movement", "annuler un mouvement"),
    "undone": ("{kind} of {amount} of {day}", "{kind} de {amount} du {day}"),
    "nobody": ("a customer who was erased", "un client effacé"),
    "action": (" on {action}", " pour {action}"),
    "times": (" (× {quantity})", " (× {quantity})"),
    "model": (" (model {model})", " (modèle {model})"),
    "reason": (", “{reason}”", ", « {reason} »"),
    "reference": (", reference {reference}", ", référence {reference}"),
    "until": (", until {time}", ", jusqu'au {time}"),
    "expiring": (", expiring on {time}", ", avec expiration le {time}"),
    "gave-back": (", giving back {amount}", ", avec restitution de {amount}"),
    "the-lot": ("the lot of {day}", "le lot du {day}"),
    "from": (", from {lots}", ", sur {lots}"),
    "into": (", into {lots}", ", dans {lots}"),
    "part-from": ("{amount} from {lot}", "{amount} sur {lot}"),
    "part-into": ("{amount} into {lot}", "{amount} dans {lot}"),
    "parts": (", {lots}", ", soit {lots}"),
    "and": (" and ", " et "),
    "more-lots": ("the rest in {count} more lots", "le reste dans {count} autres lots"),
    "owed": (", {amount} of it as a debt", ", dont {amount} à titre de dette"),
    "repaid": (", {amount} of it repaying a debt", ", dont {amount} pour solder une dette"),
    "moved": (": {before} before, {after} after.", " : {before} avant, {after} après."),
    "stayed": (
        ": {available} available of {after}.",
        " : solde disponible {available} sur {after}.",
    ),
    "time": ("{day} at {clock} ({zone})", "{day} à {clock} ({zone})"),
}
_ABOUT_HOLDS: Final = {Kind.CAPTURE, Kind.RELEASE, Kind.RENEWAL, Kind.HOLD_EXPIRY}
_FREEING: Final = {Kind.CAPTURE, Kind.RELEASE, Kind.HOLD_EXPIRY}


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; UTC when the system does not know it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return UTC


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells movements of one asset.

    Attributes:
        language: "fr" for French, else English.
        zone: in which days are told.
    """

    language: str
    asset: Asset
    zone: tzinfo = UTC

    def tell(self, told: Told) -> str:
        """One movement in a sentence."""
        line = told.line
        figures = {"before": told.before, "after": line.posted}
        figures["available"] = line.posted - line.held
        tail = self._say(
            "moved" if line.amount else "stayed",
            **{name: self._number(units) for name, units in figures.items()},
        )
        said = f"{self._head(told)}{self._why(told)}{self._lots(told)}{self._debt(told)}{tail}"
        return said[0].upper() + said[1:]

    def _head(self, told: Told) -> str:
        line = told.line
        text = _HEADS[_head_of(told)][self._place]
        return text.format(
            amount=self._amount(abs(line.amount)),
            signed=self._amount(line.amount),
            held=self._amount(abs(told.freed)),
            hold=self._hold(told),
            other=told.asked.other or self._say("nobody"),
            undone=self._undone(told),
        )

    def _why(self, told: Told) -> str:
        asked, line = told.asked, told.line
        said: list[str] = []
        if asked.action is not None:
            said.append(self._say("action", action=asked.action))
            if asked.quantity > 1:
                said.append(self._say("times", quantity=asked.quantity))
        if asked.model is not None:
            said.append(self._say("model", model=asked.model))
        if asked.reason is not None:
            said.append(self._say("reason", reason=asked.reason))
        if asked.reference is not None:
            said.append(self._say("reference", reference=asked.reference))
        if line.kind in (Kind.HOLD, Kind.RENEWAL) and asked.expires_at is not None:
            said.append(self._say("until", time=self._time(asked.expires_at, line.at)))
        back = told.freed - (abs(line.amount) if line.kind is Kind.CAPTURE else 0)
        if line.kind in _FREEING and back > 0:
            said.append(self._say("gave-back", amount=self._amount(back)))
        return "".join(said)

    def _lots(self, told: Told) -> str:
        """Which lots it came from or went into; a new lot is the movement itself."""
        line = told.line
        if line.amount > 0 and line.kind is not Kind.REVERSAL:
            ends = sorted({o.expires_at for o, _ in told.lots if o.expires_at is not None})
            said = [self._say("expiring", time=self._time(end, line.at)) for end in ends]
            return said[0] if len(said) == 1 else ""
        way = "from" if line.amount < 0 else "into"
        parts = [(origin, part) for origin, part in told.lots if part]
        if not parts:
            return ""
        if len(parts) == 1 and len(line.lots) == 1:
            return self._say(way, lots=self._lot(parts[0][0], line.at))
        count = len(parts) + len(line.lots) - len(told.lots)
        shown = parts if count <= _LOTS_SAID + 1 else parts[:_LOTS_SAID]
        named = [
            self._say(f"part-{way}", amount=self._number(abs(part)), lot=self._lot(origin, line.at))
            for origin, part in shown
        ]
        if count > len(shown):
            named.append(self._say("more-lots", count=count - len(shown)))
        return self._say("parts", lots=self._listed(named))

    def _debt(self, told: Told) -> str:
        change = told.line.debt - told.debt_before
        if change == 0:
            return ""
        return self._say("owed" if change > 0 else "repaid", amount=self._amount(abs(change)))

    def _hold(self, told: Told) -> str:
        if told.line.kind not in _ABOUT_HOLDS or told.hold is None:
            return self._say("a-hold")
        day = self._day(told.hold.at, told.line.at)
        said = self._say("the-hold", amount=self._amount(told.hold.amount), day=day)
        return said + self._label(told.hold.reason, told.hold.reference)

    def _undone(self, told: Told) -> str:
        if told.undone is None:
            return self._say("a-movement")
        undone = told.undone
        kind = _UNDONE.get(undone.kind, _SAID["a-movement"])[self._place]
        said = self._say(
            "undone",
            kind=kind,
            amount=self._amount(abs(undone.amount)),
            day=self._day(undone.at, told.line.at),
        )
        return said + self._label(undone.reason, undone.reference)

    def _lot(self, origin: Origin, now: int) -> str:
        said = self._say("the-lot", day=self._day(origin.at, now))
        return said + self._label(origin.reason, origin.reference)

    def _label(self, reason: str | None, reference: str | None) -> str:
        label = reason or reference
        return "" if label is None else f" ({label})"

    def _listed(self, said: Sequence[str]) -> str:
        if len(said) == 1:
            return said[0]
        return ", ".join(said[:-1]) + self._say("and") + said[-1]

    def _amount(self, units: int) -> str:
        """An amount with the name of its unit; French counts below two as one."""
        names = _UNITS.get(self.asset.code)
        number = self._number(units)
        if names is None:
            return f"{number} {self.asset.code}"
        whole = 10**self.asset.scale
        is_one = abs(units) < 2 * whole if self._place else abs(units) == whole
        return f"{number} {names[self._place][0 if is_one else 1]}"

    def _number(self, units: int) -> str:
        """An exact decimal as the language writes it."""
        text = format_amount(units, self.asset.scale)
        sign = "−" if text.startswith("-") else ""
        whole, point, decimals = text.removeprefix("-").partition(".")
        grouped = f"{int(whole):,}"
        if self._place:
            grouped, point = grouped.replace(",", _NO_BREAK), "," if point else ""
        return f"{sign}{grouped}{point}{decimals}"

    def _day(self, at: int, now: int) -> str:
        """A day, with its year when that is not the year of the movement."""
        day = self._moment(at)
        number = "1er" if self._place and day.day == 1 else str(day.day)
        said = f"{number} {_MONTHS[self._place][day.month - 1]}"
        return said if day.year == self._moment(now).year else f"{said} {day.year}"

    def _time(self, at: int, now: int) -> str:
        moment = self._moment(at)
        clock = f"{moment:%H} h {moment:%M}" if self._place else f"{moment:%H:%M}"
        zone = moment.tzname() or "UTC"
        return self._say("time", day=self._day(at, now), clock=clock, zone=zone)

    def _moment(self, at: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(self.zone)

    def _say(self, key: str, **figures: object) -> str:
        return _SAID[key][self._place].format(**figures)

    @property
    def _place(self) -> int:
        return 1 if self.language == "fr" else 0


def _head_of(told: Told) -> str:
    line = told.line
    match line.kind:
        case Kind.TRANSFER:
            return "sent" if line.amount < 0 else "received"
        case Kind.REVERSAL:
            return "taken-back" if line.amount < 0 else "given-back"
        case Kind.CAPTURE if told.asked.late:
            return "late"
        case _:
            return line.kind.value
