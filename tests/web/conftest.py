"""One server for all the tests of a worker: they keep apart by using fresh names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from comptoir.web import background, live
from tests.support.counter import counts, environment, put
from tests.support.operators import Browser as Operator
from tests.support.postgres import Cluster
from tests.support.sandbox import Provider, provider
from tests.support.site import Site, serving
from tests.support.visitors import Customer, selling


@pytest.fixture(autouse=True)
def _short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let streams end soon, for whoever asks every route in turn."""
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.1)


@contextmanager
def still(cluster: Cluster, home: Path) -> Iterator[Site]:
    """A server that settles nothing by itself, so that only the tests change the books."""
    with pytest.MonkeyPatch.context() as patch, cluster.database() as database:
        patch.setattr(background, "SWEEP_SECONDS", 3_600.0)
        with serving(database, home) as up:
            yield up


@pytest.fixture(scope="session")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Some tests change its rows behind the ledger's back, to let time pass."""
    with still(cluster, tmp_path_factory.mktemp("home")) as up:
        yield up


@pytest.fixture(scope="module")
def whole_site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One a module, for tests that prove that all of its books balance."""
    with still(cluster, tmp_path_factory.mktemp("home")) as up:
        yield up


@pytest.fixture(scope="session")
def stripe_here() -> Iterator[Provider]:
    """A sandbox for all the tests of a worker."""
    with provider() as running:
        yield running


@pytest.fixture(scope="session")
def shop(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, stripe_here: Provider
) -> Iterator[Site]:
    """A server that sells, through the sandbox."""
    home, said = tmp_path_factory.mktemp("home"), environment(stripe_here)
    with cluster.database() as database, serving(database, home, **said) as up:
        yield up


@pytest.fixture(scope="session")
def market(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, stripe_here: Provider
) -> Iterator[Site]:
    """A server with packs and plans for sale in both books, through the sandbox."""
    with selling(cluster, tmp_path_factory.mktemp("home"), stripe_here) as up:
        yield up


@pytest.fixture
def unsold(shop: Site) -> Iterator[Site]:
    """The same server; the test must not change a row of its books."""
    before = counts(shop)
    yield shop
    assert counts(shop) == before


@pytest.fixture(scope="session")
def only_one(shop: Site) -> str:
    """A product of which there is 1 in M."""
    return put(shop, 1)


@pytest.fixture(scope="module")
def ann(site: Site) -> Iterator[Operator]:
    """An operator who may do everything; all of a module's tests share her session."""
    browser = Operator(site).sign_in()
    yield browser
    browser.http.close()


@pytest.fixture
def guest(site: Site) -> Iterator[Operator]:
    """Whoever has not signed in as an operator yet."""
    browser = Operator(site)
    yield browser
    browser.http.close()


@pytest.fixture
def ada(site: Site) -> Iterator[Customer]:
    """A customer at his own pages."""
    with httpx2.Client(timeout=60) as http:
        yield Customer(site, http)


@pytest.fixture
def bob(site: Site) -> Iterator[Customer]:
    """Another one."""
    with httpx2.Client(timeout=60) as http:
        yield Customer(site, http)
