"""Orders in a real browser: what is set aside counts down and expires, and money goes back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from comptoir.domains.identity.operators import hash_secret
from tests.support.counter import CLEAN, RESERVATIONS, buy, cart, environment, pay, put
from tests.support.operators import new_id
from tests.support.postgres import Cluster
from tests.support.sandbox import Provider, provider
from tests.support.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
LIST = "/dashboard/orders"


@dataclass(slots=True)
class Seller:
    """A shop that sells through the sandbox, and who has signed in there."""

    site: Site
    stripe: Provider
    cookie: str


@pytest.fixture(scope="module")
def seller(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seller]:
    home = tmp_path_factory.mktemp("home")
    with (
        provider() as stripe,
        cluster.database() as base,
        serving(base, home, **environment(stripe)) as site,
    ):
        token = "t" * 43
        site.sql(
            "INSERT INTO comptoir.operator_sessions (book_id, id, hash, name, role, shown_book,"
            " expires_at) VALUES (1, %s, %s, 'Ann', 'admin', 1, now() + interval '1 hour')",
            new_id(), hash_secret(token),
        )  # fmt: skip
        yield Seller(site, stripe, token)


def opened(seller: Seller, chromium: Browser, path: str, language: str, **more: object) -> Page:
    context = chromium.new_context(locale=language, **more)  # type: ignore[arg-type]
    cookie = {"name": "comptoir-operator", "value": seller.cookie, "url": seller.site.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(seller.site.url + path)
    return page


def test_a_reservation_counts_down_and_expires(seller: Seller, chromium: Browser) -> None:
    site = seller.site
    aside = {**cart(put(site, 5), 2), "reference": "cart-1", "minutes": 1}
    order = site.post(RESERVATIONS, aside).json()["reservation"]
    said = {
        "en-GB": ("set aside", "time is over", "expired", "Release the reservation", "given back"),
        "fr-FR": ("mise de côté", "délai écoulé", "expirée", "Libérer la réservation", "rendu au"),
    }  # fmt: skip
    site.sql(
        "UPDATE comptoir.orders SET expires_at = now() + interval '9 seconds' WHERE id = %s", order
    )
    pages = {each: opened(seller, chromium, f"{LIST}/{order}", each) for each in said}
    for language, page in pages.items():
        expect(page.locator("#state")).to_contain_text(said[language][0])
        expect(page.get_by_role("button", name=said[language][3])).to_be_visible()
        expect(page.locator("#state .countdown")).to_have_text(re.compile(r"^0:0[1-5]$"))
    for language, page in pages.items():
        expect(page.locator("#state")).to_contain_text(said[language][1], timeout=15_000)
    assert site.post(CLEAN, {}).json()["released"] == 1
    for language, page in pages.items():
        expect(page.locator("#state")).to_have_text(said[language][2], timeout=15_000)
        expect(page.get_by_role("button", name=said[language][3])).to_have_count(0)
        expect(page.locator("#order")).to_contain_text(said[language][4])
        expect(page.locator("#live-text")).to_have_attribute("data-state", "now")
        page.context.close()


def test_an_order_is_refunded_from_its_page(seller: Seller, chromium: Browser) -> None:
    site = seller.site
    begun = buy(site, put(site, 5), 2, customer="ann@example.com")
    page = opened(seller, chromium, f"{LIST}/{begun['order']}", "en-GB")
    expect(page.get_by_role("button", name="Cancel the order")).to_be_visible()
    number = pay(site, seller.stripe, begun)["order_number"]
    # What may be done comes along with the new state, and nothing was loaded anew.
    expect(page.get_by_role("button", name="Refund", exact=True)).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Cancel the order")).to_have_count(0)
    page.get_by_label("Amount in EUR").fill("12.50")
    refund = page.locator("form[action$='/refund']")
    refund.get_by_label("Reason").fill("A stain")
    refund.evaluate("f => { f.requestSubmit(); f.requestSubmit(); f.submit(); }")
    expect(page.get_by_role("status")).to_contain_text("refund is asked for")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Order {number}")
    expect(page.locator("#order")).to_contain_text("37.50 EUR")
    page.locator("form[action$='/refund']").get_by_label("Reason").fill("All of it")
    page.get_by_role("button", name="Refund", exact=True).click()
    expect(page.locator("#state")).to_have_text("refunded")
    paid = site.sql("SELECT amount FROM comptoir.refunds WHERE payment_id = %s ORDER BY id",
                    begun["order"])  # fmt: skip
    assert paid == [(1250,), (3750,)]
    page.context.close()
