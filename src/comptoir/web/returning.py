"""Where a customer comes back to from the page on which he has paid, or has not."""

from html import escape
from typing import Annotated, Final

from pydantic import BaseModel, Field

from comptoir.web import reference, wire
from comptoir.web.call import Call
from comptoir.web.languages import Texts, pick
from comptoir.web.replies import Reply
from comptoir.web.routing import PUBLIC, Operation

_THANKS: Final[Texts] = ("Thank you", "Merci")
_PAID: Final[Texts] = (
    (
        "Your payment is being confirmed. You may close this page: what you have bought arrives by "
        "itself, usually within a second."
    ),
    (
        "Votre paiement est en cours de confirmation. Vous pouvez fermer cette page : votre achat "
        "arrive de lui-même, en général en moins d'une seconde."
    ),
)
_BACK: Final[Texts] = ("Nothing was paid", "Rien n'a été payé")
_NOT_PAID: Final[Texts] = (
    "You have left the payment page. Nothing was charged.",
    "Vous avez quitté la page de paiement. Rien n'a été débité.",
)


class ReturnQuery(wire.Wire):
    """What he comes back from."""

    purchase: Annotated[str, wire.text(50)] | None = None
    plan: Annotated[str, wire.text(50)] | None = None
    order: Annotated[str, wire.text(50)] | None = None
    canceled: Annotated[str, Field(pattern="^1$")] | None = None


class PageShape(BaseModel):
    """A page for people."""


async def come_back(call: Call, query: ReturnQuery) -> Reply:
    """GET /return: says the same to everybody; more is for whoever has a key."""
    title, text = (_BACK, _NOT_PAID) if query.canceled else (_THANKS, _PAID)
    language = call.language
    content = f"<p>{escape(pick(text, language))}</p>"
    return reference.page(pick(title, language), content, language)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/return",
        handler=come_back,
        summary=("Come back from paying", "Revenir du paiement"),
        tag="payments",
        roles=PUBLIC,
        query=ReturnQuery,
        answer=PageShape,
    ),
)
