"""What the verbs run on: one book of an App, through the group commit or inside a transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from comptoir.app import App
from comptoir.domains.credits import deciding
from comptoir.domains.credits.commands import Built
from comptoir.domains.credits.model import Ask, Price
from comptoir.kit.errors import NotFound
from comptoir.ledger.model import Answer, Line
from comptoir.library.asking import asked
from comptoir.library.refusals import missed, refused
from comptoir.library.requests import Request
from comptoir.store.door import Door
from comptoir.store.facts import Asset
from comptoir.store.joined import Fetch


@dataclass(frozen=True, slots=True)
class Done:
    """A request that happened: what was asked, what it meant, and its line of the journal."""

    ask: Ask
    built: Built
    answer: Answer
    line: Line


@dataclass(frozen=True, slots=True)
class Engine:
    """Where verbs are decided.

    Attributes:
        app: pools, names, prices.
        book: the surrogate id of the book.
        door: the way into the ledger.
        fetch: reads rows as the door sees them.
    """

    app: App
    book: int
    door: Callable[[], Awaitable[Door]]
    fetch: Fetch

    async def decide(self, request: Request) -> Done:
        """Let the ledger decide one request.

        Raises:
            Refused: it does not happen.
            Invalid: it could not be accepted in any state of the books.
            NotFound: it names an asset or an action that the book does not have.
            Unavailable: nobody can decide now.
        """
        ask = asked(request)
        door = await self.door()
        try:
            built, answer = await deciding.decide(door, self.price_of, ask)
        except NotFound as error:
            raise missed(error) from None
        if answer.line is None:
            raise refused(answer, built.asset)
        return Done(ask, built, answer, answer.line)

    async def price_of(self, asset: Asset, action: str) -> Price:
        """The price of an action in force."""
        return await self.app.price(self.book, asset, action)
