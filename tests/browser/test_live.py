"""The overview moves by a stream, says truly how old it is, and goes on without the stream."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.operators import new_login
from tests.support.postgres import Cluster
from tests.support.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
STREAM = "**/dashboard/stream"


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as site:
        site.grant("ann", "5")
        yield site


@pytest.fixture
def context(shop: Site, chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{shop.url}/login/{new_login(shop)}")
        page.get_by_role("button", name="Sign in here").click()
        page.wait_for_url(f"{shop.url}/dashboard")
        page.close()
        yield context


def opened(shop: Site, context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{shop.url}/dashboard")
    return page


def test_it_moves_by_the_stream_in_every_tab_of_which_one_listens(
    shop: Site, context: BrowserContext
) -> None:
    streams: list[str] = []
    context.on(
        "request",
        lambda asked: streams.append(asked.url) if asked.url.endswith("/stream") else None,
    )
    first = opened(shop, context)
    first.locator("#live-text[data-state=now]").wait_for()
    second = opened(shop, context)
    second.locator("#live-text[data-state=now]").wait_for()
    shop.grant("warm", "1")
    second.locator(".moves").get_by_text("warm").wait_for()
    begun = time.monotonic()
    shop.grant("somebody-new", "77")
    for page in (first, second):
        page.locator(".moves").get_by_text("somebody-new").wait_for()
    assert time.monotonic() - begun < 2
    assert len(streams) == 1
    first.close()
    shop.grant("heir", "3")
    second.locator(".moves").get_by_text("heir").wait_for()
    assert len(streams) == 2


def test_without_the_stream_it_asks_from_time_to_time_and_says_how_old_it_is(
    shop: Site, context: BrowserContext
) -> None:
    context.route(STREAM, lambda route: route.fulfill(status=204))
    page = context.new_page()
    page.clock.install()
    page.goto(f"{shop.url}/dashboard")
    shop.grant("unheard", "9")
    page.clock.run_for(5_000)
    said = page.locator("#live-text")
    assert said.get_attribute("data-state") == "ago"
    assert said.inner_text() in {f"Updated {n} s ago" for n in range(4, 8)}
    assert page.locator(".moves").get_by_text("unheard").count() == 0
    page.clock.run_for(27_000)
    page.locator(".moves").get_by_text("unheard").wait_for()
    page.context.set_offline(True)
    page.clock.run_for(1_500)
    page.locator("#live-text[data-state=offline]").wait_for()
    page.context.set_offline(False)


def test_a_page_that_nobody_sees_asks_for_nothing(shop: Site, context: BrowserContext) -> None:
    page = opened(shop, context)
    page.locator("#live-text[data-state=now]").wait_for()
    asked: list[str] = []
    ended: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: ended.append(request.url))
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', { value: Boolean(hidden), configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, "hidden")
    page.wait_for_function("() => true")
    shop.grant("unseen", "9")
    page.evaluate("htmx.trigger(document.getElementById('live'), 'changed')")
    assert asked == []
    assert [url for url in ended if url.endswith("/stream")]
    page.evaluate(hide, "")
    page.locator(".moves").get_by_text("unseen").wait_for()
    page.locator("#live-text[data-state=now]").wait_for()


def test_whoever_is_about_to_press_something_is_not_disturbed(
    shop: Site, context: BrowserContext
) -> None:
    page = opened(shop, context)
    page.locator("#live-text[data-state=now]").wait_for()
    button = page.get_by_role("button", name="Check now")
    button.focus()
    shop.grant("waits", "9")
    page.locator("#live-text[data-state=ago]").wait_for()
    assert button.evaluate("one => one === document.activeElement")
    assert page.locator(".moves").get_by_text("waits").count() == 0
    button.blur()
    page.locator(".moves").get_by_text("waits").wait_for()
