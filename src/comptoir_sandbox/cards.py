"""What each test card does, as Stripe's own list says it; and debits that take their time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """What a method of payment does when it is charged."""

    PAYS = "pays"
    DECLINES = "declines"
    ASKS = "asks"
    """It wants its owner to authenticate first (3-D Secure)."""
    TAKES_TIME = "takes-time"
    """The money comes days later, or does not."""


class Refunding(StrEnum):
    """What becomes of a refund to it."""

    AT_ONCE = "at-once"
    LATER = "later"
    FAILS_LATER = "fails-later"


@dataclass(frozen=True, slots=True)
class Card:
    """A method of payment for tests.

    Attributes:
        code: why it declines; decline: the bank's own word for it.
        succeeds: whether what takes time comes in the end.
        is_disputed: its owner will say that it was not he.
        is_refused: it cannot even be kept for a customer.
    """

    number: str
    brand: str = "visa"
    answer: Answer = Answer.PAYS
    code: str = "card_declined"
    decline: str | None = None
    message: str = "Your card was declined."
    succeeds: bool = True
    is_disputed: bool = False
    is_refused: bool = False
    refunding: Refunding = Refunding.AT_ONCE

    @property
    def last4(self) -> str:
        """Its last four digits."""
        return self.number[-4:]

    @property
    def is_debit(self) -> bool:
        """Whether it is an account's number and no card's."""
        return not self.number.isdigit()


def _declines(
    number: str, code: str, decline: str | None, message: str, *, is_refused: bool = False
) -> Card:
    return Card(
        number, answer=Answer.DECLINES, code=code, decline=decline, message=message,
        is_refused=is_refused,
    )  # fmt: skip


CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card("4242424242424242"),
    "pm_card_mastercard": Card("5555555555554444", "mastercard"),
    "pm_card_amex": Card("378282246310005", "amex"),
    "pm_card_visa_chargeDeclined": _declines(
        "4000000000000002", "card_declined", "generic_decline", "Your card was declined.",
        is_refused=True,
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declines(
        "4000000000009995", "card_declined", "insufficient_funds",
        "Your card has insufficient funds.", is_refused=True,
    ),
    "pm_card_visa_chargeDeclinedLostCard": _declines(
        "4000000000009987", "card_declined", "lost_card", "Your card was declined.",
        is_refused=True,
    ),
    "pm_card_chargeDeclinedExpiredCard": _declines(
        "4000000000000069", "expired_card", None, "Your card has expired.", is_refused=True
    ),
    "pm_card_chargeDeclinedIncorrectCvc": _declines(
        "4000000000000127", "incorrect_cvc", None, "Your card's security code is incorrect.",
        is_refused=True,
    ),
    "pm_card_chargeCustomerFail": _declines(
        "4000000000000341", "card_declined", "generic_decline", "Your card was declined."
    ),
    "pm_card_authenticationRequired": Card(
        "4000002760003184", answer=Answer.ASKS, code="authentication_required",
        decline="authentication_required",
        message="Your card was declined. This transaction requires authentication.",
    ),
    "pm_card_threeDSecure2Required": Card(
        "4000000000003220", answer=Answer.ASKS, code="authentication_required",
        decline="authentication_required",
        message="Your card was declined. This transaction requires authentication.",
    ),
    "pm_card_createDispute": Card("4000000000000259", is_disputed=True),
    "pm_card_refundFail": Card("4000000000005126", refunding=Refunding.FAILS_LATER),
    "pm_card_pendingRefund": Card("4000000000007726", refunding=Refunding.LATER),
    "pm_success_sepaDebit": Card(
        "DE89370400440532013000", "sepa_debit", Answer.TAKES_TIME
    ),
    "pm_failed_sepaDebit": Card(
        "DE62370400440532013001", "sepa_debit", Answer.TAKES_TIME, succeeds=False,
        code="payment_intent_payment_attempt_failed", message="The payment failed.",
    ),
}  # fmt: skip
"""By the name under which the API knows it without its number."""

_BY_NUMBER: Final = {card.number: name for name, card in CARDS.items()}
TOKENS: Final = {name.replace("pm_card", "tok", 1): name for name in CARDS if "card" in name}


def by_number(number: str) -> str | None:
    """The name of a card or an account by its number; None when no test knows it."""
    return _BY_NUMBER.get(number.replace(" ", ""))
