"""The two components on a shop's page, under the strictest policy, from another origin."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from comptoir.web import assets
from tests.support.axe import violations
from tests.support.embedding import Fake, Shop, faked, shop
from tests.support.postgres import Cluster
from tests.support.servers import Server, add_keys, free_ports

pytestmark = pytest.mark.browser

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
LIGHT_BYTES = 8 * 1024


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


@pytest.fixture
def scene(chromium: Browser) -> Iterator[Scene]:
    """Whatever a test does there, no policy may be broken and nobody else asked."""
    said = {"locale": "en-GB", "timezone_id": "UTC"}
    with faked() as (fake, shop), chromium.new_context(**said) as context:
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
    """Nothing is wrong with a page as it is now: by axe's rules and by ours."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for each in page.locator("button:visible, a:visible, input:visible").all():
        box = each.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    page.set_viewport_size({"width": 1280, "height": 720})


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
    for version, available in enumerate(("150", "140", "205", "190", "0", "20", "0", "260", "199"), 2):
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
    page.goto(scene.shop.page("/", BADGE))
    state(page, "ok")
    page.evaluate(HIDE, True)
    asked = scene.fake.asked.total()
    page.clock.run_for(200_000)
    assert scene.fake.asked.total() == asked
    scene.fake.put("600", 2)
    page.evaluate(HIDE, False)
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


# What is sold.


def test_a_dialog_in_each_of_its_states(scene: Scene) -> None:
    fake = scene.fake
    page = scene.visit()
    state(page, "ok")
    state(page, "closed", "upsell-dialog")
    assert fake.asked["/api/credits/packs"] == 0
    fake.gate.clear()
    page.get_by_role("button", name="640 credits").click()
    state(page, "loading", "upsell-dialog")
    fits(page)
    fake.gate.set()
    state(page, "ready", "upsell-dialog")
    fits(page)
    page.get_by_role("radio", name="500 credits").check()
    fake.gate.clear()
    page.get_by_role("button", name="Continue to payment").click()
    state(page, "submitting", "upsell-dialog")
    fits(page)
    fake.buying = 502
    fake.gate.set()
    state(page, "error", "upsell-dialog")
    expect(page.get_by_role("dialog")).to_contain_text("Stripe does not answer.")
    fits(page)
    assert [each["code"] for each in heard(page, "upsell:error")] == ["provider-down"]
    page.get_by_role("button", name="Try again").click()
    state(page, "ready", "upsell-dialog")
    expect(page.get_by_role("radio", name="500 credits")).to_be_checked()
    page.keyboard.press("Escape")
    state(page, "closed", "upsell-dialog")
    assert heard(page, "upsell:dismiss") == [{"reason": "badge", "how": "escape"}]
    expect(page.locator("credits-badge button")).to_be_focused()


@pytest.mark.parametrize("wanted", ["nopack", "offline"])
def test_a_dialog_with_nothing_to_choose(scene: Scene, wanted: str) -> None:
    page = scene.visit()
    state(page, "ok")
    if wanted == "nopack":
        scene.fake.packs = []
    else:
        scene.context.set_offline(True)
    show(page)
    state(page, wanted, "upsell-dialog")
    fits(page)
    page.get_by_role("button", name="Close").click()
    state(page, "closed", "upsell-dialog")


def test_the_keyboard_alone(scene: Scene) -> None:
    page = scene.visit()
    state(page, "ok")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    state(page, "ready", "upsell-dialog")
    expect(page.get_by_role("heading", name="Buy credits")).to_be_focused()
    focused: list[str] = []
    for _ in range(5):
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate(
                "document.activeElement.shadowRoot?.activeElement?.textContent"
                " ?? document.activeElement.tagName"
            )
        )
    assert focused[:3] == ["", "Continue to payment", "Close"]
    assert "640 credits Buy credits" not in focused
    page.get_by_role("radio", name="100 credits").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="500 credits")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/paying?500")


def test_three_submits_make_one_checkout(scene: Scene) -> None:
    page = scene.visit()
    state(page, "ok")
    show(page)
    state(page, "ready", "upsell-dialog")
    scene.fake.gate.clear()
    pay = page.get_by_role("button", name="Continue to payment")
    for _ in range(3):
        pay.click()
    scene.fake.buying = 502
    scene.fake.gate.set()
    state(page, "error", "upsell-dialog")
    assert scene.fake.asked["/api/credits/buy"] == 1
    scene.fake.buying = 201
    page.get_by_role("button", name="Try again").click()
    pay.click()
    page.wait_for_url("**/paying?100")
    page.go_back()
    show(page)
    state(page, "ready", "upsell-dialog")
    pay.click()
    page.wait_for_url("**/paying?100")
    assert len(scene.fake.keys) == 3
    assert len(set(scene.fake.keys)) == 1


