"""From a body to what the ledger is asked, the same way for single requests and for batches."""

from typing import Any, Final

from pydantic import BaseModel

from comptoir.domains.credits import deciding
from comptoir.domains.credits.commands import Built, canonical, place
from comptoir.domains.credits.model import Ask, Op
from comptoir.ledger.model import Answer
from comptoir.web.call import Call

_ASKED: Final = frozenset(Ask.__struct_fields__) - {"op", "key", "metadata"}
_FIELDS: Final[dict[type[BaseModel], tuple[str, ...]]] = {}


def asked(op: Op, key: str, body: BaseModel, **more: Any) -> Ask:  # noqa: ANN401  # fields of Ask
    """What a body asks. Defaults are written out, so that saying one changes no fingerprint."""
    kind = type(body)
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = tuple(n for n in kind.model_fields if n in _ASKED)
    said = body.__dict__
    fields: dict[str, Any] = {name: said[name] for name in names} | more
    if op is not Op.TRANSFER and fields.get("customer") and fields.get("account") is None:
        fields["customer"], fields["account"] = place(fields["customer"], fields["asset"])
    return Ask(op=op, key=key, metadata=canonical(said.get("metadata")), **fields)


async def decide(call: Call, ask: Ask) -> tuple[Built, Answer]:
    """Let the ledger decide one request.

    Raises:
        ComptoirError: a name is not known, or nobody can decide now.
    """
    app, book = call.app, call.actor.book
    door = await app.door(book)
    return await deciding.decide(door, lambda asset, action: app.price(book, asset, action), ask)
