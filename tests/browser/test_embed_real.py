"""The components beside a Comptoir that serves, at another origin; and what they weigh."""

import gzip
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from hashlib import sha256, sha384
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from comptoir.web import assets
from comptoir.web.live import EACH
from tests.docs.test_pages import BADGE as GUIDE
from tests.docs.test_pages import ROOT, blocks
from tests.support.embedded_pages import BADGE, BOTH, DIALOG, EVENTS, WATCH, heard, refresh, state
from tests.support.embedded_real import Real, really
from tests.support.events import listening
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.browser, pytest.mark.pg]

LIGHT_BYTES = 8 * 1024
PASSED = """
window.passed = [];
new MutationObserver((changes) => {
  for (const { target, oldValue } of changes)
    if (target.localName === 'upsell-dialog' && passed.at(-1) !== oldValue) passed.push(oldValue);
}).observe(document, { subtree: true, attributeOldValue: true, attributeFilter: ['state'] });
"""
"""What states a dialog has left behind, however quickly."""

_NAMES = count(1)


@pytest.fixture(scope="module")
def served(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with really(cluster, tmp_path_factory.mktemp("real")) as real:
        yield real


@pytest.fixture
def real(served: Real) -> Real:
    """The same Comptoir, before somebody who has nothing yet."""
    served.customer, served.lives, served.refused = f"buyer-{next(_NAMES)}", [900], 0
    return served


@contextmanager
def browsing(chromium: Browser, locale: str = "en-GB") -> Iterator[BrowserContext]:
    """A browser of its own; what it shows breaks no policy."""
    with chromium.new_context(locale=locale) as context:
        context.set_default_timeout(15_000)
        context.add_init_script(WATCH + PASSED)
        yield context
        for page in context.pages:
            assert page.evaluate("refused") == []


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with browsing(chromium) as found:
        yield found


def visit(real: Real, page: Page, body: str = BOTH, *, shop: int = 0, query: str = "") -> Page:
    page.goto(real.shops[shop].page("/", body) + query)
    return page


def streams(context: BrowserContext) -> list[str]:
    """The streams that a browser asks for from now on."""
    asked: list[str] = []
    context.on(
        "request", lambda each: asked.append(each.url) if "/api/stream" in each.url else None
    )
    return asked


# How news come.


def test_a_grant_is_on_the_badge_at_once(real: Real, context: BrowserContext) -> None:
    page = visit(real, context.new_page(), BADGE)
    state(page, "empty")
    version = real.grant("1000")
    expect(page.locator("credits-badge")).to_contain_text("1,000 credits")
    state(page, "ok")
    real.spend("850")
    state(page, "low")
    [nothing, granted, spent] = heard(page, "credits:change")
    assert (nothing["available"], nothing["version"]) == ("0", 0)
    assert (granted["delta"], granted["reference"], granted["held"]) == (1000, "1000", "0")
    assert (granted["unit"], granted["version"]) == ("credits", version)
    assert granted["as_of"].endswith("Z")
    assert (spent["delta"], spent["available"]) == (-850, "150")


def test_what_is_set_aside_is_not_available(real: Real, context: BrowserContext) -> None:
    real.grant("10")
    page = visit(real, context.new_page(), BADGE)
    state(page, "ok")
    held = {"customer": real.customer, "amount": "4", "ttl_seconds": 600}
    real.ask("/api/credits/holds", held)
    expect(page.locator("credits-badge")).to_contain_text("6 credits")
    last = heard(page, "credits:change")[-1]
    assert (last["available"], last["held"], last["delta"]) == ("6", "4", -4)


def test_five_tabs_share_one_real_stream(real: Real, context: BrowserContext) -> None:
    asked = streams(context)
    pages = [visit(real, context.new_page(), BADGE) for _ in range(5)]
    for page in pages:
        state(page, "empty")
    real.grant("500")
    for page in pages:
        expect(page.locator("credits-badge")).to_contain_text("500 credits")
    assert len(asked) == 1
    with ExitStack() as stack:
        assert full(real, stack) == EACH - 1, "all five have taken one seat"
    with context.expect_event("request", lambda each: each.url.startswith(asked[0])):
        pages[0].close()
    real.grant("250")
    for page in pages[1:]:
        expect(page.locator("credits-badge")).to_contain_text("750 credits")


def full(real: Real, stack: ExitStack) -> int:
    """How many streams the server still has for whoever is signed in; they are all taken."""
    for taken in range(10):
        token = real.token()[1]["token"]
        events = stack.enter_context(listening(real.server.url, "/api/stream", token))
        if events.status == 204:
            return taken
    raise AssertionError("there is no end of them")


def test_polling_takes_over_from_a_stream_that_is_killed(
    real: Real, context: BrowserContext
) -> None:
    statuses: list[int] = []
    context.on("response", lambda each: note(each, statuses))
    page = context.new_page()
    page.clock.install()
    with ExitStack() as stack:
        visit(real, page, BADGE)
        wait_for(page, lambda: statuses == [200])
        real.grant("500")
        badge = page.locator("credits-badge")
        expect(badge).to_contain_text("500 credits")
        page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))
        assert real.relay.cut() == 1
        wait_for(page, lambda: full(real, stack) > 0)
        real.spend("1")
        expect(badge).to_contain_text("500 credits")
        page.clock.run_for(33_000)
        expect(badge).to_contain_text("499 credits")
        wait_for(page, lambda: 204 in statuses)
        page.clock.run_for(33_000)
        wait_for(page, lambda: any(each["status"] == 304 for each in noted(real)))
        stack.close()
        wait_for(page, lambda: page.clock.run_for(30_000) or statuses[-1] == 200)
        real.spend("1")
        expect(badge).to_contain_text("498 credits")


