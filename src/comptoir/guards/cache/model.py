"""What a cache keeps: JSON, under a generation of its group, for a time that must be said."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from comptoir.guards.names import named
from comptoir.kit.errors import Invalid

VALUE_BYTES: Final = 1024 * 1024
TTL_LEAST: Final = 0.1
TTL_MOST: Final = 7 * 86_400.0
GENERATION_BYTES: Final = 8
_FRESH_BYTES: Final = 8
_HEAD: Final = GENERATION_BYTES + _FRESH_BYTES


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: a key of a group. What is said of the group holds for all its keys."""

    group: str
    key: str

    @classmethod
    def of(cls, key: str, group: str | None) -> "Place":
        """A place by its key; without a group it is a group of its own.

        Raises:
            Invalid: one of them cannot be a name.
        """
        named("key", key)
        return cls(named("group", group) if group is not None else key, key)


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a place.

    Attributes:
        generation: the group's; None when nobody has made one.
        payload: what was kept under it; None when nothing was, or it is of another one.
        fresh_until: microseconds since 1970 after which it is stale.
    """

    generation: bytes | None
    payload: bytes | None = None
    fresh_until: int = 0


class Store(Protocol):
    """Keeps values by place. Forgetting a group makes whatever was kept under it unreadable."""

    async def look(self, place: Place) -> Found:
        """What is there."""
        ...

    async def begin(self, place: Place) -> bytes:
        """The generation of a group, made if there is none: whoever fills a place says it."""
        ...

    async def keep(self, place: Place, kept: bytes, seconds: float) -> None:
        """Keep what `pack` has made, for so long."""
        ...

    async def forget(self, group: str) -> None:
        """Make everything of a group unreadable, in one step, however much it is."""
        ...

    async def may_fill(self, place: Place, seconds: float) -> bool:
        """Whether this caller is to fill a place; of several processes one is."""
        ...

    async def filled(self, place: Place) -> None:
        """Let another caller fill a place."""
        ...

    async def sweep(self, pattern: str) -> int:
        """Forget what has keys like a glob; returns how many there were."""
        ...


def encode(value: object) -> bytes:
    """A value as it is kept.

    Raises:
        Invalid: it is too large, or nothing that JSON can say.
    """
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid("field-invalid", field="value") from error
    if len(text) > VALUE_BYTES:
        raise Invalid("field-invalid", field="value")
    return text


def decode(payload: bytes) -> Any:  # noqa: ANN401  # whatever JSON says
    """The value of what was kept."""
    return msgspec.json.decode(payload)


def pack(generation: bytes, payload: bytes, fresh_until: int) -> bytes:
    """A value with what it is valid under."""
    return generation + fresh_until.to_bytes(_FRESH_BYTES) + payload


def unpack(generation: bytes | None, kept: bytes | None) -> Found:
    """What is found; nothing when it was kept under another generation, or is none of ours."""
    if generation is None or kept is None or len(kept) <= _HEAD:
        return Found(generation)
    if kept[:GENERATION_BYTES] != generation:
        return Found(generation)
    fresh_until = int.from_bytes(kept[GENERATION_BYTES:_HEAD])
    return Found(generation, kept[_HEAD:], fresh_until)


def check_ttl(ttl: float, stale: float = 0.0) -> None:
    """See whether something can be kept for so long.

    Raises:
        Invalid: it cannot.
    """
    if not TTL_LEAST <= ttl <= TTL_MOST:
        raise Invalid("field-invalid", field="ttl")
    if not 0 <= stale <= TTL_MOST:
        raise Invalid("field-invalid", field="stale")
