"""Letters: what may be one, and what goes out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from comptoir.domains.notifications.model import Email, Envelope, compose
from comptoir.domains.notifications.post import Server, parse
from comptoir.domains.notifications.texts import TEMPLATES
from comptoir.kit.errors import ComptoirError, Invalid

WELCOME = Email(to="a@b.test", template="welcome", values={"shop": "Shop", "name": "Zoé <b>"})
ENVELOPE = Envelope(
    "Shop <shop@b.test>", "a@b.test", "1@b.test", datetime(2026, 11, 21, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to": "a@b.test\nBcc: c@d.test"}, "to"),
        ({"to": "nobody"}, "to"),
        ({"to": None}, "to"),
        ({"customer": "alice"}, "to"),
        ({"template": "unknown"}, "template"),
        ({"template": None}, "template"),
        ({"subject": "Hello"}, "template"),
        ({"template": None, "subject": "a\r\nBcc: c@d.test", "text": "x"}, "subject"),
        ({"template": None, "subject": "a", "text": ""}, "text"),
        ({"template": None, "subject": "a", "text": "\0"}, "text"),
        ({"template": None, "subject": "a", "text": "x" * 100_001}, "text"),
        ({"values": {"shop": "Shop"}}, "values.name"),
        ({"values": {"shop": "Sho\np", "name": "n"}}, "values.shop"),
        ({"values": {"shop": 5, "name": "n"}}, "values"),
        ({"values": []}, "values"),
        ({"values": {str(n): "x" for n in range(21)}}, "values"),
        ({"locale": "de"}, "locale"),
        ({"key": ""}, "key"),
        ({"key": "k" * 201}, "key"),
        ({"attachment": "x"}, "attachment"),
    ],
)
def test_what_cannot_be_a_letter_is_refused(wrong: dict[str, Any], field: str):
    with pytest.raises(Invalid) as caught:
        Email.read(WELCOME.payload() | wrong)
    assert caught.value.figures["field"] == f"payload.{field}"


def test_a_payload_says_what_the_letter_says():
    assert Email.read(WELCOME.payload()) == WELCOME


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_in_both_languages_and_need_the_same(template: str):
    """A value that only one language names would be missing in the other."""
    words = TEMPLATES[template]
    assert set(words) == {"en", "fr"}
    names = {
        "shop",
        "name",
        "plan",
        "document",
        "link",
        "product",
        "size",
        "available",
        "threshold",
    }
    filled = {name: f"<{name}>" for name in names}
    used = [{n for n in names if f"<{n}>" in (w.subject + w.text).format(**filled)}
            for w in words.values()]  # fmt: skip
    assert used[0] == used[1]


@pytest.mark.parametrize(
    ("locale", "subject"), [("en", "Welcome to Shop!"), ("fr", "Bienvenue sur Shop !")]
)
def test_a_letter_is_text_and_the_same_as_html(locale: str, subject: str):
    message = compose(WELCOME.words(locale), locale, ENVELOPE)
    assert message["Subject"] == subject
    assert message["Message-ID"] == "<1@b.test>"
    assert message["Content-Language"] == locale
    text, page = message.iter_parts()
    assert "Zoé <b>" in text.get_content()
    assert "Zoé &lt;b&gt;" in page.get_content()
    assert f'<html lang="{locale}">' in page.get_content()


def test_links_are_links():
    values = {"document": "Q-1", "link": "https://shop.test/q?a=1&b='x'"}
    email = Email(to="a@b.test", template="document-ready", values=values)
    page = list(compose(email.words("en"), "en", ENVELOPE).iter_parts())[1].get_content()
    assert 'here: <a href="https://shop.test/q?a=1&amp;b=">' in page


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", Server("mail.test", 587)),
        ("smtp://u%40b:p%2F@mail.test:2525", Server("mail.test", 2525, "u@b", "p/")),
        ("smtps://mail.test", Server("mail.test", 465, is_wrapped=True)),
    ],
)
def test_servers_by_address(url: str, server: Server):
    assert parse(url) == server
    assert "p/" not in repr(parse(url))


@pytest.mark.parametrize("url", ["mail.test", "http://mail.test", "smtp://", "smtp://a:b:c"])
def test_what_is_no_server_is_refused(url: str):
    with pytest.raises(ComptoirError, match="email-server-invalid"):
        parse(url)


def test_passwords_are_said_to_nobody_who_does_not_encrypt():
    assert parse("smtp://u:p@mail.test").must_encrypt
    assert not parse("smtp://u:p@localhost").must_encrypt
    assert not parse("smtp://mail.test").must_encrypt
