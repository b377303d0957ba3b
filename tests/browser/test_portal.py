"""Pages for customers in a real browser: bought and paid until the balance changes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.postgres import Cluster
from tests.support.servers import Server, add_keys, free_ports

pytestmark = [pytest.mark.browser, pytest.mark.pg, pytest.mark.timeout(180)]
WORDS = {
    "en": ("0 credits", "Continue to payment", "To your account", "500 credits", "Bought"),
    "fr": ("0 crédit", "Continuer vers le paiement", "Vers votre compte", "500 crédits", "Achat"),
}
PAID = {
    "en": "500 credits were added: your balance is 500 credits.",
    "fr": "500 crédits ont été ajoutés : votre solde est de 500 crédits.",
}


@dataclass(slots=True)
class Real:
    """A Comptoir that serves, with its sandbox, and what browsers have complained of."""

    server: Server
    bearer: str
    faults: list[str] = field(default_factory=list[str])

    def ask(self, method: str, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
        sent = {
            "Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json",
            "Idempotency-Key": f"{path}-{len(str(body))}-{body.get('reason', '')[:20]}",
        }  # fmt: skip
        content = json.dumps(body).encode()
        request = Request(self.server.url + path, content, sent, method=method)
        with urlopen(request, timeout=20) as reply:
            return json.load(reply)

    def enter(self, page: Page, customer: str) -> None:
        token = self.ask("POST", "/api/customer-tokens", {"customer": customer})["token"]
        page.goto(f"{self.server.url}/portal?token={token}")
        assert page.url == f"{self.server.url}/portal"

    def watch(self, page: Page) -> None:
        """Note whatever a page should not have said or asked for."""

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.faults.append(message.text)

        page.on("console", said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " e => console.error('csp: ' + e.violatedDirective + e.blockedURI))"
        )


@pytest.fixture(scope="module")
def real(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    [port] = free_ports(1)
    said = {"COMPTOIR_SANDBOX": "auto", "COMPTOIR_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with cluster.database() as database:
        server = Server(tmp_path_factory.mktemp("real"), database, port, environment=said)
        try:
            server.start().wait_until_ready()
            yield Real(server, add_keys(database)[0])
        finally:
            server.stop()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_bought_until_the_balance_changes(real: Real, chromium: Browser, language: str) -> None:
    """In French without scripts: the page looks again by itself all the same."""
    has_scripts = language == "en"
    nothing, on, back, now, bought = WORDS[language]
    with chromium.new_context(locale=language, java_script_enabled=has_scripts) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        real.watch(page)
        real.enter(page, f"ada-{language}")
        expect(page.locator("h1")).to_contain_text(nothing)
        page.get_by_role("radio").nth(1).check()
        page.get_by_role("button", name=on).click()
        page.wait_for_url("**/pay/**")
        page.locator("form button").first.click()
        page.wait_for_url(f"{real.server.url}/return?**")
        expect(page.locator("#state")).to_contain_text(PAID[language])
        page.get_by_role("link", name=back).click()
        expect(page.locator("h1")).to_contain_text(now)
        expect(page.locator("table")).to_contain_text(bought)
    assert real.faults == []


def test_a_payment_that_does_not_come_is_not_waited_for_for_ever(
    real: Real, chromium: Browser
) -> None:
    with chromium.new_context(locale="en") as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        real.watch(page)
        real.enter(page, "late")
        page.get_by_role("button", name="Continue to payment").click()
        page.wait_for_url("**/pay/**")
        bought = real.ask("POST", "/api/credits/buy", {"customer": "late", "pack": "100"})
        page.goto(f"{real.server.url}/return?purchase={bought['purchase']}&look=3")
        expect(page.locator("h1")).to_have_text("Thank you")
        page.goto(f"{real.server.url}/return?purchase={bought['purchase']}&look=5")
        expect(page.locator("h1")).to_have_text("Taking longer than usual")
        expect(page.locator("#state")).to_contain_text(bought["purchase"])
    assert real.faults == []
