"""One key, one effect: replays, reuse, scope, and requests that are still running."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from comptoir.store.pool import Limits
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving


def answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


Ready = Callable[[Site], tuple[str, dict[str, Any]]]


def _grant(_: Site) -> tuple[str, dict[str, Any]]:
    return "/api/credits/grant", {"customer": fresh(), "amount": "5", "reason": "x"}


def _spend(site: Site) -> tuple[str, dict[str, Any]]:
    return "/api/credits/spend", {"customer": site.rich(), "amount": "5", "reference": "r"}


def _poor(_: Site) -> tuple[str, dict[str, Any]]:
    return "/api/credits/spend", {"customer": fresh(), "amount": "5"}


def _hold(site: Site) -> tuple[str, dict[str, Any]]:
    return "/api/credits/holds", {"customer": site.rich(), "amount": "5", "ttl_seconds": 60}


def _held(site: Site) -> str:
    path, body = _hold(site)
    return site.post(path, body).json()["hold"]["id"]


def _capture(site: Site) -> tuple[str, dict[str, Any]]:
    return f"/api/credits/holds/{_held(site)}/capture", {"amount": "2"}


def _release(site: Site) -> tuple[str, dict[str, Any]]:
    return f"/api/credits/holds/{_held(site)}/release", {}


def _renew(site: Site) -> tuple[str, dict[str, Any]]:
    return f"/api/credits/holds/{_held(site)}/renew", {"ttl_seconds": 90}


def _closed(site: Site) -> tuple[str, dict[str, Any]]:
    path, body = _release(site)
    site.post(path, body)
    return path, body


def _reverse(site: Site) -> tuple[str, dict[str, Any]]:
    movement = site.grant(fresh())["movement"]["id"]
    return "/api/credits/reverse", {"movement": movement, "reason": "x"}


def _transfer(site: Site) -> tuple[str, dict[str, Any]]:
    return "/api/ledger/transfer", {"from": site.rich(), "to": fresh(), "amount": "5"}


VERBS = (_grant, _spend, _poor, _hold, _capture, _release, _renew, _closed, _reverse, _transfer)


@pytest.mark.parametrize("ready", VERBS, ids=lambda verb: verb.__name__)
def test_a_repeat_gets_the_same_answer_and_has_no_effect(site: Site, ready: Ready) -> None:
    path, body = ready(site)
    key = fresh("key")
    first = site.post(path, body, key=key)
    before = site.sql("SELECT count(*) FROM comptoir.movements")
    repeats = [site.post(path, body, key=key, who=who) for who in ("op", "op", "op")]
    assert [answer(each) for each in repeats] == [answer(first)] * 3
    assert [each.headers["idempotent-replayed"] for each in repeats] == ["true"] * 3
    assert "idempotent-replayed" not in first.headers
    assert site.sql("SELECT count(*) FROM comptoir.movements") == before


def test_another_key_of_the_same_book_shares_the_namespace(site: Site) -> None:
    path, body = _spend(site)
    key = fresh("key")
    first = site.post(path, body, key=key, who="op")
    again = site.post(path, body, key=key, who="svc")
    assert answer(again) == answer(first)
    assert again.headers["idempotent-replayed"] == "true"


def test_the_other_book_does_not(site: Site) -> None:
    key = fresh("key")
    customer = fresh("customer")
    for who in ("op", "test_op"):
        body = {"customer": customer, "amount": 5, "reason": "x"}
        done = site.post("/api/credits/grant", body, key=key, who=who)
        assert done.status_code == 201
        assert "idempotent-replayed" not in done.headers
        assert done.json()["balance"]["version"] == 1


@pytest.mark.parametrize("spelled", [5, "5", "5.0", "5.000000"], ids=repr)
def test_an_amount_may_be_spelled_otherwise(site: Site, spelled: object) -> None:
    path, body = _spend(site)
    key = fresh("key")
    first = site.post(path, body, key=key)
    again = site.post(path, body | {"amount": spelled}, key=key)
    assert answer(again) == answer(first)


def test_defaults_may_be_written_out(site: Site) -> None:
    path, body = _hold(site)
    key = fresh("key")
    first = site.post(path, body, key=key)
    same = body | {"on_excess": "refuse", "asset": "credits", "reason": None, "metadata": None}
    assert answer(site.post(path, same, key=key)) == answer(first)


@pytest.mark.parametrize(
    ("ready", "change", "field"),
    [
        (_spend, {"amount": "6"}, "amount"),
        (_spend, {"customer": "somebody-else"}, "customer"),
        (_spend, {"reference": "other"}, "reference"),
        (_spend, {"reason": "other"}, "reason"),
        (_spend, {"model": "m"}, "model"),
        (_spend, {"cost": "0.1"}, "cost"),
        (_spend, {"metadata": {"a": "b"}}, "metadata"),
        (_grant, {"expires_at": "2090-01-01T00:00:00Z"}, "expires_at"),
        (_grant, {"priority": 3}, "priority"),
        (_grant, {"asset": "tokens"}, "asset"),
        (_hold, {"ttl_seconds": 61}, "ttl_seconds"),
        (_hold, {"on_excess": "cap"}, "on_excess"),
        (_capture, {"final": False}, "final"),
        (_reverse, {"if_spent": "debt"}, "if_spent"),
        (_transfer, {"to": "somebody-else"}, "to"),
    ],
)
def test_reuse_names_the_field(
    site: Site, ready: Ready, change: dict[str, Any], field: str
) -> None:
    path, body = ready(site)
    key = fresh("key")
    first = site.post(path, body, key=key)
    before = site.sql("SELECT count(*) FROM comptoir.requests")
    other = site.post(path, body | change, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert other.json()["field"] == field
    assert field in other.json()["detail"]
    assert site.sql("SELECT count(*) FROM comptoir.requests") == before
    assert answer(site.post(path, body, key=key)) == answer(first)


def test_reuse_by_another_verb(site: Site) -> None:
    customer, key = site.rich(), fresh("key")
    site.post("/api/credits/spend", {"customer": customer, "amount": 1}, key=key)
    body = {"customer": customer, "amount": 1, "reason": "x"}
    other = site.post("/api/credits/grant", body, key=key)
    assert (other.status_code, other.json()["field"]) == (422, "op")


def test_a_batch_and_the_header_share_one_namespace(site: Site) -> None:
    customer, key = site.rich(), fresh("key")
    spend = {"customer": customer, "amount": "5", "metadata": {"a": "1"}}
    first = site.post("/api/credits/spend", spend, key=key)
    item = spend | {"op": "spend", "idempotency_key": key}
    batch = site.post("/api/ledger/batch", {"requests": [item]})
    [result] = batch.json()["results"]
    assert result["outcome"] == "exists"
    assert result["movement"] == first.json()["movement"]
    assert result["balance"] == first.json()["balance"]
    assert batch.headers["idempotent-replayed"] == "true"


def test_a_price_change_does_not_change_what_was_asked(site: Site) -> None:
    customer, action, key = site.rich(), fresh("action"), fresh("key")
    site.call("PUT", "/api/credits/prices", {"action": action, "amount": "5"})
    body = {"customer": customer, "action": action}
    first = site.post("/api/credits/spend", body, key=key)
    site.call("PUT", "/api/credits/prices", {"action": action, "amount": "7"})
    assert answer(site.post("/api/credits/spend", body, key=key)) == answer(first)
    other = site.post("/api/credits/spend", body)
    assert other.json()["movement"]["amount"] == "-7"


@pytest.mark.parametrize("path", ["/api/credits/grant", "/api/credits/spend", "/api/credits/holds"])
def test_a_key_is_needed(site: Site, path: str) -> None:
    done = site.call("POST", path, {}, headers={"Idempotency-Key": ""})
    assert (done.status_code, done.json()["code"]) == (400, "idempotency-key-missing")


def test_a_refused_name_leaves_the_key_free(site: Site) -> None:
    customer, key = site.rich(), fresh("key")
    body = {"customer": customer, "amount": "5"}
    wrong = site.post("/api/credits/spend", body | {"asset": "nothing"}, key=key)
    assert (wrong.status_code, wrong.json()["code"]) == (404, "unknown-asset")
    assert site.post("/api/credits/spend", body, key=key).status_code == 200


@pytest.fixture(scope="module")
def hasty(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server whose repeats wait but a moment."""
    home: Path = tmp_path_factory.mktemp("home")
    limits = Limits(in_flight=0.2, lock=5, writer_lock=0.1)
    with cluster.database() as database, serving(database, home, limits=limits) as up:
        yield up


