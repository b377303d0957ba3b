"""Many requests at once: all or nothing, or each for itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from comptoir.domains.credits import deciding
from comptoir.domains.credits.commands import CREDITS, Built, PriceOf, build, check_chain
from comptoir.domains.credits.deciding import TRIES
from comptoir.domains.credits.model import Ask, Op
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.kit.ids import ID_BYTES, request_id
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Release, Request
from comptoir.store.door import Door


@dataclass(slots=True)
class Part:
    """One request on its way: what was asked, what it means, and what became of it."""

    ask: Ask
    built: Built | None = None
    error: ComptoirError | None = None
    answer: Answer | None = None

    @property
    def is_gone(self) -> bool:
        """Whether it named an account that is nobody's any more."""
        return self.answer is not None and deciding.is_gone(self.answer)


_BUILDERS: Final = 6
"""Names that are looked up at a time: fewer than the pool has connections."""

_NO_HOLD: Final = bytes(ID_BYTES)


async def _build(door: Door, price_of: PriceOf, parts: Sequence[Part]) -> None:
    """Look the names up, a few at a time: those that nobody has used yet take a while to open."""
    rest = iter(parts)

    async def work_off() -> None:
        for part in rest:
            try:
                part.built = await build(door, price_of, part.ask)
            except ComptoirError as error:
                part.error = error

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_BUILDERS):
            tasks.create_task(work_off())


def _forget(door: Door, parts: Sequence[Part]) -> None:
    for part in parts:
        if part.built is not None:
            deciding.forget(door, part.built)


async def _leave_to_ledger(door: Door, parts: Sequence[Part]) -> None:
    """Let the ledger itself miss holds that nobody has made.

    So the first refusal of the chain is the one that is told, and stored, whatever it is.
    """
    for part in parts:
        if part.error is not None and part.error.code == "hold-not-found":
            id_ = request_id(door.book, part.ask.key)
            asset = await door.directory.asset(door.book, CREDITS)
            part.built = Built(Release(id_, b"", _NO_HOLD), asset, None)
            part.error = None


async def decide_chain(
    door: Door, price_of: PriceOf, asks: Sequence[Ask]
) -> tuple[list[Part], bytes | None]:
    """Decide requests as one chain: all or nothing.

    Returns:
        What became of each, and the group that the chain's holds form if there are several.

    Raises:
        Invalid: two of them carry one key.
        Unavailable: nothing at all could be decided.
    """
    parts = [Part(ask) for ask in asks]
    for _ in range(TRIES):
        await _build(door, price_of, parts)
        await _leave_to_ledger(door, parts)
        await _submit_chain(door, parts)
        if not any(part.is_gone for part in parts):
            break
        _forget(door, parts)
    _raise_if_down(parts)
    return parts, _group(parts)


async def _submit_chain(door: Door, parts: Sequence[Part]) -> None:
    built = [part.built for part in parts if part.built is not None]
    check_chain(built)
    if len(built) == len(parts):
        answers = await door.submit(tuple(each.request for each in built))
        for part, answer in zip(parts, answers, strict=True):
            part.answer = answer
        return
    for part in parts:
        if part.built is not None:
            part.answer = _broken(part.built.request)


def _group(parts: Sequence[Part]) -> bytes | None:
    """The group that the holds of a chain form, if there are several."""
    built = [part.built for part in parts if part.built is not None]
    holds = [each.request.id for each in built if each.request.op == Op.HOLD]
    return holds[0] if len(holds) > 1 else None


def _broken(request: Request) -> Answer:
    return Answer(request.id, request.mark, request.op, Outcome.CHAIN_BROKEN)


async def decide_each(door: Door, price_of: PriceOf, asks: Sequence[Ask]) -> list[Part]:
    """Decide each for itself; they are queued in their order before the first is decided.

    Raises:
        Unavailable: nothing at all could be decided.
    """
    parts = waiting = [Part(ask) for ask in asks]
    for _ in range(TRIES):
        await _build(door, price_of, waiting)
        await _submit_each(door, waiting)
        waiting = [part for part in waiting if part.is_gone]
        if not waiting:
            break
        _forget(door, waiting)
    _raise_if_down(parts)
    return parts


async def _submit_each(door: Door, parts: Sequence[Part]) -> None:
    built = [(part, part.built.request) for part in parts if part.built is not None]
    results = await door.submit_each([(request,) for _, request in built])
    for (part, _), result in zip(built, results, strict=True):
        if isinstance(result, ComptoirError):
            part.error = result
        else:
            part.answer = result[0]


def _raise_if_down(parts: Sequence[Part]) -> None:
    """When nothing at all could be decided, the whole batch says so."""
    errors = [part.error for part in parts if isinstance(part.error, Unavailable)]
    if errors and len(errors) == len(parts):
        raise errors[0]
