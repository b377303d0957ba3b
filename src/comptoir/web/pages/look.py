"""How a page looks to whoever reads it: his language, light or dark, how numbers are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from comptoir.kit.amounts import format_amount
from comptoir.web import assets
from comptoir.web.call import Call
from comptoir.web.languages import LANGUAGES, pick
from comptoir.web.replies import Header, Reply

LANGUAGE: Final = "comptoir-language"
THEME: Final = "comptoir-theme"
THEMES: Final = ("auto", "light", "dark")
_SHARED: Final = "comptoir.web.pages"
HTML: Final = b"text/html; charset=utf-8"
_NARROW: Final = "\u202f"
_MINUS: Final = "\u2212"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

GUARDED: Final[tuple[Header, ...]] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            b"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
            b"frame-ancestors 'none'"
        ),
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie, Accept-Language"),
)
"""What every page says to the browser. A form's own origin is only sent with a referrer's."""


@cache
def _templates(package: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(each) for each in (package, _SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def cookies_of(call: Call) -> dict[str, str]:
    """The cookies of a request; of two with one name the first counts."""
    found: dict[str, str] = {}
    for name, value in call.scope["headers"]:
        if name != b"cookie":
            continue
        for part in value.decode("latin-1").split(";"):
            said, _, worth = part.strip().partition("=")
            found.setdefault(said, worth)
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """How a page looks. Each kind of page has its own words and templates.

    Attributes:
        TEXTS: its words in every language, by key.
        PACKAGE: where its templates are, beside those that all pages share.
        OF: what every title ends with.
        theme: auto, light or dark.
        path: the address of the page, without its query.
    """

    TEXTS: ClassVar[Mapping[str, tuple[str, str]]]
    PACKAGE: ClassVar[str]
    OF: ClassVar[str] = ""

    language: str
    theme: str
    path: str

    @property
    def guards(self) -> Sequence[Header]:
        """What the page says to the browser."""
        return GUARDED

    def t(self, key: str, /, **figures: object) -> str:
        """A text in the reader's language."""
        return pick(self.TEXTS[key], self.language).format(**figures)

    def has(self, key: str) -> bool:
        """Whether there is such a text: for words that others may add to."""
        return key in self.TEXTS

    def amount(self, units: int, scale: int = 0) -> str:
        """A number as the language writes it, its digits grouped."""
        sign, text = (_MINUS, format_amount(-units, scale)) if units < 0 else ("", "")
        whole, _, part = (text or format_amount(units, scale)).partition(".")
        is_french = self.language == "fr"
        grouped = f"{int(whole):,}".replace(",", _NARROW if is_french else ",")
        point = "," if is_french else "."
        return f"{sign}{grouped}{point}{part}" if part else sign + grouped

    def signed(self, units: int, scale: int = 0) -> str:
        """The same with its sign."""
        return ("+" if units > 0 else "") + self.amount(units, scale)

    def money(self, minor: int, currency: str) -> str:
        """A sum of two decimals with its currency."""
        sign = _MINUS if minor < 0 else ""
        whole, part = divmod(abs(minor), 100)
        point = "," if self.language == "fr" else "."
        return f"{sign}{self.amount(whole)}{point}{part:02d} {currency.upper()}"

    def number(self, of: Decimal | str) -> str:
        """A decimal as the language writes it, without zeros at its end."""
        text = f"{Decimal(of).normalize():f}"
        whole, _, part = text.lstrip("-").partition(".")
        point = "," if self.language == "fr" else "."
        sign = _MINUS if text.startswith("-") and text != "-0" else ""
        return sign + self.amount(int(whole)) + (point + part if part else "")

    def percent(self, of: str) -> str:
        """A share of a hundred."""
        return f"{self.number(of)}{_NARROW}%"

    def when(self, micros: int) -> str:
        """A time to the second, in UTC."""
        return moment(micros).strftime("%Y-%m-%d %H:%M:%S")

    def clock(self, micros: int) -> str:
        """The time of the day to the second, in UTC."""
        return moment(micros).strftime("%H:%M:%S")

    def iso(self, micros: int) -> str:
        """The same for machines."""
        return moment(micros).isoformat(timespec="seconds").replace("+00:00", "Z")

    def page(self, template: str, status: int = 200, **figures: Any) -> Reply:  # noqa: ANN401  # whatever the template shows
        """A page as an answer."""
        text = _templates(self.PACKAGE).get_template(template).render(
            look=self, t=self.t, file_at=assets.address, **figures
        )  # fmt: skip
        headers = [*self.guards, (b"content-language", self.language.encode())]
        return Reply(status, text.encode(), HTML, headers)


def moment(micros: int) -> datetime:
    """A time in microseconds since 1970, as Python has it."""
    return _EPOCH + timedelta(microseconds=micros)


def micros(at: datetime) -> int:
    """A time as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def chosen(call: Call, cookies: Mapping[str, str]) -> tuple[str, str, str]:
    """Language, theme and path of a page, as whoever sends a request has chosen them."""
    said, theme = cookies.get(LANGUAGE, ""), cookies.get(THEME, "")
    language = said if said in LANGUAGES else call.language
    return language, theme if theme in THEMES else "auto", call.instance
