"""Pages for operators in a real browser: nothing foreign, nothing too wide, and by keys alone."""

import os
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
WIDTHS = (320, 360, 768, 1280)
SHOTS = os.environ.get("COMPTOIR_SHOTS")
"""A folder for pictures of every page, for whoever wants to look at them."""

LONG = "a-customer-with-a-name-that-is-far-too-long-for-any-column@" + "x" * 60 + ".example"


@dataclass(slots=True)
class Shop:
    """A server with something of everything, and what it has been asked for."""

    site: Site
    pages: dict[str, str]
    faults: list[str] = field(default_factory=list[str])


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as site:
        yield Shop(site, filled(site))


def filled(site: Site) -> dict[str, str]:
    """Pages of a book in which everything is."""
    site.grant("ann@example.com", "1250.5", reason="Welcome gift", reference="order-1842")
    site.grant(LONG, "123456789012", reason="A reason that goes on and on " * 8)
    site.grant("low", "100")
    [(soon,)] = site.sql(
        "SELECT to_char(now() + interval '3 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    )
    for customer, amount in (("ann@example.com", "12.25"), ("low", "95")):
        spent = {"customer": customer, "amount": amount, "reason": "One picture"}
        assert site.post("/api/credits/spend", spent).status_code == 200
    held = {"customer": "ann@example.com", "amount": "8", "ttl_seconds": 600, "reason": "Render"}
    assert site.post("/api/credits/holds", held).status_code == 201
    product = put(site, 12_345, name="T-shirt of organic cotton, heavy, unbleached", low=5)
    put(site, 2, name="Mug", low=5)
    line = {"product": product, "size": "M", "quantity": 2}
    done = site.post("/api/stock/reservations", {"items": [line], "reference": "cart-1"})
    assert done.status_code == 201, done.text
    for name, state, kind in (("evt_1", "dead", "charge.refunded"), ("evt_2", "done", "a." * 30)):
        site.sql(
            "INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode,"
            " occurred_at, via, body, state, attempts, due_at, error) VALUES (1, 'stripe', %s, %s,"
            " 'pi_3QmX', false, now(), 'webhook', %s, %s, 12, NULL, 'Timeout')",
            name, kind, '{"id":"evt_1","data":{"object":{"id":"' + "x" * 90 + '"}}}', state,
        )  # fmt: skip
    site.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject, figures) VALUES"
        " (1, %s, 'dispute', 'du_1QmX', '{\"amount\": 7900, \"currency\": \"eur\"}')", UUID(int=7)
    )  # fmt: skip
    site.sql(
        "INSERT INTO comptoir.payments (book_id, id, purpose, amount, currency, livemode, status,"
        " received, paid_at) VALUES (1, %s, 'pack', 7900, 'eur', false, 'paid', 7900, now())",
        UUID(int=9),
    )  # fmt: skip
    site.grant(LONG, "12345678.5", reason="Ends soon", expires_at=soon)
    for action, cost in (("ai.generate", "0.04"), ("3d.render-in-a-very-high-resolution", None)):
        said = {"action": action, "amount": "5"} | ({"real_cost": cost} if cost else {})
        assert site.call("PUT", "/api/credits/prices", said).status_code in {200, 201}
        used = {"customer": LONG, "action": action}
        assert site.post("/api/credits/spend", used).status_code == 200
    site.sql(
        "INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount,"
        " currency, tax_percent, tax_included, active) SELECT 1, 'big', 1,"
        ' \'{"en": "A pack with a long name, for teams"}\', min(id), 1000 * 10 ^ min(scale),'
        " 1234567890, 'eur', 20, true, true FROM comptoir.assets"
        " WHERE book_id = 1 AND code = 'credits'"
    )
    return {
        "overview": "/dashboard", "accounts": "/dashboard/accounts",
        "account": "/dashboard/accounts/ann@example.com", "long": f"/dashboard/accounts/{LONG}",
        "stock": "/dashboard/stock", "product": f"/dashboard/stock/{product}",
        "webhooks": "/dashboard/webhooks", "webhook": "/dashboard/webhooks/evt_1",
        "cases": "/dashboard/cases", "credits": "/dashboard/credits",
        "margin": "/dashboard/margin", "missing": "/dashboard/accounts/nobody",
    }  # fmt: skip


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
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/login.png")
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_too_wide_too_small_or_foreign(
    shop: Shop, chromium: Browser, cookies: object, theme: str
) -> None:
    language = "fr-FR" if theme == "dark" else "en-GB"
    page = opened(shop, chromium, cookies, color_scheme=theme, locale=language)
    shop.faults.clear()
    for name, path in shop.pages.items():
        page.goto(shop.site.url + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, (name, width, over)
            small = page.evaluate(
                """[...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
                .filter(e => e.checkVisibility() && !e.closest('.skip, p.text, dd, p.dim'))
                .map(e => [e.textContent.trim().slice(0, 30), e.getBoundingClientRect()])
                .filter(([, r]) => r.height < 23.9 || r.width < 23.9)
                .map(([t, r]) => `${t} ${r.width}x${r.height}`)"""
            )
            assert not small, (name, width, small)
            if SHOTS and width in {360, 1280}:
                page.screenshot(path=f"{SHOTS}/{name}-{theme}-{width}.png", full_page=True)
    found = [fault for fault in shop.faults if "404" not in fault]
    assert not found
    page.context.close()


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
    page.context.close()


def test_the_overview_moves_by_itself(shop: Shop, chromium: Browser, cookies: object) -> None:
    page = opened(shop, chromium, cookies)
    page.goto(f"{shop.site.url}/dashboard")
    page.locator("#live-text[data-state=now]").wait_for()
    shop.site.grant("somebody-new", "77")
    page.locator(".moves").get_by_text("somebody-new").wait_for()
    page.context.set_offline(True)
    page.locator("#live-text[data-state=offline]").wait_for()
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
    page.context.close()