def note(response: Response, statuses: list[int]) -> None:
    if "/api/stream" in response.url and response.request.method == "GET":
        statuses.append(response.status)


def wait_for(page: Page, happens: Callable[[], bool]) -> None:
    """Let a browser go on until something has happened."""
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        page.evaluate("0")


def noted(real: Real) -> list[dict[str, Any]]:
    """What the server has noted of polls."""
    lines = (line for line in real.server.output.splitlines() if line.startswith("{"))
    found = [json.loads(line) for line in lines if "/api/credits/balance" in line]
    return [each for each in found if each["event"] == "request"]


def test_a_number_never_goes_back_to_an_older_one(real: Real, context: BrowserContext) -> None:
    real.grant("300")
    page = visit(real, context.new_page(), BADGE)
    state(page, "ok")
    old = json.dumps(page.evaluate("document.querySelector('credits-badge').balance"))
    real.spend("100")
    expect(page.locator("credits-badge")).to_contain_text("200 credits")
    said = {"Access-Control-Allow-Origin": real.shop.url, "Content-Type": "application/json"}
    page.route("**/api/credits/balance", lambda route: route.fulfill(body=old, headers=said))
    refresh(page)
    expect(page.locator("credits-badge")).to_contain_text("200 credits")
    assert [each["available"] for each in heard(page, "credits:change")] == ["300", "200"]


# Who may ask.


def test_a_token_that_is_refused_is_renewed_once(real: Real, context: BrowserContext) -> None:
    real.grant("300")
    real.refused = 1
    page = visit(real, context.new_page(), BADGE)
    state(page, "ok")
    assert heard(page, "credits:error") == []
    real.refused = 2
    page.reload()
    state(page, "signed-out")
    assert [each["code"] for each in heard(page, "credits:error")] == ["unauthorized"]


def test_whoever_signs_in_next_is_somebody_else(real: Real, context: BrowserContext) -> None:
    """Neither has an account yet: what a browser keeps of the one is not told the other."""
    page = visit(real, context.new_page(), BADGE.replace(" upsell", ' live="poll" upsell'))
    state(page, "empty")
    real.customer += "-friend"
    page.reload()
    state(page, "empty")
    shown = page.evaluate("document.querySelector('credits-badge').balance")
    assert shown["customer"] == real.customer


def test_a_stream_goes_on_with_the_next_token(real: Real, context: BrowserContext) -> None:
    real.grant("300")
    real.lives = [3, 900]  # its end is at a full second: one second could be over at once
    statuses: list[int] = []
    context.on("response", lambda each: note(each, statuses))
    page = visit(real, context.new_page(), BADGE)
    state(page, "ok")
    wait_for(page, lambda: real.lives == [900] and len(statuses) > 1 and statuses[-1] == 200)
    real.spend("100")
    expect(page.locator("credits-badge")).to_contain_text("200 credits")
    assert heard(page, "credits:error") == []


