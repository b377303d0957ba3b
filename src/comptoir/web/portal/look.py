"""How a page looks to a customer: his language, his time zone, and where its forms may lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Final
from urllib.parse import urlsplit

from comptoir.domains.credits.words import zone_of
from comptoir.domains.identity.visitors import Visitor
from comptoir.web.call import Call
from comptoir.web.languages import LANGUAGES
from comptoir.web.pages.look import GUARDED, LANGUAGE, Look, chosen, moment
from comptoir.web.portal.texts import TEXTS
from comptoir.web.replies import Header

_ANY: Final = "en"
"""The language of a customer of whom nobody has said one."""

_PROVIDER: Final = ("https://checkout.stripe.com", "https://billing.stripe.com")
_POLICY: Final = dict(GUARDED)[b"content-security-policy"]


@dataclass(frozen=True, slots=True)
class OwnLook(Look):
    """How a page looks to a customer.

    Attributes:
        zone: in which times are told.
        leads: origins to which a form may lead in the end, beside our own.
    """

    TEXTS: ClassVar = TEXTS
    PACKAGE: ClassVar = "comptoir.web.portal"

    zone: tzinfo = UTC
    leads: tuple[str, ...] = ()

    @property
    def guards(self) -> Sequence[Header]:
        """What the page says to the browser. Its address may be secret: nobody is told."""
        led = " ".join(("form-action 'self'", *self.leads)).encode()
        changed = {
            b"content-security-policy": _POLICY.replace(b"form-action 'self'", led),
            b"referrer-policy": b"strict-origin",
        }
        return [(name, changed.get(name, value)) for name, value in GUARDED]

    def day(self, micros: int) -> str:
        """A day, as it is in his time zone."""
        return self._day(self._local(micros))

    def when(self, micros: int) -> str:
        """A time to the minute, in his time zone."""
        local = self._local(micros)
        return f"{self._day(local)}, {local:%H:%M}"

    def of_credits(self, units: int, scale: int) -> str:
        """So many credits; French counts below two as one."""
        whole = 10**scale
        is_one = abs(units) < 2 * whole if self.language == "fr" else abs(units) == whole
        word = self.t("credits.one" if is_one else "credits.many")
        return f"{self.amount(units, scale)} {word}"

    def of_asset(self, units: int, scale: int, code: str) -> str:
        """So much of anything."""
        if code == "credits":
            return self.of_credits(units, scale)
        return f"{self.amount(units, scale)} {self.t(code) if code == 'tokens' else code}"

    def _local(self, micros: int) -> datetime:
        return moment(micros).astimezone(self.zone)

    def _day(self, local: datetime) -> str:
        first = self.language == "fr" and local.day == 1
        number = "1er" if first else str(local.day)
        return f"{number} {self.t(f'month.{local.month}')} {local.year}"


def look_of(call: Call, cookies: Mapping[str, str], who: Visitor | None) -> OwnLook:
    """How pages look: as he has chosen, else as his seller knows him, else as his browser says."""
    language, theme, path = chosen(call, cookies)
    zone = UTC
    if who is not None:
        zone = zone_of(who.time_zone)
        known = who.locale[:2].lower()
        has_chosen = cookies.get(LANGUAGE, "") in LANGUAGES
        if not has_chosen and who.locale != _ANY and known in LANGUAGES:
            language = known
    return OwnLook(language, theme, path, zone, leads(call))


def leads(call: Call) -> tuple[str, ...]:
    """Where the provider's pages are: a browser follows a form nowhere else."""
    said = call.app.settings.stripe_api_base
    return _PROVIDER if not said else (origin_of(said),)


def origin_of(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
