"""The demo's pages: there beside a demo, and nowhere else."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from comptoir.app.demo import BOXES, Outcome, State, Wish
from comptoir.kit.errors import Unavailable
from comptoir.web.dashboard.texts_minute import FAULTS
from tests.support.operators import Browser
from tests.support.site import Site

RIGHT = Outcome(500, 10, 10, 0, 50, 1, True, 50, 6, 6, [], 3.5, 1_700_000_000_000_000)  # noqa: FBT003  # a figure
PAGES = ("/dashboard/receipt", "/dashboard/receipt/live", "/dashboard/turn")
FORMS = ("/dashboard/demo/break", "/dashboard/demo/traffic")


@dataclass
class Staged:
    """A demo that only notes what it is asked for."""

    state: State | None
    asked: list[Wish] = field(default_factory=list[Wish])

    async def ask(self, wish: Wish) -> None:
        if self.state is None:
            raise Unavailable("overloaded")
        self.asked.append(wish)


@pytest.fixture
def demo(site: Site) -> Iterator[Staged]:
    boxes = {name: f"run <{name}> & see" for name in BOXES}
    staged = Staged(State(number=1, product="DEMO-TEE", event="evt_1", boxes=boxes))
    site.app.demo = staged
    yield staged
    site.app.demo = None


def now(demo: Staged, **more: Any) -> None:  # noqa: ANN401  # fields of a State
    assert demo.state is not None
    demo.state = replace(demo.state, **more)


def test_without_a_demo_there_is_nothing_of_it(site: Site, ann: Browser) -> None:
    assert site.app.demo is None
    for path in PAGES:
        assert ann.get(path).status_code == 404, path
    form = ann.form("/dashboard")
    for path in FORMS:
        assert ann.send(path, form).status_code == 404, path
    shown = ann.get("/dashboard").text
    assert "Try to break it" not in shown
    assert "Your turn" not in shown


@pytest.mark.usefixtures("demo")
def test_whoever_is_not_signed_in_sees_and_presses_nothing(site: Site) -> None:
    guest = Browser(site)
    assert [guest.get(path).status_code for path in PAGES] == [401] * 3
    assert [guest.send(path, {}).status_code for path in FORMS] == [401] * 2
    guest.http.close()


def test_buttons_are_pressed_from_our_own_page_by_who_may_act(
    site: Site, ann: Browser, demo: Staged
) -> None:
    form = ann.form("/dashboard")
    assert ann.send(FORMS[0], {}).status_code == 403
    assert ann.send(FORMS[0], form, Origin="http://evil.example").status_code == 403
    viewer = Browser(site).sign_in("viewer")
    assert viewer.send(FORMS[0], {"csrf": viewer.made_up("/dashboard")["csrf"]}).status_code == 403
    viewer.http.close()
    assert demo.asked == []
    done = ann.send(FORMS[0], form)
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard/receipt")
    done = ann.send(FORMS[1], form | {"traffic": "stop", "next": "/dashboard/stock"})
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard/stock")
    ann.send(FORMS[1], form | {"traffic": "move", "next": "//evil.example"})
    assert demo.asked == ["break", "stop", "move"]


def test_a_demo_that_does_not_answer_is_a_page_too(ann: Browser, demo: Staged) -> None:
    form = ann.form("/dashboard")
    demo.state = None
    assert "Your turn" not in ann.get("/dashboard").text
    assert ann.get(PAGES[0]).status_code == 200
    refused = ann.send(FORMS[0], form)
    assert refused.status_code == 503
    assert refused.headers["content-type"].startswith("text/html")


def test_the_band_says_what_goes_on(ann: Browser, demo: Staged) -> None:
    shown = ann.get("/dashboard/stock").text
    assert 'action="/dashboard/demo/break"' in shown
    assert 'value="stop"' in shown
    now(demo, moves=False, act="stampede")
    shown = ann.get("/dashboard/stock").text
    assert 'action="/dashboard/demo/break"' not in shown
    assert 'value="move"' in shown


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            "10 sold, 490 refused, 0 oversold, 50 deliveries → 1 credit, books balanced",
        ),
        (
            "fr",
            "10 vendues, 490 refusés, 0 en trop, 50 livraisons → 1 crédit, livres équilibrés",
        ),
    ],
)
def test_the_receipt_says_each_figure_and_where_to_check_it(
    ann: Browser, demo: Staged, language: str, words: str
) -> None:
    now(demo, outcome=RIGHT, regular="demo-customer-regular")
    shown = ann.get(PAGES[0], **{"Accept-Language": language}).text
    assert words in shown
    for address in ("/dashboard/stock/DEMO-TEE", "/dashboard/webhooks/evt_1", "/dashboard#h-books",
                    "/dashboard/accounts/demo-customer-regular"):  # fmt: skip
        assert f'href="{address}"' in shown
    assert 'action="/dashboard/verify"' in shown
    assert "http-equiv" not in shown


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_receipt_with_faults_names_each(ann: Browser, demo: Staged, language: str) -> None:
    faults = [(f"demo.{key}", "11", "10") for key in FAULTS]
    now(demo, outcome=replace(RIGHT, sold=11, oversold=1, balanced=False, faults=faults))
    shown = ann.get(PAGES[0], **{"Accept-Language": language}).text
    bad = FAULTS["fault.sold"][language == "fr"].format(found=11, wanted=10)
    assert bad.replace("'", "&#39;") in shown
    assert shown.count("<li>") >= len(FAULTS)
    assert "490 refus" not in shown
    assert ("Not balanced" if language == "en" else "Faux") in shown


def test_a_race_goes_on_without_scripts_and_with_them(ann: Browser, demo: Staged) -> None:
    assert "Nobody has tried yet" in ann.get(PAGES[0]).text
    now(demo, act="deliveries", outcome=RIGHT)
    page = ann.get(PAGES[0]).text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'value="3"' in page
    part = ann.get(PAGES[1])
    assert 'hx-trigger="every 1s"' in part.text
    assert "hx-refresh" not in part.headers
    now(demo, act="", failed=True)
    part = ann.get(PAGES[1])
    assert part.headers["hx-refresh"] == "true"
    assert "hx-trigger" not in part.text
    assert "did not come to its end" in part.text


def test_boxes_tick_and_are_sent_again_only_when_they_do(ann: Browser, demo: Staged) -> None:
    shown = ann.get("/dashboard").text
    assert "run &lt;http&gt; &amp; see" in shown
    assert shown.count("Waiting for your call") == 4
    assert ann.get("/dashboard/turn?seen=").status_code == 204
    now(demo, seen=["http", "badge"])
    part = ann.get("/dashboard/turn?seen=http")
    assert (part.status_code, part.text.count("Your call arrived")) == (200, 2)
    assert "seen=http%20badge" in part.text
    assert ann.get("/dashboard/turn?seen=http%20badge").status_code == 204
