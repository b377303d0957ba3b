"""Where a customer comes back to from the page on which he has paid, or has not."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Annotated, Final

from pydantic import BaseModel, Field

from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.languages import Texts, pick
from comptoir.web.replies import Reply
from comptoir.web.routing import PUBLIC, Operation

_STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
)
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
    canceled: Annotated[str, Field(pattern="^1$")] | None = None


class PageShape(BaseModel):
    """A page for people."""


async def come_back(call: Call, query: ReturnQuery) -> Reply:
    """GET /return: says the same to everybody; more is for whoever has a key."""
    title, text = (_BACK, _NOT_PAID) if query.canceled else (_THANKS, _PAID)
    language = call.language
    heading = escape(pick(title, language))
    page = (
        f"<!doctype html><html lang={language}><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'>"
        f"<title>{heading}</title><style>{_STYLE}</style>"
        f"<body><main><h1>{heading}</h1><p>{escape(pick(text, language))}</p></main></body></html>"
    )
    reply = Reply(200, page.encode(), b"text/html; charset=utf-8")
    reply.headers += [
        (b"content-security-policy", _POLICY),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"content-language", language.encode()),
        (b"vary", b"Accept-Language"),
    ]
    return reply


def _policy() -> bytes:
    """Nothing runs and nothing is loaded; of styles only the one that is written here counts."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ).encode()


_POLICY: Final = _policy()

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
