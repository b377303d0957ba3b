"""Who makes a call, for which book."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller may do: everything, a server's work for any customer, or his own."""

    OPERATOR = "operator"
    SERVICE = "service"
    CUSTOMER = "customer"
    GUEST = "guest"
    """Nobody that we know, without any key: where a shop's page is meant for strangers."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a call.

    Attributes:
        role: what the caller may do.
        book: the book that his key belongs to.
        name: what audit lines call him; never a secret.
        customer: the surrogate id of the one customer whom a customer token speaks for.
    """

    role: Role
    book: int
    name: str
    customer: int | None = None
