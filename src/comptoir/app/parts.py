"""What is made of settings alone: the post, the link to a Redis, and who is told of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comptoir.config import Settings
from comptoir.domains.notifications.post import FilePost, NoPost, Post, SmtpPost, parse
from comptoir.domains.payments.stripe import Access
from comptoir.flows.inbox_work import Handled, nobody
from comptoir.flows.till import Terms
from comptoir.guards.redis.link import Link, Mode
from comptoir.kit.amounts import parse_cost

NOBODYS_ADDRESS: Final = "Comptoir <comptoir@localhost>"
"""What letters come from when EMAIL_FROM says nothing."""


def _nobody_of_letters(_: Path) -> None:
    """Who is told of letters, usually."""


def _nobody_of_redis(_mode: Mode, _why: str) -> None:
    """Who is told of Redis, usually."""


@dataclass(slots=True)
class Told:
    """Who is told of what happens apart from requests: whoever runs a process may say so later.

    Attributes:
        of_letter: a letter went into a file.
        of_redis: Redis went up or down, and the kind of the error.
        of_event: an event was handled, and the error if nobody expected that.
    """

    of_letter: Callable[[Path], None] = _nobody_of_letters
    of_redis: Callable[[Mode, str], None] = _nobody_of_redis
    of_event: Callable[[Handled, Exception | None], None] = nobody

    def letter(self, path: Path) -> None:
        """Say where a letter is."""
        self.of_letter(path)

    def event(self, handled: Handled, error: Exception | None) -> None:
        """Say what became of an event."""
        self.of_event(handled, error)

    def redis(self, mode: Mode, why: str) -> None:
        """Say what there is of Redis."""
        self.of_redis(mode, why)


def post_of(settings: Settings, told: Told) -> Post:
    """Where letters are posted.

    Raises:
        ComptoirError: EMAIL_SERVER is no address.
    """
    if settings.email_server is not None:
        return SmtpPost(parse(settings.email_server.get_secret_value()))
    if settings.may_write_letters_to_files:
        return FilePost(settings.home_folder / "mail", told.letter)
    return NoPost()


def access_of(settings: Settings) -> Access | None:
    """How Stripe is reached; None when nobody has given us a key."""
    key = settings.stripe_secret_key
    if key is None:
        return None
    return Access(key.get_secret_value(), settings.stripe_api_base)


def terms_of(settings: Settings) -> Terms:
    """What the seller has decided."""
    return Terms(
        public_url=(settings.public_url or "http://127.0.0.1:8000").rstrip("/"),
        currency=settings.currency,
        prices=settings.provider_prices,
        automatic_tax=settings.stripe_automatic_tax,
        waives_spent=settings.refund_spent == "waive",
        token_price=parse_cost(settings.token_unit_price),
        token_billing=settings.token_billing,
        reservation_seconds=settings.stock_reservation_minutes * 60.0,
        admits_guests=settings.guest_checkout == "on",
        operator_email=settings.operator_email,
    )


def link_of(settings: Settings, told: Told) -> Link | None:
    """The link to the Redis that the settings name, not yet entered; None when there is none.

    Raises:
        ComptoirError: it cannot be one, or redis-py is not installed.
    """
    url = settings.redis_address
    if url is None:
        return None
    return Link(url, told.redis)
