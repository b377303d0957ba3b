"""Pages for operators in a real browser: by keys alone, and without scripts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from comptoir.domains.identity.operators import hash_secret
from tests.support.counter import put
from tests.support.postgres import Cluster
from tests.support.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@dataclass(slots=True)
class Shop:
    """A server, and what its pages should not have done."""

    site: Site
    faults: list[str] = field(default_factory=list[str])


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as site:
        site.grant("low", "100")
        spent = {"customer": "low", "amount": "95", "reason": "One picture"}
        assert site.post("/api/credits/spend", spent).status_code == 200
        put(site, 12_345, name="T-shirt", low=5)
        yield Shop(site)


@pytest.fixture(scope="module")
def cookies(shop: Shop, chromium: Browser) -> list[dict[str, str]]:
    """Signed in by the address and its button, with scripts and without."""
    for number in (1, 2):
        secret = f"{number:043d}"
        shop.site.sql(
            "INSERT INTO comptoir.operator_logins (book_id, id, hash, name, role, expires_at)"
            " VALUES (1, %s, %s, 'Ann', 'admin', now() + interval '1 hour')",
            UUID(int=number), hash_secret(secret),
        )  # fmt: skip
        with chromium.new_context(java_script_enabled=number == 1) as context:
            page = context.new_page()
            page.goto(f"{shop.site.url}/login/{secret}")
            page.get_by_role("button", name="Sign in here").click()
            page.wait_for_url(f"{shop.site.url}/dashboard")
            kept = [dict(each) for each in context.cookies()]
    return kept  # type: ignore[return-value]


def opened(shop: Shop, chromium: Browser, cookies: object, **more: object) -> Page:
    """A page that notes whatever it should not have asked for or done."""
    context = chromium.new_context(**more)  # type: ignore[arg-type]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)

    def asked(address: str) -> None:
        if not address.startswith((shop.site.url, "data:")):
            shop.faults.append(f"foreign: {address}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            shop.faults.append(message.text)

    page.on("request", lambda request: asked(request.url))
    page.on("pageerror", lambda error: shop.faults.append(f"error: {error}"))
    page.on("console", said)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('csp: ' + e.blockedURI))"
    )
    return page


def test_a_grant_by_keys_alone_acts_once(shop: Shop, chromium: Browser, cookies: object) -> None:
    page = opened(shop, chromium, cookies)
    page.goto(f"{shop.site.url}/dashboard")
    page.keyboard.press("?")
    page.locator("#keys").wait_for(state="visible")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/dashboard/accounts")
    page.keyboard.press("/")
    page.keyboard.type("low")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/accounts/low")
    page.get_by_label("Amount (credits)").focus()
    page.keyboard.type("50")
    page.keyboard.press("Tab")
    page.keyboard.type("Goodwill")
    form = page.locator("form[action$='/grant']")
    form.evaluate("f => { f.requestSubmit(); f.requestSubmit(); f.submit(); }")
    page.get_by_role("status").wait_for()
    assert "granted" in page.get_by_role("status").inner_text()
    assert shop.site.balance("low")["balance"] == "55"
    assert page.get_by_text("Goodwill").count() >= 1
    assert not [each for each in shop.faults if each.startswith(("csp", "foreign"))]
    page.context.close()


def test_the_overview_moves_by_itself(shop: Shop, chromium: Browser, cookies: object) -> None:
    page = opened(shop, chromium, cookies)
    page.goto(f"{shop.site.url}/dashboard")
    page.locator("#live-text[data-state=now]").wait_for()
    shop.site.grant("somebody-new", "77")
    page.locator(".moves").get_by_text("somebody-new").wait_for()
    page.locator(".moves").get_by_role("link", name="TEE").first.wait_for()
    page.context.set_offline(True)
    page.locator("#live-text[data-state=offline]").wait_for()
    assert not [each for each in shop.faults if each.startswith(("csp", "foreign"))]
    page.context.close()


def test_it_works_without_scripts(shop: Shop, chromium: Browser, cookies: object) -> None:
    page = opened(shop, chromium, cookies, java_script_enabled=False)
    page.goto(f"{shop.site.url}/dashboard/stock")
    page.get_by_role("link", name="T-shirt").first.click()
    page.get_by_label("Change").fill("5")
    page.get_by_label("Reason").fill("Delivery 18")
    page.get_by_role("button", name="Receive").click()
    assert "journal" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    page.get_by_role("button", name="Sombre").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert not [each for each in shop.faults if each.startswith(("csp", "foreign"))]
    page.context.close()
