"""A letter: who gets it, in which words. The rules only: no I/O, no clock, no randomness."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from string import Formatter
from typing import Any, Final, Self, cast

from comptoir.domains.notifications.texts import TEMPLATES, Words
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import CUSTOMER_LENGTH, EMAIL_LENGTH, EMAIL_PATTERN, PRINTABLE

TYPE: Final = "email.send"
"""The type of the jobs that send letters."""

LOCALES: Final = ("en", "fr")
KEY_LENGTH: Final = 200
SUBJECT_LENGTH: Final = 200
TEXT_LENGTH: Final = 100_000
VALUES: Final = 20
VALUE_LENGTH: Final = 2_000

_ADDRESS: Final = re.compile(EMAIL_PATTERN)
_LINE: Final = re.compile(PRINTABLE)
_LINK: Final = re.compile(r"https?://[^\s<>\"']+")
_LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail to send, as a job of type `email.send`.

    Attributes:
        to: the address; or `customer`, whose address and language the books know when it is sent.
        template: which words: welcome, subscription-confirmed, document-ready; or else
        subject, text: words of the caller's own.
        values: what the template's braces are filled in with.
        locale: en or fr; the customer's own by default.
        key: the same again is not sent again, for 90 days; the job's id by default.
    """

    to: str | None = None
    customer: str | None = None
    template: str | None = None
    subject: str | None = None
    text: str | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    locale: str | None = None
    key: str | None = None

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """The letter of a job's payload.

        Raises:
            Invalid: it is none.
        """
        known = {each.name for each in fields(cls)}
        for name in payload:
            if name not in known:
                raise Invalid("field-invalid", field=f"payload.{name}")
        made = cls(**payload)
        made.check()
        return made

    def payload(self) -> dict[str, Any]:
        """What the job is given.

        Raises:
            Invalid: it cannot be sent.
        """
        self.check()
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in said.items() if value}

    def check(self) -> None:
        """See whether it can be sent.

        Raises:
            Invalid: a field is missing, or cannot be what it is.
        """
        fits = {
            "to": (self.to is None) != (self.customer is None)
            and (self.to is None or is_address(self.to)),
            "customer": self.customer is None or _is_line(self.customer, CUSTOMER_LENGTH),
            "template": self.template in TEMPLATES if self.is_ours else self.template is None,
            "subject": self.is_ours or _is_line(self.subject, SUBJECT_LENGTH),
            "text": self.is_ours or _is_text(self.text, TEXT_LENGTH),
            "values": _are_values(self.values),
            "locale": self.locale is None or self.locale in LOCALES,
            "key": self.key is None or _is_line(self.key, KEY_LENGTH),
        }
        for name, fit in fits.items():
            if not fit:
                raise Invalid("field-invalid", field=f"payload.{name}")
        if self.is_ours:
            self._check_values(TEMPLATES[cast("str", self.template)])

    @property
    def is_ours(self) -> bool:
        """Whether the words are a template's."""
        return self.subject is None and self.text is None

    def words(self, locale: str) -> Words:
        """Subject and text, in a language."""
        if not self.is_ours:
            return Words(self.subject or "", self.text or "")
        found = TEMPLATES[cast("str", self.template)]
        words = found.get(locale, found[_LANGUAGE])
        return Words(words.subject.format(**self.values), words.text.format(**self.values))

    def _check_values(self, template: Mapping[str, Words]) -> None:
        for words in template.values():
            for name in _braces(words.subject) | _braces(words.text):
                if name not in self.values:
                    raise Invalid("field-invalid", field=f"payload.values.{name}")
            for name in _braces(words.subject):
                if not _is_line(self.values[name], SUBJECT_LENGTH):
                    raise Invalid("field-invalid", field=f"payload.values.{name}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the outside of a letter says.

    Attributes:
        message_id: without the brackets; the same however often the letter is posted.
        at: when it is posted.
    """

    sender: str
    to: str
    message_id: str
    at: datetime


def compose(words: Words, locale: str, envelope: Envelope) -> EmailMessage:
    """The letter as it is posted: text, and the same as HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"] = envelope.sender
    message["To"] = Address(addr_spec=envelope.to)
    message["Subject"] = words.subject
    message["Date"] = envelope.at
    message["Message-ID"] = f"<{envelope.message_id}>"
    # Out-of-office replies answer what a person has written.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words.text + "\n")
    message.add_alternative(_page(words, locale), subtype="html")
    message["Content-Language"] = locale
    return message


def is_address(text: str) -> bool:
    """Whether it can be an address."""
    return len(text) <= EMAIL_LENGTH and _ADDRESS.match(text) is not None


def _page(words: Words, locale: str) -> str:
    paragraphs = "".join(f"<p>{_linked(each)}</p>\n" for each in words.text.split("\n\n"))
    title = html.escape(words.subject)
    return (
        f'<!doctype html>\n<html lang="{locale}"><head><meta charset="utf-8">'
        f"<title>{title}</title></head>\n<body>\n{paragraphs}</body></html>\n"
    )


def _linked(paragraph: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(paragraph):
        parts.append(html.escape(paragraph[end : found.start()]))
        link = html.escape(found[0])
        parts.append(f'<a href="{link}">{link}</a>')
        end = found.end()
    parts.append(html.escape(paragraph[end:]))
    return "".join(parts).replace("\n", "<br>\n")


def _braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _is_line(text: object, most: int) -> bool:
    return isinstance(text, str) and 0 < len(text) <= most and _LINE.match(text) is not None


def _is_text(text: object, most: int) -> bool:
    if not isinstance(text, str) or not 0 < len(text) <= most:
        return False
    return all(each.isprintable() or each in "\n\t" for each in text)


def _are_values(values: object) -> bool:
    if not isinstance(values, Mapping):
        return False
    given = cast("Mapping[object, object]", values)
    if len(given) > VALUES:
        return False
    return all(_is_line(k, 64) and _is_text(v, VALUE_LENGTH) for k, v in given.items())
