"""What is sold in sizes, and what an order is. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final
from uuid import UUID

from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.ledger.model import Kind

ASSET: Final = "stock"
PREFIX: Final = "stock:"
LINES: Final = 100
"""Lines of an order at most."""

QUANTITY: Final = 1_000_000
"""Of a line at most."""

AMOUNT: Final = 10**12
"""Of an order at most, in minor units."""

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Of a product."""

SIZE_PATTERN: Final = r"^[^\x00-\x1f\x7f:]{1,40}$"


class OrderStatus(StrEnum):
    """What became of an order."""

    RESERVED = "reserved"
    PAID = "paid"
    FULFILLED = "fulfilled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


SOLD: Final = frozenset({OrderStatus.PAID, OrderStatus.FULFILLED, OrderStatus.DISPUTED})
"""Its goods are the buyer's."""


class Origin(StrEnum):
    """Who is paid for an order."""

    CHECKOUT = "checkout"
    """We are: a payment of the same id says what became of the money."""
    CALLER = "caller"
    """The caller is, and tells us when."""


class OnRefund(StrEnum):
    """What becomes of goods whose money goes back before they were sent."""

    RESTOCK = "restock"
    KEEP = "keep"


class MovementType(StrEnum):
    """What a movement of stock is."""

    SALE = "sale"
    RESTOCK = "restock"
    RETURN = "return"
    ADJUSTMENT = "adjustment"


def account_name(product: str, size: str) -> str:
    """How the account of a size is called."""
    return f"{PREFIX}{product}:{size}"


@dataclass(frozen=True, slots=True)
class Size:
    """A size of a product, with its figures as of the last commit.

    Attributes:
        stock: how many there are, set aside or not.
        reserved: how many of them are set aside.
        low_at: it is low when no more than so many are available.
    """

    product: str
    size: str
    account: int
    stock: int
    reserved: int
    low_at: int

    @property
    def available(self) -> int:
        """What can be sold now."""
        return self.stock - self.reserved

    @property
    def is_low(self) -> bool:
        """Whether it is time to order more."""
        return self.available <= self.low_at


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold, with its sizes. The price is in minor units.

    Attributes:
        on_refund: what becomes of its goods when their money goes back before they were sent.
    """

    product: str
    name: str
    amount: int
    currency: str
    on_refund: OnRefund
    sizes: Sequence[Size] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What somebody wants."""

    product: str
    size: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order.

    Attributes:
        unit_amount: the price of one, as it was when the order was made.
        returned: how many came back.
    """

    no: int
    product: str
    size: str
    account: int
    quantity: int
    unit_amount: int
    on_refund: OnRefund
    returned: int = 0

    @property
    def amount(self) -> int:
        """What the line costs."""
        return self.quantity * self.unit_amount

    @property
    def left(self) -> int:
        """How many have not come back."""
        return self.quantity - self.returned


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Times are microseconds.

    Attributes:
        number: given when it is paid; a caller's own may be anything.
        cart: what is wanted for which prices, as a digest; the same buyer's retry has the same.
        hold: the first of its holds, by which all of them go.
        cancels: a payment that fails ends it.
        has_pass: a guest's: whoever shows what opens it may see it.
        failures: payments that have failed.
        tries: how often somebody began to close it.
    """

    book: int
    id: UUID
    origin: Origin
    status: OrderStatus
    number: str | None
    reference: str | None
    customer: int | None
    email: str | None
    amount: int
    currency: str | None
    hold: bytes
    cancels: bool
    guest_pass: bytes | None
    failures: int
    created_at: int
    expires_at: int
    tries: int
    paid_at: int | None
    fulfilled_at: int | None
    ended_at: int | None

    @property
    def is_reserved(self) -> bool:
        """Whether its goods are set aside, and nothing else is decided."""
        return self.status is OrderStatus.RESERVED


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of stock: what there was before and after."""

    account: int
    version: int
    product: str
    size: str
    type: MovementType
    quantity: int
    before: int
    after: int
    reason: str | None
    reference: str | None
    order_reference: str | None
    at: int


class InsufficientStock(ComptoirError):
    """Less can be sold than is wanted.

    Attributes:
        replayed: it was so when the key was first used.
    """

    def __init__(
        self, wanted: Item, available: int, retry: str | None = None, *, replayed: bool = False
    ) -> None:
        more = {} if retry is None else {"retry": retry}
        super().__init__(
            "insufficient-stock", product=wanted.product, size=wanted.size,
            wanted=wanted.quantity, available=available, **more,
        )  # fmt: skip
        self.replayed = replayed


def gathered(items: Sequence[Item]) -> list[Item]:
    """The same things, each product and size once.

    Raises:
        Invalid: that is more of one than anybody sells at once.
    """
    sums: dict[tuple[str, str], int] = {}
    for each in items:
        place = (each.product, each.size)
        sums[place] = sums.get(place, 0) + each.quantity
    for quantity in sums.values():
        if quantity > QUANTITY:
            raise Invalid("quantity-too-large", field="items", most=QUANTITY)
    return [Item(*place, quantity) for place, quantity in sums.items()]


def cart_mark(customer: int | None, lines: Sequence[Line]) -> bytes:
    """A digest of who wants what for which prices: equal for a retry, whatever its order."""
    wanted = sorted((each.account, each.quantity, each.unit_amount) for each in lines)
    return blake2b(repr((customer, wanted)).encode(), digest_size=16, person=b"cart").digest()


def type_of(kind: Kind, amount: int, said: str | None) -> MovementType:
    """What a line of the journal of a size is; `said` is what its note says of it."""
    if said in MovementType.__members__.values():
        return MovementType(said)
    if kind in {Kind.CAPTURE, Kind.SPEND}:
        return MovementType.SALE
    return MovementType.RESTOCK if kind is Kind.GRANT and amount > 0 else MovementType.ADJUSTMENT


def number_of(year: int, no: int) -> str:
    """The number of the so-manieth order that was paid in a year."""
    return f"ORD-{year}-{no:06d}"


SALE_REASON: Final = "Vente - Commande {number}"
"""Why stock went down, in the words of the seed."""
