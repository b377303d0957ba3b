"""A browser before a shop, and what tests of the two components look at."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.axe import violations
from tests.support.embedding import Fake, Shop, faked

SHOTS = os.environ.get("COMPTOIR_SHOTS")
"""A folder for pictures of every state, for whoever wants to look at them."""

EVENTS = [
    "credits:change", "credits:state", "credits:low", "credits:empty", "credits:error",
    "credits:buy", "upsell:open", "upsell:select", "upsell:checkout", "upsell:success",
    "upsell:dismiss", "upsell:error",
]  # fmt: skip
WATCH = f"""
window.heard = [];
for (const name of {json.dumps(EVENTS)})
  addEventListener(name, (event) => heard.push([name, event.detail]));
window.refused = [];
addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective));
"""
BADGE = '<credits-badge token-url="/api/billing-token" upsell="#up">Credits</credits-badge>'
DIALOG = '<upsell-dialog id="up" when="low empty"></upsell-dialog>'
BOTH = BADGE + DIALOG


@dataclass(slots=True)
class Scene:
    """A browser before a shop."""

    fake: Fake
    shop: Shop
    context: BrowserContext

    def visit(self, body: str = BOTH, path: str = "/", query: str = "") -> Page:
        """A page of the shop."""
        page = self.context.new_page()
        page.goto(self.shop.page(path, body) + query)
        return page


def _at_home(chromium: Browser) -> BrowserContext:
    return chromium.new_context(locale="en-GB", timezone_id="UTC")


@contextmanager
def strict(chromium: Browser) -> Iterator[Scene]:
    """Whatever a test does there, no policy may be broken and nobody else asked."""
    with faked() as (fake, shop), _at_home(chromium) as context:
        context.set_default_timeout(5_000)
        context.add_init_script(WATCH)
        asked: set[str] = set()
        context.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        fake.gate.set()
        fake.put("640", 1)
        yield Scene(fake, shop, context)
        for page in context.pages:
            assert page.evaluate("refused") == []
        assert asked <= {urlsplit(shop.url).netloc, urlsplit(shop.server.api()).netloc}
        fake.gate.set()
        fake.kill_streams()


def state(page: Page, wanted: str, element: str = "credits-badge") -> None:
    expect(page.locator(element).first).to_have_attribute("state", wanted)


def refresh(page: Page) -> None:
    page.evaluate("document.querySelector('credits-badge').refresh()")


def heard(page: Page, name: str) -> list[Any]:
    found: list[Any] = page.evaluate("heard")
    return [detail for each, detail in found if each == name]


def show(page: Page) -> None:
    page.evaluate("document.querySelector('upsell-dialog').show()")


def fits(page: Page) -> None:
    """A page as it is now is not too wide for a small telephone, nor anything too small to hit."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for each in page.locator("button:visible, a:visible, input:visible").all():
        box = each.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    page.set_viewport_size(size)


def is_right(page: Page, name: str) -> None:
    """Nothing is wrong with a page as it is now, by light and in the dark, wide and narrow."""
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for width, scheme in product((360, 1280), schemes):
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(color_scheme=scheme)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", animations="disabled")
        assert violations(page) == [], f"{name}, {scheme}, {width} px wide"
    fits(page)
