"""Whom a reading call is about, and how much it may ask for."""

from comptoir.domains.credits.commands import CREDITS, STOCK, place
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import LIST_MAX
from comptoir.library.asking import check_text
from comptoir.library.engine import Engine
from comptoir.store.facts import Asset


async def place_of(engine: Engine, customer: str, asset: str | None) -> tuple[str, int, Asset]:
    """The owner, his account (0 if it was never used), and its asset.

    Raises:
        Invalid: a name is not what it must be.
        NotFound: there is no such asset.
    """
    owner = check_text("customer", customer)
    code = None if asset is None else check_text("asset", asset)
    directory, book = engine.app.directory, engine.book
    name, account = place(owner, code)
    if name is not None:
        kind = await directory.asset(book, code or CREDITS)
        return owner, await directory.find_account(book, kind, name) or 0, kind
    kind = await directory.asset(book, STOCK)
    return owner, await directory.find_named(book, kind, account or owner) or 0, kind


def check_limit(limit: int) -> int:
    """How many, at most.

    Raises:
        Invalid: none, or more than a list may have.
    """
    if isinstance(limit, bool) or not 0 < limit <= LIST_MAX:
        raise Invalid("field-invalid", field="limit")
    return limit
