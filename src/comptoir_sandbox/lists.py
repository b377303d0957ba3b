"""Lists: the newest first, page by page, filtered as each kind can be."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from comptoir_sandbox.grammar import Check, Group, Values, integer, many, moment_range, text
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World

_LIMIT: Final = 10
_MOST: Final = 100
_OF_LIST: Final[Mapping[str, Check | Group]] = {
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
    "created": moment_range,
    "expand": many(text, 20),
}
Match = Callable[[World, Object, Any], bool]


@dataclass(frozen=True, slots=True)
class Listing:
    """How a kind is listed.

    Attributes:
        filters: what each parameter of its own must be, and which objects it lets through.
        has_times: whether it can be filtered by when they were created.
    """

    kind: str
    url: str
    filters: Mapping[str, tuple[Check, Match]] = field(
        default_factory=dict[str, tuple[Check, Match]]
    )
    has_times: bool = True

    @property
    def grammar(self) -> Group:
        """The parameters that its list takes."""
        fields = dict(_OF_LIST)
        if not self.has_times:
            del fields["created"]
        return Group(fields | {name: check for name, (check, _) in self.filters.items()})

    def page(self, world: World, given: Values) -> Object:
        """A page.

        Raises:
            Refused: a cursor is of nothing.
        """
        return self.of(world, world.all(self.kind), given)

    def of(self, world: World, found: Iterable[Object], given: Values) -> Object:
        """A page of these."""
        for name, value in given.items():
            if name in self.filters:
                match = self.filters[name][1]
                found = [each for each in found if match(world, each, value)]
        kept = [each for each in found if _is_within(each, given.get("created"))]
        return paged(kept, given, self.url)


def equal(name: str) -> tuple[Check, Match]:
    """A filter by a field that is equal."""
    return text, lambda _, found, value: found.get(name) == value


def paged(found: list[Object], given: Values, url: str) -> Object:
    """The page that the cursors ask for.

    Raises:
        Refused: a cursor names nothing in the list, or the limit cannot be.
    """
    limit = given.get("limit", _LIMIT)
    if not 1 <= limit <= _MOST:
        raise Refused(f"Invalid integer: limit must be between 1 and {_MOST}",
                      "parameter_invalid_integer", param="limit")  # fmt: skip
    ids = [each["id"] for each in found]
    first, last = 0, len(found)
    if "starting_after" in given:
        first = _position(ids, given["starting_after"], "starting_after") + 1
    if "ending_before" in given:
        last = _position(ids, given["ending_before"], "ending_before")
        first = max(first, last - limit)
    chosen = found[first : min(last, first + limit)]
    has_more = first > 0 if "ending_before" in given else first + limit < last
    return {"object": "list", "data": chosen, "has_more": has_more, "url": url}


def _position(ids: list[str], id_: str, param: str) -> int:
    if id_ not in ids:
        raise Refused(f"No such object: '{id_}'", "resource_missing", param=param)
    return ids.index(id_)


def _is_within(found: Object, bounds: Mapping[str, int] | None) -> bool:
    if not bounds:
        return True
    at = found["created"]
    return (
        bounds.get("gt", -1) < at
        and bounds.get("gte", -1) <= at < bounds.get("lt", at + 1)
        and at <= bounds.get("lte", at)
    )