def test_pages_of_configured_origins_alone_are_answered(
    real: Real, context: BrowserContext
) -> None:
    real.grant("300")
    for number in (0, 1):
        page = visit(real, context.new_page(), BADGE, shop=number)
        state(page, "ok")
    page = visit(real, context.new_page(), BADGE, shop=2)
    state(page, "error")
    assert [each["code"] for each in heard(page, "credits:error")] == ["unreachable"]
    assert page.evaluate("document.querySelector('credits-badge').balance") is None


ASKED = [
    ("GET", "/api/credits/balance"), ("GET", "/api/stream"), ("GET", "/api/credits/packs"),
    ("POST", "/api/credits/buy"), ("GET", "/api/credits/purchases/none?wait_seconds=1"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_what_browsers_are_told_beforehand(real: Real, method: str, path: str) -> None:
    wanted = {"authorization", "content-type", "idempotency-key"}
    asking = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(sorted(wanted)),
    }
    for number, is_known in enumerate((True, True, False)):
        origin = real.shops[number].url
        status, told = _headers(real, "OPTIONS", path, {"Origin": origin, **asking})
        assert (status == 200) is is_known
        assert told.get("access-control-allow-origin") == (origin if is_known else None)
        assert "access-control-allow-credentials" not in told
        if is_known:
            allowed = told["access-control-allow-headers"].lower().split(", ")
            assert wanted <= set(allowed)
            assert method in told["access-control-allow-methods"]
        known = {"Authorization": f"Bearer {real.bearer}", "Origin": origin}
        status, told = _headers(real, method, path, known)
        assert status in (200, 404, 415, 422)
        assert told.get("access-control-allow-origin") == (origin if is_known else None)
        assert not is_known or "origin" in told["vary"].lower()
        assert not is_known or "x-request-id" in told["access-control-expose-headers"].lower()


def _headers(
    real: Real, method: str, path: str, sent: dict[str, str]
) -> tuple[int, dict[str, str]]:
    body = b"{}" if method == "POST" else None
    request = Request(real.server.url + path, body, sent, method=method)
    try:
        with urlopen(request, timeout=20) as reply:
            return reply.status, _lower(reply.headers)
    except HTTPError as error:
        with error:
            return error.code, _lower(error.headers)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# What is bought.

WORDS = {
    "en": {
        "locale": "en-GB", "low": "Low: 150 credits left", "buy": "Buy credits",
        "pay": "Continue to payment", "after": "Done. You have 650 credits.",
        "left": "You have 150 credits left.", "none": "You have 0 credits left.",
        "cancelled": "Nothing was paid.", "retry": "Try again",
    },
    "fr": {
        "locale": "fr-FR", "low": "Solde bas : il reste 150 crédits", "buy": "Acheter des crédits",
        "pay": "Continuer vers le paiement", "after": "C’est fait. Vous avez 650 crédits.",
        "left": "Il vous reste 150 crédits.", "none": "Il vous reste 0 crédit.",
        "cancelled": "Rien n’a été payé.", "retry": "Réessayer",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
def test_from_low_to_bought(real: Real, chromium: Browser, language: str) -> None:
    words, before = WORDS[language], len(real.checkouts())
    real.grant("1000")
    with browsing(chromium, words["locale"]) as context:
        hosts: set[str] = set()
        context.on("request", lambda each: hosts.add(urlsplit(each.url).netloc))
        page = visit(real, context.new_page(), query=f"?lang={language}")
        state(page, "ok")
        real.spend("850")
        state(page, "low")
        nudge = page.locator("[part=nudge]")
        expect(nudge).to_contain_text(words["low"])
        nudge.get_by_role("button", name=words["buy"]).click()
        dialog = page.get_by_role("dialog", name=words["buy"])
        expect(dialog).to_contain_text(words["left"])
        page.get_by_role("radio", name="500").check()
        page.get_by_role("button", name=words["pay"]).dblclick()
        page.wait_for_url("**/pay/**")
        paying = page.url
        page.go_back()
        page.locator("credits-badge button").click()
        page.get_by_role("radio", name="500").check()
        page.get_by_role("button", name=words["pay"]).click()
        page.wait_for_url(paying)
        assert len(real.checkouts()) == before + 1
        page.locator("form button").first.click()
        page.wait_for_url(f"{real.shop.url}/**")
        state(page, "success", "upsell-dialog")
        assert page.evaluate("passed") == [None, "closed", "confirming"]
        expect(dialog).to_contain_text(words["after"])
        expect(page.locator("credits-badge")).to_contain_text("650")
        [done] = heard(page, "upsell:success")
        assert done["available"] == "650"
        assert "checkout" not in page.url
        assert hosts == {urlsplit(url).netloc for url in (real.shop.url, real.relay.url, paying)}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_empty_opens_the_modal(real: Real, chromium: Browser, language: str) -> None:
    words = WORDS[language]
    real.grant("1000")
    with browsing(chromium, words["locale"]) as context:
        body = BOTH + "<label>Note <textarea id=note></textarea></label>"
        page = visit(real, context.new_page(), body, query=f"?lang={language}")
        state(page, "ok")
        page.locator("#note").press_sequentially("While I write")
        real.spend("1000")
        state(page, "empty")
        page.locator("#note").press_sequentially(" and go on")
        state(page, "closed", "upsell-dialog")
        page.evaluate("document.activeElement.blur()")
        dialog = page.get_by_role("dialog", name=words["buy"])
        expect(dialog).to_contain_text(words["none"])
        expect(dialog.get_by_role("heading")).to_be_focused()
        assert page.locator("upsell-dialog").get_attribute("open") == "modal"
        page.get_by_role("button", name=words["pay"]).click()
        page.wait_for_url("**/pay/**")
        page.locator("a").last.click()
        page.wait_for_url(f"{real.shop.url}/**")
        state(page, "cancelled", "upsell-dialog")
        expect(dialog).to_contain_text(words["cancelled"])
        page.get_by_role("button", name=words["retry"]).click()
        state(page, "ready", "upsell-dialog")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_without_a_nudge_it_is_a_modal_below_a_fifth(
    real: Real, chromium: Browser, language: str
) -> None:
    words = WORDS[language]
    real.grant("1000")
    with browsing(chromium, words["locale"]) as context:
        body = BADGE + DIALOG.replace(" when", ' nudge="off" when')
        page = visit(real, context.new_page(), body, query=f"?lang={language}")
        real.spend("800")
        expect(page.locator("credits-badge")).to_contain_text("200")
        state(page, "closed", "upsell-dialog")
        real.spend("50")
        expect(page.get_by_role("dialog")).to_contain_text(words["left"])
        assert [each["reason"] for each in heard(page, "upsell:open")] == ["low"]


# Where it lies, and what it weighs.


def test_where_the_module_is(real: Real) -> None:
    with urlopen(f"{real.server.url}/embed.json", timeout=20) as reply:
        pinned = json.load(reply)
    found = {}
    for path in ("/embed.js", pinned["src"], "/embed.d.ts", "/custom-elements.json"):
        with urlopen(real.server.url + path, timeout=20) as reply:
            found[path] = reply.read()
            lasting = "immutable" if path == pinned["src"] else "max-age=300"
            assert lasting in reply.headers["Cache-Control"]
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert found["/embed.js"] == found[pinned["src"]]
    digest = b64encode(sha384(found["/embed.js"]).digest()).decode()
    assert pinned["integrity"] == f"sha384-{digest}"
    elements = json.loads(found["/custom-elements.json"])["modules"][0]["declarations"]
    source = assets.assets()["embed.js"].content.decode()
    for each in elements:
        for kind in ("attributes", "members"):
            assert [one["name"] for one in each[kind] if one["name"] not in source] == []
    assert [one["name"] for each in elements for one in each["events"]] == EVENTS


def test_the_guide_shows_what_runs(real: Real) -> None:
    shown: dict[str, str] = dict.fromkeys(("html", "python", "ts"), "")
    for kind, text, _ in blocks(GUIDE):
        shown[kind] += text
    page = (ROOT / "examples" / "embed" / "plain.html").read_text()
    assert [line for line in shown["html"].splitlines() if line not in page] == []
    assert shown["ts"] == (ROOT / "examples/embed/react/src/useCredits.ts").read_text()
    names: dict[str, Any] = {"KEY": real.bearer, "COMPTOIR": real.server.url}
    exec(compile(shown["python"], str(GUIDE), "exec"), names)
    given = names["billing_token"]()
    assert given["token"].startswith("ct_")
    assert given["expires_at"]


def test_both_weigh_less_than_8_kb() -> None:
    assert len(gzip.compress(assets.assets()["embed.min.js"].content, 9, mtime=0)) <= LIGHT_BYTES


def test_what_is_served_is_made_of_what_is_read() -> None:
    """Run scripts/minify_embed.py after a change of embed.js."""
    digest = sha256(assets.assets()["embed.js"].content).hexdigest()[:16]
    assert assets.assets()["embed.min.js"].content.startswith(f"/* Made of {digest} */".encode())
