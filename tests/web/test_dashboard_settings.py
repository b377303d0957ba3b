"""Settings, of which pages show no secret; sessions that are ended; the audit."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from io import StringIO
from typing import Any, get_args
from urllib.parse import quote
from uuid import UUID

import pytest
from pydantic import SecretStr

from comptoir.config import Settings
from comptoir.web.dashboard import settings as page_of_settings
from comptoir.web.meanings import meanings
from tests.support.operators import Browser, new_id
from tests.support.site import Site, fresh

EVIL = "<img src=x onerror=alert(1)>"
SETTINGS, AUDIT = "/dashboard/settings", "/dashboard/settings/audit"
MARK = "m4rk3d"


@contextmanager
def started_with(site: Site, **said: Any) -> Iterator[None]:  # noqa: ANN401  # whatever settings take
    """The server as if it had been started with other settings."""
    kept = site.app.settings
    object.__setattr__(site.app, "settings", kept.model_copy(update=said))
    try:
        yield
    finally:
        object.__setattr__(site.app, "settings", kept)


def line(site: Site, action: str, who: str, *, book: int = 1, reason: str | None = None) -> UUID:
    """A line of the audit, made behind the server's back."""
    id_ = new_id()
    site.sql(
        "INSERT INTO comptoir.audit (book_id, id, who, action, subject, reason, figures)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)", book, id_, who, action, EVIL, reason,
        f'{{"a": "{EVIL}"}}',
    )  # fmt: skip
    return id_


def lines(page: str) -> list[UUID]:
    return [UUID(found) for found in re.findall(r'<tr id="l-([0-9a-f-]+)"', page)]


def session_of(site: Site, browser: Browser) -> str:
    """The id of a session that was just opened."""
    found = site.sql(
        "SELECT id::text FROM comptoir.operator_sessions ORDER BY created_at DESC LIMIT 1"
    )
    assert browser.get("/dashboard").status_code == 200
    return found[0][0]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_setting_is_shown_with_its_meaning(site: Site, ann: Browser, language: str) -> None:
    text = unescape(ann.get(SETTINGS, **{"Accept-Language": language}).text).replace("<wbr>", "")
    for field in Settings.model_fields.values():
        assert f"<code>{field.alias}</code>" in text
        assert meanings()[str(field.alias)][language == "fr"] in text
    assert ("not set", "non défini")[language == "fr"] in text
    assert "Other settings" not in text, "each has its section"


def test_no_page_has_a_part_of_a_secret(site: Site, ann: Browser) -> None:
    secrets = {
        name: SecretStr(f"{MARK}-{name}")
        for name, field in Settings.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    }
    assert len(secrets) >= 10
    urls = {
        name: f"http://user:{MARK}@{name.replace('_', '-')}.example/path?key={MARK}"
        for name in ("stripe_api_base", "public_url", "upstash_url", "otel_endpoint",
                     "otel_traces_endpoint")
    } | {"cors_origins": f"https://a.example,https://user:{MARK}@b.example"}  # fmt: skip
    with started_with(site, **secrets, **urls):
        for path in (SETTINGS, AUDIT, "/dashboard", f"{AUDIT}?format=csv"):
            page = ann.get(path)
            assert page.status_code == 200
            assert MARK not in page.text, path
        text = ann.get(SETTINGS).text
    assert text.count('<span class="badge good">set</span>') == len(secrets)
    for shown in ("stripe-api-base.example", "otel-endpoint.example/path", "@b.example"):
        assert shown in text
    assert site.keys["op"][-6:] not in text


def test_what_sounds_like_a_secret_is_one() -> None:
    """So that nobody adds a secret which pages then show."""
    known = {"TOKEN_UNIT_PRICE", "TOKEN_BILLING"}
    for field in Settings.model_fields.values():
        sounds = re.search(r"SECRET|TOKEN|KEY|PASSW|DSN", str(field.alias))
        if sounds and field.alias not in known:
            assert SecretStr in (field.annotation, *get_args(field.annotation)), field.alias


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (None, "nothing can be paid"), ("sk_test_x", "A test key"), ("rk_live_x", "A live key"),
        ("sk_live_x", "A live key"),
    ],
)  # fmt: skip
def test_whose_money_moves(site: Site, ann: Browser, key: str | None, words: str) -> None:
    said = None if key is None else SecretStr(key)
    with started_with(site, stripe_secret_key=said, stripe_api_base=None):
        assert words in ann.get(SETTINGS).text


def test_keys_are_shown_without_their_texts(site: Site, ann: Browser) -> None:
    name = fresh("<b>key")
    body = {"name": name, "role": "service"}
    made = site.post("/api/keys", body)
    assert made.status_code == 201, made.text
    text = ann.get(SETTINGS).text
    assert name.replace("<", "&lt;").replace(">", "&gt;") in text
    assert "<b>key" not in text
    assert made.json()["key"][-4:] not in re.sub(r"[0-9a-f-]{36}|value=\"[^\"]*\"", "", text)


def test_where_others_hear(site: Site, ann: Browser, guest: Browser) -> None:
    name = fresh("hook")
    body = {"url": f"http://{name}.example/x?token={MARK}", "types": ["*"]}
    made = site.post("/api/hooks", body)
    assert made.status_code == 201, made.text
    text = ann.get(SETTINGS).text
    assert f"http://{name}.example/x?" in text
    assert MARK not in text
    assert "all is told" in text
    [(id_,)] = site.sql("SELECT id FROM comptoir.hooks WHERE url LIKE %s", f"%{name}%")
    for state in ("dead", "waiting"):
        event = new_id()
        site.sql(
            "INSERT INTO comptoir.outbox (book_id, id, type, waits)"
            " VALUES (1, %s, 'stock.low', false)", event,
        )  # fmt: skip
        site.sql(
            "INSERT INTO comptoir.hook_deliveries (book_id, hook_id, event_id, state, due_at)"
            " VALUES (1, %s, %s, %s, CASE WHEN %s = 'waiting' THEN now() + interval '1 day' END)",
            id_, event, state, state,
        )  # fmt: skip
    text = ann.get(SETTINGS).text
    assert "1 never arrived" in text
    assert "1 waiting" in text
    guest.sign_in()
    guest.send("/dashboard/book", guest.form("/dashboard") | {"book": "test"})
    assert name not in guest.get(SETTINGS).text


