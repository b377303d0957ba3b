"""From an entry to a request of the ledger: which id it has, and what it asks."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from comptoir.domains.credits.imports.model import Entry, Import, Verb
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Note
from comptoir.ledger.requests import Grant, Request, Spend
from comptoir.store.facts import Asset

_OPENING_REASON: Final = "Opening balance"


@dataclass(frozen=True, slots=True)
class Keyed:
    """An entry, with the id and the fingerprint of the request that it will be."""

    entry: Entry
    id: bytes
    mark: bytes
    note: Note

    def request(self, asset: Asset, account: int) -> Request:
        """The request, once the customer has an account."""
        units = self.entry.units
        if self.entry.verb is Verb.SPEND:
            return Spend(self.id, self.mark, account, asset.revenue, units, note=self.note)
        return Grant(self.id, self.mark, account, asset.issuer, units, note=self.note)


class Keys:
    """Gives the lines of one reading of a file their ids.

    A customer has one opening balance from a source. Other lines go by their own id or, without
    one, by their place among the lines of their customer: so a line that was changed, put in or
    taken out shows as a conflict, never as another movement.
    """

    def __init__(self, book: int, wanted: Import) -> None:
        self._book = book
        self._wanted = wanted
        self._places: dict[str, int] = {}

    def give(self, entries: Iterable[Entry]) -> list[Keyed]:
        """The same entries, in order, with their ids."""
        return [self._keyed(entry) for entry in entries]

    def _keyed(self, entry: Entry) -> Keyed:
        key = f"import:{self._wanted.source}:{self._wanted.asset}:{self._part(entry)}"
        note = self._note(entry)
        mark = fingerprint(
            (
                ("op", "spend" if entry.verb is Verb.SPEND else "grant"),
                ("customer", entry.customer),
                ("asset", self._wanted.asset),
                ("amount", entry.units),
                ("reason", note.reason),
                ("reference", note.reference),
                ("metadata", note.metadata),
            )
        )
        return Keyed(entry, request_id(self._book, key), mark, note)

    def _part(self, entry: Entry) -> str:
        if entry.verb is Verb.OPENING:
            return f"opening:{entry.customer}"
        if entry.id is not None:
            return f"id:{entry.id}"
        place = self._places[entry.customer] = self._places.get(entry.customer, 0) + 1
        return f"nth:{place}:{entry.customer}"

    def _note(self, entry: Entry) -> Note:
        """What is said about a movement. It never depends on a language, a clock or a file's name.

        The movement happens now, by the database's clock; when it happened in the other system
        stands beside it.
        """
        more = {"import": self._wanted.source}
        if entry.at is not None:
            more["happened_at"] = entry.at
        metadata = json.dumps(more, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        if entry.verb is Verb.OPENING:
            reference = f"import:{self._wanted.source}"
            return Note(entry.reason or _OPENING_REASON, entry.reference or reference, metadata)
        return Note(entry.reason, entry.reference, metadata)
