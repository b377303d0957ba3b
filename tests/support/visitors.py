"""Customers' browsers, without scripts, and paying on the sandbox's page."""

import asyncio
import re
from collections.abc import Generator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from comptoir.app import Urls, open_app
from comptoir.flows import stocking
from tests.support.counter import environment
from tests.support.operators import Browser
from tests.support.postgres import Cluster
from tests.support.sandbox import Provider
from tests.support.site import LIVE, TEST, Site, serving


@contextmanager
def selling(cluster: Cluster, home: Path, provider: Provider) -> Generator[Site]:
    """A server with the usual packs and plans for sale in both books, through the sandbox."""
    with (
        cluster.database() as database,
        serving(database, home, **environment(provider)) as up,
    ):
        asyncio.run(_seed(up, Urls(database.app_url, database.owner_url)))
        yield up


async def _seed(at: Site, urls: Urls) -> None:
    async with open_app(at.app.settings, urls) as app:
        for book in (LIVE, TEST):
            await stocking.seed(app.till, book, stocking.read())


def token(site: Site, customer: str, who: str = "svc") -> str:
    made = site.post("/api/customer-tokens", {"customer": customer}, who=who)
    assert made.status_code == 201, made.text
    return made.json()["token"]


def link(site: Site, customer: str, **more: object) -> str:
    """The address of a link, without the server's name."""
    made = site.post("/api/portal-links", {"customer": customer} | more, who="svc")
    assert made.status_code == 201, made.text
    return local(made.json()["url"])


def local(address: str) -> str:
    """An address without its host."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Customer(Browser):
    """A customer's browser."""

    def enter(self, customer: str, who: str = "svc") -> "Customer":
        done = self.get(f"/portal?token={token(self.site, customer, who)}")
        assert (done.status_code, done.headers["location"]) == (303, "/portal"), done.text
        return self

    def form(self, path: str = "/portal") -> dict[str, str]:
        """What the forms of a page have in them, unseen."""
        page = self.get(path).text
        return {
            name: unescape(said[0])
            for name in ("csrf", "key")
            if (said := re.findall(f'name="{name}" value="([^"]+)"', page))
        }

    def buy(self, pack: str = "100") -> str:
        """The provider's page, on which a pack is paid."""
        done = self.send("/portal/buy", self.form() | {"pack": pack})
        assert done.status_code == 303, done.text
        return done.headers["location"]

    def state(self, path: str, **headers: str) -> str:
        """What the page for whoever comes back says."""
        page = self.get(path, **headers)
        assert page.status_code == 200, page.text
        return re.findall(r'data-state="(\w+)"', page.text)[0]


def pay(page: str, method: str = "pm_card_visa") -> str:
    """Pay on the sandbox's page; returns where it sends the browser."""
    done = httpx2.post(page, data={"method": method}, timeout=30)
    assert done.status_code == 303, done.text
    return local(done.headers["location"])
