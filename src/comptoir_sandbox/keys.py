"""Idempotency keys: the answer to the first request is the answer to every one that repeats it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from comptoir_sandbox.objects import is_list, is_object
from comptoir_sandbox.refused import IDEMPOTENCY, Refused

KEPT: Final = 24 * 3_600
LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes:
        mark: a digest of what was asked.
        request: the id of the first request.
    """

    mark: str
    status: int
    body: bytes
    request: str
    at: int


@dataclass(slots=True)
class Keys:
    """The answers of a day, by their keys; those under way are in `running`."""

    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    running: dict[str, str] = field(default_factory=dict[str, str])

    def before(self, key: str, mark: str, now: int) -> Answer | None:
        """The answer from before, if there is one.

        Raises:
            Refused: the key is that of something else, or that is under way.
        """
        if len(key) > LENGTH:
            raise Refused(f"Keys may have up to {LENGTH} characters.", type=IDEMPOTENCY)
        if key in self.running:
            _same(key, self.running[key], mark)
            raise Refused(
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                "idempotency_key_in_use", 409,
            )  # fmt: skip
        found = self.answers.get(key)
        if found is None:
            return None
        if found.at + KEPT < now:
            del self.answers[key]
            return None
        _same(key, found.mark, mark)
        return found

    def forget_old(self, now: int) -> None:
        """Answers of the day before."""
        for key in [key for key, each in self.answers.items() if each.at + KEPT < now]:
            del self.answers[key]


def mark_of(method: str, path: str, tree: Mapping[str, object]) -> str:
    """A digest of what is asked; the order of parameters is none of it."""
    return sha256(f"{method} {path} {_ordered(tree)!r}".encode()).hexdigest()


def _ordered(value: object) -> object:
    if is_object(value):
        return sorted((key, _ordered(each)) for key, each in value.items())
    if is_list(value):
        return [_ordered(each) for each in value]
    return value


def _same(key: str, there: str, here: str) -> None:
    if there != here:
        raise Refused(
            "Keys for idempotent requests can only be used with the same parameters they were first"
            f" used with. Try using a key other than '{key}' if you meant to execute a different"
            " request.",
            type=IDEMPOTENCY,
        )  # fmt: skip
