"""All that the sandbox knows: objects as they go out, what it keeps to itself of them, and events.

Everything happens in one task of one event loop, and nothing awaits in the middle of a change: each
request sees the world as the one before has left it.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from heapq import heappush
from typing import Any, Final

from comptoir_sandbox import API_VERSION
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused, not_found

_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH: Final = 24
_SECRET: Final = 25

EVENTS_KEPT: Final = 30 * 86_400
"""Seconds for which events can be listed, as at the real one."""


@dataclass(slots=True)
class Request:
    """Whose doing something is: events say it."""

    id: str | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class World:
    """The state of one account.

    Attributes:
        clock: seconds since 1970.
        randomness: so many bytes that nobody foresees.
        base: the address at which people find our pages.
        shift: seconds by which somebody has moved the clock on.
        objects: everything that has an id, as it goes out; kinds: their ids by kind, oldest first.
        notes: what is nobody's business of an object, by its id.
        dirty: ids of what has changed since it was last kept.
        posted: ids of events that are to be delivered.
        due: a heap of when which object is to be looked at again.
    """

    clock: Callable[[], float]
    randomness: Callable[[int], bytes]
    base: str = ""
    shift: int = 0
    objects: dict[str, Object] = field(default_factory=dict[str, Object])
    kinds: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])
    notes: dict[str, Object] = field(default_factory=dict[str, Object])
    dirty: dict[str, None] = field(default_factory=dict[str, None])
    posted: list[str] = field(default_factory=list[str])
    due: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    request: Request = field(default_factory=Request)

    def now(self) -> int:
        """The moment that it is here."""
        return int(self.clock()) + self.shift

    def now_of(self, customer: str | None) -> int:
        """The moment that it is for a customer, who may live by a test clock."""
        found = self.objects.get(customer or "", {})
        clock = self.objects.get(found.get("test_clock") or "")
        return self.now() if clock is None else clock["frozen_time"]

    def new_id(self, prefix: str) -> str:
        """A name that nothing else has."""
        return f"{prefix}_{self.letters(_LENGTH)}"

    def secret(self, id_: str) -> str:
        """The client's secret of an object."""
        return f"{id_}_secret_{self.letters(_SECRET)}"

    def letters(self, count: int) -> str:
        """So many letters and digits."""
        return "".join(_LETTERS[byte % len(_LETTERS)] for byte in self.randomness(count))

    def add(self, made: Object, **notes: Any) -> Object:  # noqa: ANN401  # whatever is to be noted
        """Put a new object into the world; what is noted of it goes out to nobody."""
        self.kinds.setdefault(made["object"], {})[made["id"]] = None
        self.objects[made["id"]] = made
        if notes:
            self.notes[made["id"]] = notes
        return self.changed(made)

    def changed(self, made: Object) -> Object:
        """Note that an object, or what is noted of it, is not as it was."""
        self.dirty[made["id"]] = None
        return made

    def note(self, id_: str) -> Object:
        """What is noted of an object; for changing, too."""
        self.dirty[id_] = None
        return self.notes.setdefault(id_, {})

    def later(self, at: int, id_: str) -> None:
        """Look at an object again when it is that time."""
        heappush(self.due, (at, id_))

    def find(self, kind: str, id_: str, param: str = "id") -> Object:
        """An object by its id.

        Raises:
            Refused: there is none.
        """
        found = self.objects.get(id_)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise not_found(kind.rpartition(".")[2], id_, param)
        return found

    def all(self, kind: str) -> Iterator[Object]:
        """The objects of a kind, the newest first; those that were deleted left out."""
        for id_ in reversed(list(self.kinds.get(kind, {}))):
            if not self.objects[id_].get("deleted"):
                yield self.objects[id_]

    def emit(self, type_: str, of: Object, previous: Object | None = None) -> Object:
        """Let it be known that something has happened to an object."""
        inner: Object = {"object": deepcopy(of)}
        if previous is not None:
            inner["previous_attributes"] = deepcopy(previous)
        event: Object = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": inner,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {
                "id": self.request.id,
                "idempotency_key": self.request.idempotency_key,
            },
            "type": type_,
        }
        self.posted.append(event["id"])
        return self.add(event)

    def update(self, of: Object, event: str, **fields: Any) -> Object:  # noqa: ANN401  # fields of objects
        """Change an object, and let it be known with what was there before."""
        before = {name: deepcopy(of.get(name)) for name in fields if of.get(name) != fields[name]}
        of.update(fields)
        self.changed(of)
        self.emit(event, of, before)
        return of


def merged(old: dict[str, str], said: dict[str, str]) -> dict[str, str]:
    """Metadata after an update: an empty text takes a name away.

    Raises:
        Refused: there would be too many.
    """
    found = {key: value for key, value in {**old, **said}.items() if value != ""}
    if len(found) > 50:  # noqa: PLR2004  # Stripe's own limit
        raise Refused("You can only set up to 50 metadata keys", param="metadata")
    return found
