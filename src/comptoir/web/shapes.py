"""What goes out, for the OpenAPI document. Answers themselves are built by views.py, unchecked."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from comptoir.kit.limits import LIST_MAX

T = TypeVar("T")

Figure = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["95"])]
Moment = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:00:00.000000Z"])
]
HoldName = Annotated[str, Field(pattern="^hold_[0-9a-f]{32}$")]
MovementName = Annotated[str, Field(pattern="^mv_[0-9]+_[0-9]+$", examples=["mv_17_4"])]


class ChangedShape(BaseModel):
    """Something has changed in the book: read again what is shown of it."""

    at: Moment


class BalanceShape(BaseModel):
    """What an account has. A stock account has `account` in place of `customer`."""

    customer: str | None = None
    account: str | None = None
    asset: str
    balance: Figure
    held: Figure
    available: Figure
    debt: Figure
    low: bool
    low_threshold: Figure
    version: int
    updated_at: Moment | None


class MovementShape(BaseModel):
    """One line of the journal; amounts are signed."""

    id: MovementName
    seq: int
    kind: Annotated[str, Field(examples=["spend"], description="An open list: expect new kinds.")]
    amount: Figure
    before: Figure
    after: Figure
    reason: str | None
    reference: str | None
    at: Moment


class HoldShape(BaseModel):
    """An amount that is set aside."""

    id: HoldName
    asset: str
    customer: str | None = None
    account: str | None = None
    amount: Figure
    captured: Figure
    state: Annotated[str, Field(examples=["open"], description="open, captured, released, expired")]
    expires_at: Moment | None
    group: HoldName | None


class LotShape(BaseModel):
    """A part of a balance with one origin."""

    id: str
    source: str
    granted: Figure
    left: Figure
    pinned: Figure
    priority: int
    expires_at: Moment | None
    reference: str | None


class PriceShape(BaseModel):
    """What an action costs."""

    action: str
    asset: str
    amount: Figure
    real_cost: Figure | None
    version: int
    created_at: Moment


class CustomerShape(BaseModel):
    """A customer with his personal fields."""

    customer: str
    plan: str
    time_zone: str
    locale: str
    email: str | None
    name: str | None
    metadata: dict[str, str]
    created_at: Moment


class PaidShape(BaseModel):
    """What was paid for a lot, in minor units."""

    amount: int
    tax: int
    currency: str


class PastLotShape(LotShape):
    """A lot, used up or not."""

    paid: PaidShape | None


class PastHoldShape(BaseModel):
    """A hold, ended or not."""

    id: HoldName
    amount: Figure
    captured: Figure
    state: str
    expires_at: Moment | None
    group: HoldName | None
    on_excess: str
    opened_at: Moment


class MemoShape(BaseModel):
    """What a movement cost."""

    action: str | None
    quantity: int
    model: str | None
    cost: Figure | None


class PastMovementShape(MovementShape):
    """A line of the journal with everything that was written down about it."""

    metadata: dict[str, str] | None
    held: Figure
    debt: Figure
    hold: HoldName | None
    reverses: MovementName | None
    memo: MemoShape | None


class PastAccountShape(BaseModel):
    """An account from its beginning; lists are oldest first."""

    balance: BalanceShape
    lots: list[PastLotShape]
    holds: list[PastHoldShape]
    movements: list[PastMovementShape]


class LeftShape(BaseModel):
    """What an anonymous account still holds."""

    asset: str
    balance: Figure


class ErasedShape(BaseModel):
    """What an erasure did: texts that are gone, lines and balances that stay without a name."""

    erased_at: Moment
    movements: int
    notes: int
    left: list[LeftShape]


class KeyShape(BaseModel):
    """A key without its secret."""

    id: str
    role: str
    name: str
    book: str
    hint: str
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None


class NewKeyShape(KeyShape):
    """A key with its secret, which is shown this once."""

    key: Annotated[str, Field(pattern="^ck_(live|test)_(op|svc)_[A-Za-z0-9_-]{43}$")]


class RotatedShape(NewKeyShape):
    """The key that takes the place of another, and that one with its end."""

    replaced: KeyShape


class ResetShape(BaseModel):
    """What a reset took away."""

    book: str
    reset_at: Moment
    customers: int
    accounts: int
    movements: int


class TokenShape(BaseModel):
    """A customer token."""

    token: str
    customer: str
    expires_at: Moment


class AssetShape(BaseModel):
    """What is counted, and its decimals."""

    code: str
    scale: int


class Moved(BaseModel):
    """A movement, and the balance right after it."""

    movement: MovementShape
    balance: BalanceShape


class Captured(Moved):
    """A movement of a hold; `late` when the hold had expired."""

    late: bool


class HoldMade(BaseModel):
    """A hold, and the balance right after."""

    hold: HoldShape
    balance: BalanceShape


class Transferred(BaseModel):
    """A transfer: its movement on the giving side, and both balances."""

    movement: MovementShape
    source: Annotated[BalanceShape, Field(alias="from")]
    target: Annotated[BalanceShape, Field(alias="to")]


class ProblemShape(BaseModel, extra="allow"):
    """A problem (RFC 9457). Some codes come with more fields."""

    type: Annotated[str, Field(examples=["/problems/insufficient-credits"])]
    title: str
    status: int
    code: Annotated[str, Field(pattern="^[a-z]+(-[a-z]+)*$")]
    detail: str
    instance: str


class ResultShape(BaseModel):
    """What became of one request of a batch."""

    outcome: Annotated[str, Field(examples=["created"], description="An open list.")]
    movement: MovementShape | None = None
    hold: HoldShape | None = None
    balance: BalanceShape | None = None
    late: bool | None = None
    replayed: bool | None = None
    problem: ProblemShape | None = None


class Results(BaseModel):
    """What became of a batch, in its order."""

    results: list[ResultShape]


class DriftShape(BaseModel):
    """A row that does not agree with the journal."""

    check: str
    table: str
    row: str
    detail: str


class Verified(BaseModel):
    """Whether the books balance."""

    balanced: bool
    accounts: int
    movements: int
    drift: list[DriftShape]
    truncated: bool
    checked_at: Moment


class Listed(BaseModel, Generic[T]):
    """A page of a list; the next one has the cursor."""

    items: Annotated[list[T], Field(max_length=LIST_MAX)]
    next_cursor: str | None


class OriginShape(BaseModel):
    """The movement that made a lot; its texts are null once erased."""

    lot: str
    source: str
    reason: str | None
    reference: str | None
    movement: MovementName
    at: Moment


class PartShape(OriginShape):
    """A lot that a movement changed, and by how much."""

    amount: Figure


class OpenLotShape(LotShape):
    """A lot that was open, and where it came from."""

    reason: str | None
    movement: MovementName
    at: Moment


class OpenHoldShape(BaseModel):
    """A hold that was open."""

    id: HoldName
    amount: Figure
    captured: Figure
    reason: str | None
    reference: str | None
    movement: MovementName
    at: Moment
    expires_at: Moment | None


class ReversedShape(BaseModel):
    """The movement that a reversal undid."""

    id: MovementName
    kind: str
    amount: Figure
    reason: str | None
    reference: str | None
    at: Moment


class ExplainedShape(MovementShape):
    """A movement in words, and all that it names."""

    text: Annotated[str, Field(description="In the reader's language.")]
    held: Figure
    debt: Figure
    request: Annotated[str | None, Field(description="The verb; null for an expiry.")]
    action: str | None
    model: str | None
    other: Annotated[str | None, Field(description="The other side of a transfer.")]
    hold: HoldName | None
    late: bool
    reverses: ReversedShape | None
    lots: list[PartShape]
    lots_left_out: int


class ExplanationShape(BaseModel):
    """A balance as it was at a moment; opening_balance and the amounts make closing_balance."""

    at: Moment
    balance: BalanceShape
    lots: list[OpenLotShape]
    holds: list[OpenHoldShape]
    holds_left_out: int
    movements: Annotated[list[ExplainedShape], Field(max_length=LIST_MAX)]
    opening_balance: Figure
    closing_balance: Figure
    next_cursor: str | None


class Status(BaseModel):
    """How the process is."""

    status: Literal["live", "ready"]
    database: str | None = None
    redis: Literal["unset", "up", "down"] | None = None
    migration: str | None = None
