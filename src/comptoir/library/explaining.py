"""From what explains a balance to the library's answers."""

from comptoir.domains.credits import story
from comptoir.domains.credits.words import Teller
from comptoir.kit.ids import hold_name, movement_name
from comptoir.ledger.model import Held, Lot
from comptoir.library import answers
from comptoir.library.showing import balance, decimal, moment
from comptoir.store.facts import Asset


def explanation(of: story.Explanation, account: int, teller: Teller) -> answers.Explanation:
    """A balance with what makes it."""
    asset = of.balance.asset
    return answers.Explanation(
        at=moment(of.at),
        balance=balance(of.balance.owner, asset, of.balance),
        lots=tuple(_lot(account, asset, lot, origin) for lot, origin in of.lots),
        holds=tuple(_hold(account, asset, held, purpose) for held, purpose in of.holds),
        holds_left_out=of.holds_left_out,
        movements=tuple(_movement(asset, told, teller) for told in of.movements),
        opening=decimal(of.opening, asset.scale),
        closing=decimal(of.closing, asset.scale),
        more=of.more,
    )


def _lot(account: int, asset: Asset, lot: Lot, origin: story.Origin) -> answers.ExplainedLot:
    return answers.ExplainedLot(
        id=_lot_name(account, lot.no),
        source=lot.source,
        granted=decimal(lot.granted, asset.scale),
        left=decimal(lot.left, asset.scale),
        pinned=decimal(lot.pinned, asset.scale),
        priority=lot.priority,
        expires_at=None if lot.expires_at is None else moment(lot.expires_at),
        reference=origin.reference,
        reason=origin.reason,
        movement=movement_name(account, origin.version),
        at=moment(origin.at),
    )


def _hold(account: int, asset: Asset, held: Held, purpose: story.Purpose) -> answers.ExplainedHold:
    return answers.ExplainedHold(
        id=hold_name(held.id),
        amount=decimal(held.amount, asset.scale),
        captured=decimal(held.captured, asset.scale),
        expires_at=None if held.expires_at is None else moment(held.expires_at),
        reason=purpose.reason,
        reference=purpose.reference,
        movement=movement_name(account, purpose.version),
        at=moment(purpose.at),
    )


def _movement(asset: Asset, told: story.Told, teller: Teller) -> answers.ExplainedMovement:
    line, asked = told.line, told.asked
    return answers.ExplainedMovement(
        id=movement_name(line.account, line.version),
        seq=line.version,
        kind=line.kind,
        amount=decimal(line.amount, asset.scale),
        before=decimal(told.before, asset.scale),
        after=decimal(line.posted, asset.scale),
        reason=asked.reason,
        reference=asked.reference,
        at=moment(line.at),
        text=teller.tell(told),
        held=decimal(line.held, asset.scale),
        debt=decimal(line.debt, asset.scale),
        request=asked.op,
        action=asked.action,
        model=asked.model,
        other=asked.other,
        hold=hold_name(line.hold) if line.hold else None,
        late=asked.late,
        reverses=movement_name(line.account, line.reverses) if line.reverses else None,
        lots=tuple(_part(line.account, asset, origin, part) for origin, part in told.lots),
        lots_left_out=len(line.lots) - len(told.lots),
    )


def _part(account: int, asset: Asset, origin: story.Origin, part: int) -> answers.LotPart:
    return answers.LotPart(
        lot=_lot_name(account, origin.no),
        source=origin.source,
        amount=decimal(part, asset.scale),
        reason=origin.reason,
        reference=origin.reference,
        movement=movement_name(account, origin.version),
        at=moment(origin.at),
    )


def _lot_name(account: int, no: int) -> str:
    return f"lot_{account}_{no}"