def test_it_invites_when_low_and_insists_when_empty(scene: Scene) -> None:
    page = scene.visit()
    state(page, "ok")
    scene.fake.put("150", 2)
    refresh(page)
    nudge = page.locator("[part=nudge]")
    expect(nudge).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    fits(page)
    nudge.get_by_role("button", name="Close").click()
    expect(nudge).to_be_hidden()
    scene.fake.put("140", 3)
    refresh(page)
    expect(page.locator("credits-badge")).to_contain_text("140")
    expect(nudge).to_be_hidden()
    scene.fake.put("0", 4)
    refresh(page)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert [(each["reason"], each["auto"]) for each in heard(page, "upsell:open")] == [
        ("low", True), ("empty", True),
    ]  # fmt: skip
    page.reload()
    state(page, "empty")
    state(page, "closed", "upsell-dialog")
    assert heard(page, "upsell:open") == []


def test_a_modal_for_whoever_wants_no_nudge(scene: Scene) -> None:
    scene.fake.put("150", 2)
    page = scene.visit(BADGE + DIALOG.replace(" when", ' nudge="off" when'))
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("You have 150 credits left.")


@pytest.mark.parametrize("busy", ["typing", "modal"])
def test_it_disturbs_nobody(scene: Scene, busy: str) -> None:
    page = scene.visit(BOTH + "<label>Note <input id=note></label><dialog id=own>Own</dialog>")
    state(page, "ok")
    if busy == "typing":
        page.locator("#note").focus()
    else:
        page.evaluate("own.showModal()")
    scene.fake.put("0", 2)
    refresh(page)
    state(page, "empty")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    state(page, "closed", "upsell-dialog")
    if busy == "typing":
        page.evaluate("document.activeElement.blur()")
    else:
        page.evaluate("own.close()")
        refresh(page)
    expect(page.locator("upsell-dialog")).to_have_attribute("open", "modal")


def test_a_host_can_say_no(scene: Scene) -> None:
    page = scene.visit()
    state(page, "ok")
    page.evaluate("addEventListener('credits:buy', (event) => event.preventDefault())")
    page.locator("credits-badge button").click()
    page.evaluate("addEventListener('upsell:open', (event) => event.preventDefault())")
    show(page)
    state(page, "closed", "upsell-dialog")
    assert scene.fake.asked["/api/credits/packs"] == 0


# What comes back.


def test_back_from_paying(scene: Scene) -> None:
    fake = scene.fake
    fake.bought = "pending"
    fake.gate.clear()
    page = scene.visit(query="?checkout=success&purchase=abc&x=1")
    state(page, "confirming", "upsell-dialog")
    assert page.url.endswith("/?x=1")
    fits(page)
    fake.bought = "granted"
    fake.put("1140", 9)
    fake.gate.set()
    state(page, "success", "upsell-dialog")
    expect(page.get_by_role("dialog")).to_contain_text("Done. You have 1,140 credits.")
    expect(page.locator("credits-badge")).to_contain_text("1,140")
    assert heard(page, "upsell:success") == [{"available": "1140", "version": 9}]
    fits(page)


def test_it_never_spins_for_ever(scene: Scene) -> None:
    scene.fake.bought = "pending"
    page = scene.context.new_page()
    page.clock.install()
    page.goto(scene.shop.page("/", BOTH) + "?purchase=abc")
    state(page, "confirming", "upsell-dialog")
    page.clock.run_for(20_001)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This takes longer than usual.")
    expect(dialog).to_contain_text("Reference: abc")
    scene.fake.bought = "granted"
    scene.fake.put("1140", 9)
    page.clock.run_for(61_000)
    state(page, "success", "upsell-dialog")


@pytest.mark.parametrize(("status", "wanted"), [("failed", "error"), ("refunded", "error")])
def test_a_payment_that_came_to_nothing(scene: Scene, status: str, wanted: str) -> None:
    scene.fake.bought = status
    page = scene.visit(query="?purchase=abc")
    state(page, wanted, "upsell-dialog")
    assert heard(page, "upsell:success") == []


def test_back_without_having_paid(scene: Scene) -> None:
    page = scene.visit(query="?checkout=cancelled")
    state(page, "cancelled", "upsell-dialog")
    fits(page)
    page.get_by_role("button", name="Try again").click()
    state(page, "ready", "upsell-dialog")


def test_back_where_nobody_knows_the_purchase(scene: Scene) -> None:
    page = scene.visit(query="?checkout=success")
    state(page, "confirming", "upsell-dialog")
    scene.fake.put("1140", 9)
    state(page, "success", "upsell-dialog")