def test_an_ended_session_is_signed_out_at_once(site: Site, ann: Browser, guest: Browser) -> None:
    guest.sign_in("support")
    id_ = session_of(site, guest)
    path = f"{SETTINGS}/sessions/{id_}/end"
    form = ann.form(SETTINGS) | {"reason": "lost laptop"}
    assert ann.send(path, form | {"reason": ""}).status_code == 422
    assert guest.get("/dashboard").status_code == 200
    for _ in range(2):
        done = ann.send(path, form)
        assert done.headers["location"] == f"{SETTINGS}?done=ended#sessions"
    assert guest.get("/dashboard").status_code == 401
    assert ann.get("/dashboard").status_code == 200
    found = site.sql(
        "SELECT action, reason, who, book_id FROM comptoir.audit WHERE subject = %s"
        " AND action = 'end-session'", id_,
    )  # fmt: skip
    assert found == [("end-session", "lost laptop", "Ann (admin)", 1)]
    assert ann.send(path, form | {"key": "k" * 20}).status_code == 404
    assert ann.send(f"{SETTINGS}/sessions/moon/end", form).status_code == 404


@pytest.mark.parametrize("rank", ["viewer", "support"])
def test_others_sessions_are_ended_by_admins(site: Site, guest: Browser, rank: str) -> None:
    other = Browser(site).sign_in()
    theirs = session_of(site, other)
    guest.sign_in(rank)
    page = guest.get(SETTINGS).text
    assert page.count("formaction=") == 1, "one's own alone"
    form = guest.form(SETTINGS) | {"reason": "why"}
    assert guest.send(f"{SETTINGS}/sessions/{theirs}/end", form).status_code == 403
    assert other.get("/dashboard").status_code == 200
    other.http.close()
    assert "this one" in page
    mine = session_of(site, guest)
    done = guest.send(f"{SETTINGS}/sessions/{mine}/end", form)
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard")
    assert "Max-Age=0" in done.headers["set-cookie"]
    assert guest.get("/dashboard").status_code == 401


def test_the_audit_is_filtered_and_paged(
    site: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_settings.tables, "ROWS", 2)
    monkeypatch.setattr("comptoir.domains.identity.overview.LOOKED_AT", 4)
    who = f"{fresh('Zoe')} (support)"
    made = [line(site, "grant" if n % 2 else "replay", who) for n in range(5)]
    for n in range(5):
        line(site, "grant", f"noise-{n}")
    theirs = line(site, "grant", who, book=2)

    def followed(path: str) -> list[UUID]:
        seen: list[UUID] = []
        for _ in range(20):
            text = ann.get(path).text
            assert len(lines(text)) <= 2
            seen += lines(text)
            found = re.search(r'href="([^"]+)" rel="next"', text)
            if not found or set(made) <= set(seen):
                return seen
            path = unescape(found[1])
        return seen

    assert followed(f"{AUDIT}?who={quote(who)}") == made[::-1]
    found = [each for each in followed(AUDIT) if each in made]
    assert found == made[::-1]
    page = ann.get(f"{AUDIT}?who={quote(who)}&action=replay").text
    assert theirs not in lines(page)
    assert "Of 4 lines looked at" in page


def test_the_audit_is_a_file_too(site: Site, ann: Browser) -> None:
    who = f"{fresh('=Zoe')} (support)"
    id_ = line(site, "grant", who, reason="=1+1")
    done = ann.get(f"{AUDIT}?who={quote(who)}&format=csv")
    [row] = csv.DictReader(StringIO(done.text))
    assert (row["id"], row["who"], row["reason"]) == (str(id_), f"'{who}", "'=1+1")
    assert row["action"] == "grant"


def test_nobodys_text_is_markup(site: Site, ann: Browser) -> None:
    id_ = line(site, EVIL, EVIL, reason=EVIL)
    page = ann.get(f"{AUDIT}?who={quote(EVIL)}").text
    assert lines(page) == [id_]
    assert "<img" not in page
    assert page.count("&lt;img") >= 5


@pytest.mark.parametrize(
    "query",
    ["who=%00", "action=" + "x" * 300, "after=x", "after=1.x", "after=99999999999999999.x",
     "after=-1." + str(UUID(int=1)), "who='--", "format=x"],
)  # fmt: skip
def test_a_senseless_query_does_no_harm(ann: Browser, query: str) -> None:
    page = ann.get(f"{AUDIT}?{query}")
    assert page.status_code == 200, page.text


def test_a_name_that_others_chose_is_no_markup(site: Site, ann: Browser) -> None:
    id_ = new_id()
    site.sql(
        "INSERT INTO comptoir.operator_sessions (book_id, id, hash, name, role, shown_book,"
        " expires_at) VALUES (1, %s, %s, %s, 'viewer', 1, now() + interval '1 day')",
        id_, id_.bytes * 2, EVIL,
    )  # fmt: skip
    page = ann.get(SETTINGS).text
    assert "<img" not in page
    assert f"/sessions/{id_}/end" in page
