"""What callers are told while books move to another database, and afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from comptoir.store import gate
from comptoir.store.gate import Gate, State
from comptoir.web import background
from tests.support.postgres import Cluster
from tests.support.site import Site, serving

pytestmark = pytest.mark.pg
BODY = {"customer": "a", "amount": "1"}
GATES = ("books-moving", "books-moved", "books-arriving")


@pytest.fixture
def own(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server of this test alone, which looks at the gate all the time."""
    monkeypatch.setattr(background, "GATE_SECONDS", 0.01)
    with cluster.database() as database, serving(database, tmp_path) as site:
        site.grant("a")
        yield site


@contextmanager
def closed(site: Site, state: State) -> Iterator[None]:
    with psycopg.connect(site.owner_url, autocommit=True) as mover:
        mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        gate.close(mover, Gate(state, "move", "secret.example:5432/books"))
        yield
        gate.open_(mover)


@pytest.mark.parametrize("state", [State.MOVING, State.ARRIVING])
def test_writes_are_refused_and_reads_go_on(own: Site, state: State) -> None:
    spent = own.post("/api/credits/spend", BODY, key="spent")
    with closed(own, state):
        refused = own.post("/api/credits/spend", BODY, key="new")
        assert (refused.status_code, refused.json()["code"]) == (503, f"books-{state}")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["cache-control"] == "no-store"
        assert own.balance("a")["balance"] == "99"
        again = own.post("/api/credits/spend", BODY, key="spent")
        assert (again.status_code, again.json()) == (200, spent.json())
        assert own.http.get(f"{own.url}/health/ready").status_code == 200
    done = own.post("/api/credits/spend", BODY, key="new")
    assert (done.status_code, done.headers.get("idempotent-replayed")) == (200, None)
    assert own.balance("a")["balance"] == "98"


def test_other_writes_are_refused_too(own: Site) -> None:
    key = own.post("/api/keys", {"role": "service", "name": "one"}).json()["id"]
    with closed(own, State.MOVING):
        for refused in (
            own.post("/api/credits/grant", BODY | {"customer": "new", "reason": "x"}),
            own.post("/api/keys", {"role": "service", "name": "two"}),
            own.post("/api/assets", {"code": "gems", "scale": 0}),
            own.call("DELETE", f"/api/keys/{key}"),
            own.call("PUT", "/api/credits/prices", {"action": "x", "amount": "1"}),
            own.post("/api/ledger/transfer", {"from": "a", "to": "b", "amount": "1"}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "books-moving")
    assert [each["name"] for each in own.get("/api/keys").json()["items"]].count("two") == 0


def test_a_batch_says_so_for_each_request(own: Site) -> None:
    requests = [
        {"op": "spend", "idempotency_key": f"b{n}", "customer": "a", "amount": "1"}
        for n in range(3)
    ]
    with closed(own, State.MOVING):
        said = own.post("/api/ledger/batch", {"requests": requests})
    assert "books-moving" in said.text
    assert own.balance("a")["balance"] == "100"
    done = own.post("/api/ledger/batch", {"requests": requests}).json()
    assert {each["outcome"] for each in done["results"]} == {"created"}


def test_a_server_of_books_that_have_moved_answers_nothing_more(own: Site) -> None:
    with closed(own, State.MOVED):
        refused = own.post("/api/credits/spend", BODY)
        assert (refused.status_code, refused.json()["code"]) == (503, "books-moved")
        while not own.app.moved:  # bounded by the test's own timeout
            own.http.get(f"{own.url}/health/live")
        for path in ("/api/credits/balance?customer=a", "/api/keys", "/api/ledger/verify"):
            read = own.get(path)
            assert (read.status_code, read.json()["code"]) == (503, "books-moved")
            assert int(read.headers["retry-after"]) > 0
        assert own.http.get(f"{own.url}/health/ready").json()["code"] == "books-moved"
        assert own.http.get(f"{own.url}/health/live").status_code == 200
        assert "secret.example" not in read.text + refused.text


def test_both_languages(own: Site) -> None:
    with closed(own, State.MOVING):
        said = {
            language: own.post(
                "/api/credits/spend", BODY, headers={"Accept-Language": language}
            ).json()["title"]
            for language in ("en", "fr")
        }
    assert said == {"en": "Books are moving", "fr": "Livres en déplacement"}


@pytest.mark.parametrize("code", GATES)
def test_each_has_a_page(site: Site, code: str) -> None:
    assert site.http.get(f"{site.url}/problems/{code}").status_code == 200