def test_in_another_tab(scene: Scene) -> None:
    scene.fake.bought = "pending"
    page = scene.visit(BADGE + DIALOG.replace(" when", ' mode="tab" when'))
    state(page, "ok")
    show(page)
    state(page, "ready", "upsell-dialog")
    with scene.context.expect_page() as paying:
        page.get_by_role("button", name="Continue to payment").click()
    paying.value.wait_for_url("**/paying?100")
    expect(page.get_by_role("dialog")).to_contain_text("Waiting for your payment.")
    scene.fake.put("740", 2)
    scene.fake.bought = "granted"
    state(page, "success", "upsell-dialog")


# The real one.


@dataclass(slots=True)
class Real:
    """A Comptoir that serves, with its sandbox, and a shop beside it."""

    server: Server
    service: str
    shop: Shop

    def ask(self, path: str, body: dict[str, Any], **headers: str) -> Any:  # noqa: ANN401  # JSON
        sent = {"Authorization": f"Bearer {self.service}", "Content-Type": "application/json"}
        request = Request(self.server.url + path, json.dumps(body).encode(), sent | headers)
        with urlopen(request, timeout=20) as reply:
            return json.load(reply)


@pytest.fixture(scope="module")
def real(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    [port] = free_ports(1)
    here: list[Real] = []
    ask = {"customer": "ada", "ttl_seconds": 900}
    give = lambda: (200, here[0].ask("/api/customer-tokens", ask))  # noqa: E731  # it is one line
    folder = tmp_path_factory.mktemp("real")
    with cluster.database() as database, shop(give, lambda: f"http://127.0.0.1:{port}") as beside:
        said = {"CORS_ORIGINS": beside.url, "COMPTOIR_SANDBOX": "auto"}
        server = Server(folder, database, port, environment=said)
        try:
            server.start().wait_until_ready()
            here.append(Real(server, add_keys(database)[1], beside))
            yield here[0]
        finally:
            server.stop()


def test_buying_until_the_badge_changes(real: Real, chromium: Browser) -> None:
    with chromium.new_context(locale="fr-FR") as context:
        context.set_default_timeout(5_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(real.shop.page("/", BADGE + DIALOG) + "?lang=fr")
        state(page, "empty")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Acheter des crédits")
        page.get_by_role("radio", name="500").check()
        page.get_by_role("button", name="Continuer vers le paiement").dblclick()
        page.wait_for_url("**/pay/**")
        page.locator("form button").first.click()
        page.wait_for_url(f"{real.shop.url}/**")
        state(page, "success", "upsell-dialog")
        expect(dialog).to_contain_text("C’est fait. Vous avez 500 crédits.")
        expect(page.locator("credits-badge")).to_contain_text("500 crédits")
        [done] = heard(page, "upsell:success")
        assert done["available"] == "500"
        assert page.evaluate("refused") == []
        spent = {"customer": "ada", "amount": 410}
        real.ask("/api/credits/spend", spent, **{"Idempotency-Key": "spent"})
        refresh(page)
        state(page, "low")


def test_where_the_module_is(real: Real) -> None:
    with urlopen(f"{real.server.url}/embed.json", timeout=20) as reply:
        pinned = json.load(reply)
    found = {}
    for path in ("/embed.js", pinned["src"], "/embed.d.ts", "/custom-elements.json"):
        with urlopen(real.server.url + path, timeout=20) as reply:
            found[path] = reply.read()
            lasting = "immutable" if path == pinned["src"] else "max-age=300"
            assert lasting in reply.headers["Cache-Control"]
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert found["/embed.js"] == found[pinned["src"]]
    digest = b64encode(sha384(found["/embed.js"]).digest()).decode()
    assert pinned["integrity"] == f"sha384-{digest}"
    elements = json.loads(found["/custom-elements.json"])["modules"][0]["declarations"]
    source = assets.assets()["embed.js"].content.decode()
    for each in elements:
        for kind in ("attributes", "members"):
            assert [one["name"] for one in each[kind] if one["name"] not in source] == []
    assert [one["name"] for each in elements for one in each["events"]] == EVENTS


# What it weighs.


def test_both_weigh_less_than_8_kb() -> None:
    assert len(gzip.compress(assets.assets()["embed.min.js"].content, 9, mtime=0)) <= LIGHT_BYTES


def test_what_is_served_is_made_of_what_is_read() -> None:
    """Run scripts/minify_embed.py after a change of embed.js."""
    digest = sha256(assets.assets()["embed.js"].content).hexdigest()[:16]
    assert assets.assets()["embed.min.js"].content.startswith(f"/* Made of {digest} */".encode())
