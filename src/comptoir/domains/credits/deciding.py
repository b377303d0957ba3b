"""Letting the ledger decide what callers ask, also while accounts go away underneath.

The directory remembers which account a name means. When its customer has been erased since, or its
test book reset, the ledger refuses the request before anything happens; then the name is looked up
again, and means somebody new. A request that was decided before is answered as it was: it never
opens an account.
"""

from typing import Final

from comptoir.domains.credits.commands import Built, PriceOf, build
from comptoir.domains.credits.model import Ask
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.store.door import Door

TRIES: Final = 3
"""How often names are looked up; whoever is erased or reset more often than that is refused."""


async def decide(door: Door, price_of: PriceOf, ask: Ask) -> tuple[Built, Answer]:
    """Let the ledger decide one request.

    Raises:
        ComptoirError: a name is not known, or nobody can decide now.
    """
    built = await build(door, price_of, ask)
    [answer] = await door.submit((built.request,))
    for _ in range(TRIES - 1):
        if not is_gone(answer):
            break
        forget(door, built)
        built = await build(door, price_of, ask)
        [answer] = await door.submit((built.request,))
    return built, answer


def is_gone(answer: Answer) -> bool:
    """Whether the account that a name was thought to mean is nobody's any more."""
    return answer.outcome is Outcome.ACCOUNT_NOT_FOUND


def forget(door: Door, built: Built) -> None:
    """Have the names of a request looked up again."""
    for owner in (built.owner, built.target):
        if owner is not None:
            door.directory.forget(door.book, built.asset, owner)
