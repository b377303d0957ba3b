"""The first minute: one demo, its address, its boxes as they are pasted, and its receipt."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.request import OpenerDirector

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from comptoir.app.demo import State
from comptoir.config import surroundings
from scripts import first_minute
from scripts.first_minute import LIMIT, on_terminal, origin_of, shop_at, signed_in, wait_for_two
from tests.support import axe
from tests.support.pictures import keep

pytestmark = [pytest.mark.pg, pytest.mark.slow, pytest.mark.timeout(240)]
DEADLINE = 90.0
MINUTES = 3_600
"""Of traffic before the race begins by itself: here a button begins it."""


@dataclass(slots=True)
class Shop:
    """A demo on a terminal, and somebody who has signed in to it."""

    url: str
    browser: OpenerDirector
    cookie: str
    folder: Path
    seconds: float

    def page(self, path: str = "/dashboard") -> str:
        with self.browser.open(self.url + path) as answer:
            return answer.read().decode()

    @property
    def state(self) -> State:
        """How the demo is, as its server hears it."""
        [path] = self.folder.glob("comptoir-*/**/stage.sock")
        return msgspec.json.decode(heard(path), type=State)


def heard(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(path))
        asking.sendall(b'"look"\n')
        return b"".join(iter(lambda: asking.recv(65_536), b""))


@pytest.fixture(scope="module")
def demo() -> Iterator[Shop]:
    """The demo as `make demo` runs it; when it is left it has ended well and left nothing."""
    with tempfile.TemporaryDirectory(prefix="d-", dir="/tmp") as place:
        folder = Path(place)
        more = surroundings(folder, "en") | {"TMPDIR": place, "CI": "yes"}
        begun = time.monotonic()
        with on_terminal(_command("--seconds", str(MINUTES)), folder, more) as terminal:
            login = shop_at(terminal)
            browser, cookie = signed_in(login)
            wait_for_two(browser, login)
            shop = Shop(origin_of(login), browser, cookie, folder, time.monotonic() - begun)
            until(lambda: "Demo data" in shop.page(), "the server does not hear of the demo")
            yield shop
            assert terminal.interrupt() == 0, terminal.printed.decode(errors="replace")[-2_000:]
        assert not list(folder.glob("comptoir-demo-*"))


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "comptoir.cli", "demo", *options]


def until(done: Callable[[], Any], what: str) -> Any:  # noqa: ANN401  # whatever is waited for
    deadline = time.monotonic() + DEADLINE
    while not (found := done()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def test_the_dashboard_moves_within_a_minute(demo: Shop):
    assert demo.seconds < LIMIT
    assert demo.state.moves


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_from_a_clone_to_a_dashboard_that_moves_in_a_minute():
    ended = subprocess.run([sys.executable, first_minute.__file__], check=False, text=True)
    assert ended.returncode == 0


@pytest.mark.parametrize("box", ["http", "python", "trigger"])
def test_what_is_pasted_works_and_ticks(demo: Shop, box: str):
    tick = f'id="tick-{box}" role="status">✓'
    assert tick not in demo.page()
    ended = subprocess.run(
        ["/bin/bash", "-c", demo.state.boxes[box]], cwd=demo.folder, check=False, timeout=DEADLINE,
        env=surroundings(demo.folder, "en"), capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert {
        "http": '"kind":"spend","amount":"-1.5"', "python": "\n", "trigger": "granted once",
    }[box] in ended.stdout  # fmt: skip
    until(lambda: tick in demo.page(), f"{box} did not tick")


@pytest.mark.browser
def test_a_badge_in_a_page_of_ones_own_shows_the_balance(demo: Shop, chromium: Browser):
    page = chromium.new_page()
    page.set_content(f"<!doctype html><title>Mine</title>{demo.state.boxes['badge']}")
    page.locator("credits-badge[state=ok]").wait_for(timeout=20_000)
    until(lambda: 'id="tick-badge" role="status">✓' in demo.page(), "the badge did not tick")
    page.close()


@pytest.mark.browser
def test_try_to_break_it_in_both_languages(demo: Shop, chromium: Browser):
    page = opened(demo, chromium, "en-GB")
    page.goto(f"{demo.url}/dashboard")
    first = page.locator(".moves tbody").inner_text()
    page.wait_for_function(
        "before => document.querySelector('.moves tbody').innerText !== before", arg=first
    )
    for _ in "12":  # the boxes are asked for every second, beside what is live
        with page.expect_response(lambda each: "/dashboard/turn" in each.url):
            pass
        assert page.locator("#live-text").get_attribute("data-state") == "now"
    page.get_by_role("button", name="Try to break it").click()
    page.wait_for_url("**/dashboard/receipt")
    form: dict[str, str | float | bool] = {
        "csrf": page.locator("[name=csrf]").first.get_attribute("value") or ""
    }
    again = page.request.post(
        f"{demo.url}/dashboard/demo/break", form=form, headers={"Origin": demo.url}
    )
    assert again.ok
    right = page.get_by_text("10 sold, 490 refused, 0 oversold, 50 deliveries → 1 credit")
    right.wait_for(timeout=DEADLINE * 1_000)
    page.get_by_role("button", name="Try to break it").wait_for()
    assert demo.state.number == 1, "a second press began another race"
    looks_right(page, demo)
    for link in ("See its movements", "See the webhook", "See the buyer's account"):
        page.get_by_role("link", name=link).click()
        assert page.locator("h1").inner_text() != "Not found", link
        page.go_back()
    page.get_by_role("button", name="Check the books now").click()
    page.get_by_text("Balanced").first.wait_for()
    page.context.close()
    page = opened(demo, chromium, "fr-FR")
    page.goto(f"{demo.url}/dashboard/receipt")
    page.get_by_text("10 vendues, 490 refusés, 0 en trop, 50 livraisons → 1 crédit").wait_for()
    page.get_by_text("Équilibrés", exact=True).wait_for()
    page.get_by_role("button", name="Arrêter le trafic").click()
    page.get_by_role("button", name="Lancer le trafic").click()
    page.get_by_role("button", name="Arrêter le trafic").wait_for()
    page.context.close()
    outcome = demo.state.outcome
    assert outcome is not None
    assert outcome.faults == []
    assert (outcome.sold, outcome.oversold, outcome.grants, outcome.balanced) == (10, 0, 1, True)


def looks_right(page: Page, demo: Shop) -> None:
    """Nothing is too wide, and axe finds nothing, light and dark; pictures are kept of it."""
    for name, path in (("first-minute", "/dashboard"), ("receipt", "/dashboard/receipt")):
        page.goto(demo.url + path)
        for theme, width in product(("light", "dark"), (320, 360, 768, 1280)):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, (path, width, over)
            if width in {360, 1280}:
                assert axe.violations(page) == [], (path, theme, width)
                keep(page, name, theme)


def opened(demo: Shop, chromium: Browser, language: str) -> Page:
    context = chromium.new_context(locale=language)
    name, _, value = demo.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": demo.url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page
