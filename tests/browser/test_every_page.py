"""Every page there is, as people meet it: light and dark, phone and desk, English and French.

Nothing is too wide or too small to press, axe finds nothing, nothing foreign is asked for, and no
policy is broken. `make soak` looks at all of it in each of the eight ways, `make test` in one, at
four widths.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.support import axe, operators
from tests.support.counter import environment, token
from tests.support.operators import new_login
from tests.support.pictures import SHOTS, keep
from tests.support.postgres import Cluster
from tests.support.sandbox import provider
from tests.support.showroom import ANN, LONG, LOW, NEW, furnish, overfill, session
from tests.support.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
WIDTHS = (320, 360, 768, 1280)
WAYS = [("dark", "fr-FR", 360)]
ALL_WAYS = list(product(("light", "dark"), ("en-GB", "fr-FR"), (360, 1280)))
GUIDE = ("/docs/guide", "/docs/guide/tutorial/first-credits", "/docs/guide/guides/badge")
REFERENCE = ("/docs", "/problems", "/problems/insufficient-credits")
SMALL = """[...document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')]
    .filter(e => e.checkVisibility())
    .filter(e => !e.closest('.skip, label, p, dd, li, td.text, pre, .words'))
    .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
    .filter(([, r]) => r.width && (r.height < 23.9 || r.width < 23.9))
    .map(([t, r]) => `${t} ${r.width}x${r.height}`)"""
FORM = re.compile(r'<form method="post"[^>]* action="([^"]+)"')
HIS_OWN = (
    "/dashboard/book",
    "/dashboard/look",
    "/dashboard/sign-out",
    "/dashboard/settings/sessions",
)
WIDE = """[...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 90)).slice(-3)"""


@dataclass(slots=True)
class Show:
    """A shop that has everything, and what browsers have complained of.

    Attributes:
        pages: of operators, by name.
        portals: the customers whose pages are looked at.
    """

    site: Site
    cookie: str
    pages: dict[str, str]
    portals: dict[str, str]
    faults: list[str] = field(default_factory=list[str])

    def context(self, chromium: Browser, theme: str, locale: str, width: int) -> BrowserContext:
        context = chromium.new_context(
            color_scheme=theme,  # type: ignore[arg-type]
            locale=locale,
            viewport={"width": width, "height": 900},
            device_scale_factor=1,
        )
        context.set_default_timeout(15_000)
        return context

    def sign_in(self, context: BrowserContext) -> None:
        cookie = {"name": "comptoir-operator", "value": self.cookie, "url": self.site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]

    def page(self, context: BrowserContext) -> Page:
        """A page that notes whatever it should not have asked for or done."""
        page = context.new_page()

        def asked(address: str) -> None:
            if not address.startswith((self.site.url, "data:")):
                self.faults.append(f"foreign: {address}")

        def said(message: ConsoleMessage) -> None:
            if message.type == "error" and "status of 40" not in message.text:
                self.faults.append(f"{page.url}: {message.text}")

        page.on("request", lambda request: asked(request.url))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", said)
        page.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " e => console.error('csp: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )
        return page

    def enter(self, page: Page, customer: str) -> None:
        page.goto(f"{self.site.url}/portal?token={token(self.site, customer)}")


@pytest.fixture(scope="module")
def show(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    home = tmp_path_factory.mktemp("home")
    with (
        provider() as stripe,
        cluster.database() as base,
        serving(base, home, **environment(stripe)) as site,
    ):
        pages = furnish(site, stripe)
        portals = {"portal": ANN, "portal-low": LOW, "portal-new": NEW}
        if SHOTS is None or os.environ.get("COMPTOIR_EXTREMES"):
            pages |= overfill(site, stripe)
            portals["portal-long"] = LONG
        yield Show(site, session(site), pages, portals)


def look(page: Page, name: str, way: tuple[str, str, int]) -> list[str]:
    """What is wrong with a page as it stands, in one of the ways to look at it."""
    faults: list[str] = []
    theme, _, width = way
    for each in WIDTHS:
        page.set_viewport_size({"width": each, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            faults.append(f"{name} at {each}: {over} px too wide: {page.evaluate(WIDE)}")
        faults += [f"{name} at {each}: too small: {small}" for small in page.evaluate(SMALL)]
    page.set_viewport_size({"width": width, "height": 900})
    faults += [f"{name} {way}: {found}" for found in axe.violations(page)]
    keep(page, name, theme)
    return faults


def ways() -> list[object]:
    """Two of them always, all of them when there is time."""
    marks = {way: () if way in WAYS else (pytest.mark.soak,) for way in ALL_WAYS}
    return [
        pytest.param(way, marks=each, id="-".join(map(str, way))) for way, each in marks.items()
    ]


@pytest.mark.parametrize("way", ways())
def test_pages_of_operators(show: Show, chromium: Browser, way: tuple[str, str, int]) -> None:
    show.faults.clear()
    found: list[str] = []
    with show.context(chromium, *way) as context:
        page = show.page(context)
        page.goto(f"{show.site.url}/login/{new_login(show.site)}")
        found += look(page, "login", way)
        page.goto(f"{show.site.url}/dashboard")
        found += look(page, "signed-out", way)
        show.sign_in(context)
        for name, path in show.pages.items():
            page.goto(show.site.url + path)
            found += look(page, name, way)
    assert found + show.faults == []


@pytest.mark.parametrize("way", ways())
def test_pages_of_customers(show: Show, chromium: Browser, way: tuple[str, str, int]) -> None:
    show.faults.clear()
    found: list[str] = []
    for name, customer in show.portals.items():
        with show.context(chromium, *way) as context:
            page = show.page(context)
            page.goto(f"{show.site.url}/portal")
            found += look(page, "portal-signed-out", way)
            show.enter(page, customer)
            found += look(page, name, way)
            for part in ("history", "plan"):
                page.goto(f"{show.site.url}/portal/{part}")
                found += look(page, f"{name}-{part}", way)
    with show.context(chromium, *way) as context:
        page = show.page(context)
        for name, query in (("return-waiting", "&look=3"), ("return-cancelled", "&canceled=1")):
            page.goto(f"{show.site.url}/return?purchase={new_login(show.site)}{query}")
            found += look(page, name, way)
    assert found + show.faults == []


@pytest.mark.parametrize("way", ways())
def test_pages_of_the_guide(show: Show, chromium: Browser, way: tuple[str, str, int]) -> None:
    show.faults.clear()
    found: list[str] = []
    with show.context(chromium, *way) as context:
        page = show.page(context)
        for path in (*GUIDE, *REFERENCE):
            page.goto(show.site.url + path)
            found += look(page, path.strip("/").replace("/", "-"), way)
    assert found + show.faults == []


@pytest.mark.parametrize("rank", ["viewer", "support"])
def test_nobody_is_shown_a_form_that_would_refuse_him(show: Show, rank: str) -> None:
    who = operators.Browser(show.site).sign_in(rank)
    shown = [each for path in show.pages.values() for each in FORM.findall(who.get(path).text)]
    who.http.close()
    assert len(shown) >= 2 * len(show.pages)
    deeds = [each for each in shown if not each.startswith(HIS_OWN)]
    assert bool(deeds) == (rank == "support"), deeds
