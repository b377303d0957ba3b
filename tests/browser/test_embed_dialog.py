"""The dialog on a shop's page: what opens it, what it sells, and what comes back."""

import pytest
from playwright.sync_api import expect

from tests.support.embedded_pages import (
    BADGE,
    BOTH,
    DIALOG,
    Scene,
    fits,
    heard,
    refresh,
    show,
    state,
)  # fmt: skip

pytestmark = pytest.mark.browser


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
    state(page, "ok")  # from here on a newer version is the purchase
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
