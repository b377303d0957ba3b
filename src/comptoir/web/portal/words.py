"""A movement in a few words, for whoever it belongs to."""

from comptoir.domains.credits.statement import Entry
from comptoir.ledger.model import Kind
from comptoir.store.facts import Asset
from comptoir.web.portal.look import OwnLook


def told(look: OwnLook, of: Entry, asset: Asset) -> str:
    """What happened, in a few words."""
    kind = of.kind.value
    if of.kind is Kind.TRANSFER:
        kind = "transfer-in" if of.amount > 0 else "transfer-out"
    key = f"kind.{kind}"
    held = of.hold if of.kind is Kind.CAPTURE and of.hold is not None else abs(of.set_aside)
    back = look.of_asset(of.given_back, asset.scale, asset.code)
    said = look.t(
        key if look.has(key) else "kind.adjustment",
        held=look.of_asset(held, asset.scale, asset.code), back=back,
    )  # fmt: skip
    if of.kind is Kind.CAPTURE and of.given_back:
        said = f"{said}, {look.t('back', back=back)}"
    return said


def why(of: Entry) -> str:
    """What was said of it, by whoever asked for it."""
    times = f" × {of.quantity}" if of.action and of.quantity > 1 else ""
    said = (f"{of.action or ''}{times}", of.reason or of.hold_reason or "")
    return " · ".join(each for each in said if each)
