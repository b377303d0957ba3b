"""The badge on a shop's page, under the strictest policy, from another origin."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.embedded_pages import (
    BADGE,
    BOTH,
    Scene,
    fits,
    heard,
    refresh,
    show,
    state,
)  # fmt: skip

pytestmark = pytest.mark.browser


# What a badge shows.


def test_a_badge_from_loading_to_offline(scene: Scene) -> None:
    fake = scene.fake
    fake.gate.clear()
    page = scene.visit(BADGE)
    badge = page.locator("credits-badge")
    state(page, "loading")
    width = badge.bounding_box()
    fits(page)
    fake.gate.set()
    state(page, "ok")
    expect(badge).to_contain_text("640 credits")
    assert badge.bounding_box() == pytest.approx(width, abs=0.1)
    fits(page)
    for available, version, wanted, text in (
        ("150", 2, "low", "150 credits"), ("0", 3, "empty", "0 credits"),
    ):  # fmt: skip
        fake.put(available, version)
        refresh(page)
        state(page, wanted)
        expect(badge).to_contain_text(text)
        fits(page)
    fake.status = 503
    for wanted in ("stale", "stale", "offline"):
        refresh(page)
        state(page, wanted)
    expect(badge).to_contain_text("0 credits")
    expect(badge.locator("button")).to_have_attribute("title", re.compile("As of 8:41.PM"))
    fits(page)
    fake.status = 200
    refresh(page)
    state(page, "empty")


def test_the_browser_says_that_it_is_offline(scene: Scene) -> None:
    page = scene.visit(BADGE)
    state(page, "ok")
    scene.context.set_offline(True)
    state(page, "offline")
    scene.fake.put("600", 2)
    scene.context.set_offline(False)
    state(page, "ok")
    expect(page.locator("credits-badge")).to_contain_text("600")


def test_an_error_is_tried_again_by_a_click(scene: Scene) -> None:
    scene.fake.status = 500
    page = scene.visit(BADGE)
    state(page, "error")
    fits(page)
    [error] = heard(page, "credits:error")
    assert (error["code"], error["message"], error["requestId"]) == ("busy", "Not now.", "req-1")
    assert 27_000 <= error["retryInMs"] <= 33_000 or error["retryInMs"] == 0
    scene.fake.status = 200
    page.get_by_role("button", name="Try again").click()
    state(page, "ok")


def test_signed_out_after_two_refusals(scene: Scene) -> None:
    scene.fake.status = 401
    page = scene.visit(BADGE)
    state(page, "signed-out")
    assert scene.shop.server.tokens == 2
    assert scene.fake.asked["/api/credits/balance"] == 2
    assert [each["code"] for each in heard(page, "credits:error")] == ["unauthorized"]
    fits(page)
    scene.fake.status = 200
    page.get_by_role("button", name="Sign in").click()
    state(page, "ok")


def test_signed_out_at_the_shop(scene: Scene) -> None:
    scene.fake.token_status = 401
    page = scene.visit(BADGE)
    state(page, "signed-out")
    assert scene.fake.asked["/api/credits/balance"] == 0


@pytest.mark.parametrize("variant", ["pill", "inline", "bar", "dot"])
def test_variants(scene: Scene, variant: str) -> None:
    page = scene.visit(BADGE.replace(" upsell", f' variant="{variant}" upsell'))
    state(page, "ok")
    expect(page.get_by_role("button", name="640 credits Buy credits")).to_be_visible()
    fits(page)


def test_a_number_that_is_nobody_elses_to_see(scene: Scene) -> None:
    page = scene.visit(BADGE.replace(" upsell", ' hide-amount variant="bar" upsell'))
    state(page, "ok")
    assert "640" not in page.locator("credits-badge").inner_text()


def test_in_french(scene: Scene) -> None:
    scene.fake.put("12640.5", 2)
    page = scene.visit(BOTH, query="?lang=fr")
    expect(page.locator("credits-badge")).to_contain_text("12 640,5 crédits")
    show(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("0,19 € par crédit · TVA 20 % comprise")
    expect(dialog).to_contain_text("19,00 €")
    fits(page)


def test_what_is_read_aloud(scene: Scene) -> None:
    page = scene.visit(BADGE + BADGE)
    state(page, "ok")
    spoken = page.locator("credits-badge").first.locator("[role=status]")
    expect(spoken).to_have_text("")
    scene.fake.put("150", 2)
    refresh(page)
    expect(spoken).to_have_text("Low: 150 credits left")
    expect(page.locator("credits-badge").last.locator("[role=status]")).to_have_text("")
    scene.fake.put("0", 3)
    refresh(page)
    expect(spoken).to_have_text("No credits left")


def test_events_once_a_crossing(scene: Scene) -> None:
    page = scene.visit(BADGE)
    state(page, "ok")
    for version, available in enumerate(
        ("150", "140", "205", "190", "0", "20", "0", "260", "199"), 2
    ):
        scene.fake.put(available, version)
        refresh(page)
        expect(page.locator("credits-badge")).to_contain_text(f"{available} credits")
    assert [each["available"] for each in heard(page, "credits:low")] == ["150", "199"]
    assert [each["available"] for each in heard(page, "credits:empty")] == ["0"]
    assert [each["delta"] for each in heard(page, "credits:change")][:3] == [0, -490, -10]
    shown = heard(page, "credits:change")[0]
    assert (shown["reference"], shown["version"], shown["unit"]) == ("1000", 1, "credits")


def test_a_number_never_goes_backwards(scene: Scene) -> None:
    page = scene.visit(BADGE)
    state(page, "ok")
    for version, available in ((5, "500"), (3, "300"), (4, "400")):
        scene.fake.put(available, version)
        refresh(page)
        page.wait_for_function("document.querySelector('credits-badge').balance.version === 5")
    expect(page.locator("credits-badge")).to_contain_text("500 credits")
    scene.fake.put("7", 1, "bob")
    refresh(page)
    expect(page.locator("credits-badge")).to_contain_text("7 credits")


# How it hears of news.


def test_five_tabs_share_one_stream(scene: Scene) -> None:
    scene.fake.streams = True
    pages = [scene.visit(BADGE) for _ in range(5)]
    for page in pages:
        state(page, "ok")
    scene.fake.put("150", 2)
    for page in pages:
        state(page, "low")
    assert scene.fake.most_streams == 1
    assert scene.fake.asked["/api/stream"] == 1
    pages[0].close()
    with scene.fake.changed:
        assert scene.fake.changed.wait_for(lambda: scene.fake.asked["/api/stream"] == 2, 10)
    scene.fake.put("0", 3)
    for page in pages[1:]:
        state(page, "empty")


def test_polling_takes_over_from_a_killed_stream(scene: Scene) -> None:
    scene.fake.streams = True
    page = scene.context.new_page()
    page.clock.install()
    page.goto(scene.shop.page("/", BADGE))
    state(page, "ok")
    scene.fake.put("600", 2)
    expect(page.locator("credits-badge")).to_contain_text("600")
    scene.fake.kill_streams()
    asked = scene.fake.asked["/api/credits/balance"]
    scene.fake.put("500", 3)
    page.clock.run_for(33_000)
    expect(page.locator("credits-badge")).to_contain_text("500")
    assert scene.fake.asked["/api/credits/balance"] == asked + 1
    page.clock.run_for(33_000)
    with scene.fake.changed:
        assert scene.fake.changed.wait_for(lambda: scene.fake.asked["304"] >= 1, 5)


HIDE = """
(isHidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event('visibilitychange'));
}
"""


def test_nothing_while_hidden(scene: Scene) -> None:
    page = scene.context.new_page()
    page.clock.install()
    with page.expect_response(lambda reply: "/api/stream" in reply.url):
        page.goto(scene.shop.page("/", BADGE))
    state(page, "ok")
    page.evaluate(HIDE, arg=True)
    asked = scene.fake.asked.total()
    page.clock.run_for(200_000)
    assert scene.fake.asked.total() == asked
    scene.fake.put("600", 2)
    page.evaluate(HIDE, arg=False)
    expect(page.locator("credits-badge")).to_contain_text("600")


def test_a_token_is_renewed_before_it_ends(scene: Scene) -> None:
    body = BADGE.replace('token-url="/api/billing-token"', "")
    page = scene.visit(body)
    state(page, "loading")
    page.evaluate(
        """() => {
          window.given = 0;
          document.querySelector('credits-badge').tokenProvider = async () => {
            given += 1;
            return { token: 'ct_test', expires_at: new Date(Date.now() + 62_000).toISOString() };
          };
        }"""
    )
    state(page, "ok")
    refresh(page)
    assert page.evaluate("given") == 1
    page.clock.install()
    page.clock.set_fixed_time("2099-01-01")
    refresh(page)
    page.wait_for_function("given === 2")


def test_the_store_is_there_for_other_code(scene: Scene) -> None:
    page = scene.visit(BADGE)
    state(page, "ok")
    found = page.evaluate(
        """async (address) => {
          const store = await import(address);
          const seen = [];
          store.subscribe(() => seen.push(store.balance().available));
          await store.refresh();
          return [store.balance().available, store.isLow(), seen.at(-1)];
        }""",
        f"{scene.shop.server.api()}/embed.js",
    )
    assert found == ["640", False, "640"]
