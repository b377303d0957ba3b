"""Every state of the two components, for whoever sees badly, has a small screen, or no mouse."""

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.embedded_pages import Scene, is_right, refresh, show, state, strict
from tests.support.embedding import PACKS

pytestmark = pytest.mark.browser

STATES = ("loading", "ok", "low", "empty", "stale", "offline", "error", "signed-out")
FAILURES = {"stale": 1, "offline": 3}
"""How many calls fail after the first one."""

AMOUNTS = {"low": "150", "empty": "0"}
KINDS = (
    'upsell="#up"', 'variant="inline" href="/buy"', 'variant="bar" upsell="#up"',
    'variant="dot" upsell="#up"', 'variant="dot"', "", 'variant="bar" hide-amount',
)  # fmt: skip
LONG = PACKS[0] | {
    "id": "long", "name": "Crédits pour toute l’année, à partager entre collaborateurs " * 2,
    "price": {"amount": 123_456_789_00, "currency": "eur"}, "unit_price": "0.000123",
}  # fmt: skip
DIALOGS = (
    "loading", "ready", "submitting", "error", "nopack", "offline", "confirming", "success",
    "cancelled", "nudge",
)  # fmt: skip
LANGUAGES = ["en", "fr"]
ALLOWED = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}


@pytest.fixture
def scene(chromium: Browser) -> Iterator[Scene]:
    """A shop's page beside a pretend Comptoir."""
    with strict(chromium) as found:
        yield found


# All badges on one page: each state has a pretend Comptoir of its own.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_badge_on_one_page(scene: Scene, language: str) -> None:
    asked: Counter[str] = Counter()
    api = scene.shop.server.api()
    body = "".join(f"<p>{each} {_badges(f'{api}/at/{each}')}</p>" for each in STATES)
    scene.context.route(re.compile("/at/"), lambda route: _answer(route, asked, scene))
    page = scene.visit(body, query=f"?lang={language}")
    for each in STATES:
        badges = page.locator(f'credits-badge[src$="/at/{each}"]')
        for _ in range(FAILURES.get(each, 0)):
            expect(badges.first).to_have_attribute("state", re.compile("ok|stale"))
            badges.first.evaluate("(badge) => badge.refresh()")
        for number in range(len(KINDS)):
            expect(badges.nth(number)).to_have_attribute("state", each)
    is_right(page, f"badges-{language}")


def _badges(src: str) -> str:
    said = f'src="{src}" token-url="/token" live="poll" refresh="0"'
    return " ".join(f"<credits-badge {said} {kind}>Credits</credits-badge>" for kind in KINDS)


def _answer(route: Route, asked: Counter[str], scene: Scene) -> None:
    name = route.request.url.split("/at/")[1].partition("/")[0]
    asked[name] += 1
    balance = scene.fake.balance | {"available": AMOUNTS.get(name, "1234567.5")}
    if name == "error" or (name in FAILURES and asked[name] > 1):
        route.fulfill(status=503, body="{}", headers=ALLOWED)
    elif name == "signed-out":
        route.fulfill(status=401, body="{}", headers=ALLOWED)
    elif name != "loading":
        route.fulfill(body=json.dumps(balance), headers=ALLOWED)


# The dialog is above everything else: one state at a time.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_the_dialog(scene: Scene, language: str) -> None:
    scene.fake.packs = [*PACKS, LONG]
    for name in DIALOGS:
        page = _reach(scene, name, f"lang={language}")
        if name == "nudge":
            expect(page.locator("[part=nudge]")).to_be_visible()
        else:
            state(page, name, "upsell-dialog")
        is_right(page, f"dialog-{name}-{language}")
        scene.fake.gate.set()
        scene.context.set_offline(offline=False)
        page.close()


def _reach(scene: Scene, name: str, language: str) -> Page:
    """A page on which the dialog is in that state."""
    fake = scene.fake
    fake.buying = 502 if name == "error" else 201
    fake.packs = [] if name == "nopack" else [*PACKS, LONG]
    if name in ("confirming", "success", "cancelled"):
        fake.bought = "pending" if name == "confirming" else "granted"
        said = "checkout=cancelled" if name == "cancelled" else "purchase=abc"
        return scene.visit(query=f"?{said}&{language}")
    page = scene.visit(query=f"?{language}")
    state(page, "ok")
    if name == "nudge":
        fake.put("150", fake.balance["version"] + 1)
        refresh(page)
        return page
    if name == "loading":
        fake.gate.clear()
    if name == "offline":
        scene.context.set_offline(offline=True)
    show(page)
    if name in ("submitting", "error"):
        state(page, "ready", "upsell-dialog")
        if name == "submitting":
            fake.gate.clear()
        page.locator("[part=primary]").click()
    return page