def test_a_repeat_of_a_running_request(hasty: Site) -> None:
    site = hasty
    customer, key = site.rich(), fresh("key")
    body = {"customer": customer, "amount": "5"}
    answers: list[httpx2.Response] = []

    def spend() -> None:
        answers.append(site.post("/api/credits/spend", body, key=key))

    first = threading.Thread(target=spend)
    with psycopg.connect(site.owner_url) as stranger:
        stranger.execute("SELECT FROM comptoir.accounts WHERE bounded FOR UPDATE")
        first.start()
        while not site.app.batches[1].lanes:  # until the spend has met the locked row
            first.join(0.01)
        repeat = site.post("/api/credits/spend", body, key=key, headers={"Accept-Language": "fr"})
        assert (repeat.status_code, repeat.json()["code"]) == (409, "request-in-flight")
        assert repeat.json()["title"] == "Opération déjà en cours"
        assert repeat.headers["retry-after"] == "1"
        assert "retry_after" not in repeat.json()
        stranger.rollback()
    first.join(10)
    assert [each.status_code for each in answers] == [200]
    assert site.balance(customer)["balance"] == "95"
    done = site.post("/api/credits/spend", body, key=key)
    assert done.json() == answers[0].json()


def test_a_locked_account_ends_in_a_clear_problem(cluster: Cluster, tmp_path: Path) -> None:
    limits = Limits(lock=0.2, writer_lock=0.1)
    with cluster.database() as database, serving(database, tmp_path, limits=limits) as site:
        customer, key = site.rich(), fresh("key")
        body = {"customer": customer, "amount": "5"}
        with psycopg.connect(site.owner_url) as stranger:
            stranger.execute("SELECT FROM comptoir.accounts WHERE bounded FOR UPDATE")
            done = site.post("/api/credits/spend", body, key=key)
            stranger.rollback()
        assert (done.status_code, done.json()["code"]) == (503, "account-busy")
        assert done.headers["retry-after"] == "1"
        assert site.post("/api/credits/spend", body, key=key).status_code == 200
