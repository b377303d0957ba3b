"""What operators do most, in a real browser and in both languages: sign in, grant, replay."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from comptoir.web.dashboard.texts import TEXTS
from comptoir.web.languages import LANGUAGES
from tests.support.operators import new_login
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages say in a language."""

    language: str

    def __call__(self, key: str) -> str:
        return TEXTS[key][LANGUAGES.index(self.language)]


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as site:
        yield site


@pytest.mark.parametrize("language", LANGUAGES)
def test_signed_in_granted_and_replayed(shop: Site, chromium: Browser, language: str) -> None:
    say, customer, event = Words(language), shop.rich("5"), fresh("evt_")
    shop.sql(
        "INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode,"
        " occurred_at, via, body, state, attempts, due_at, error) VALUES (1, 'stripe', %s,"
        " 'charge.refunded', 'pi_1', false, now(), 'webhook', '{}', 'dead', 12, NULL, 'Timeout')",
        event,
    )
    with chromium.new_context(locale=language) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.goto(f"{shop.url}/login/{new_login(shop)}")
        page.get_by_role("button", name=say("login.do")).click()
        page.wait_for_url(f"{shop.url}/dashboard")

        page.goto(f"{shop.url}/dashboard/accounts/{customer}")
        form = page.locator("form[action$='/grant']")
        button = form.get_by_role("button", name=say("do.grant"))
        form.get_by_label(say("amount")).fill("50")
        button.click()  # without a reason nothing is sent
        assert shop.balance(customer)["balance"] == "5"
        form.get_by_label(say("reason")).fill("Geste commercial")
        button.click()
        expect(page.get_by_role("status")).to_have_text(say("done.granted"))
        assert shop.balance(customer)["balance"] == "55"

        page.goto(f"{shop.url}/dashboard")
        page.get_by_role("link", name=say("do.replay")).first.click()
        page.wait_for_url("**/dashboard/webhooks/evt_*")
        replay = page.locator("form").filter(has_text=say("event.replay"))
        replay.get_by_label(say("reason")).fill("Mended")
        replay.get_by_role("button", name=say("event.replay")).click()
        expect(page.get_by_role("status")).to_have_text(say("done.replayed"))
    assert shop.sql(
        "SELECT count(*) FROM comptoir.audit WHERE action = 'replay' AND book_id = 1"
    ) >= [(1,)]
