"""POST /api/ledger/batch."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir.store.pool import Limits
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving


def item(op: str, **more: object) -> dict[str, Any]:
    return {"op": op, "idempotency_key": fresh("key")} | more


def run(site: Site, requests: list[dict[str, Any]], **more: object) -> list[dict[str, Any]]:
    done = site.post("/api/ledger/batch", {"requests": requests} | more, who="svc")
    assert done.status_code == 200, done.text
    assert len(done.json()["results"]) == len(requests)
    return done.json()["results"]


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [each["outcome"] for each in results]


def test_every_op(site: Site) -> None:
    one, other = fresh("customer"), fresh("customer")
    results = run(site, [
        item("grant", customer=one, amount="100", reference="r"),
        item("spend", customer=one, amount=5, reason="x"),
        item("hold", customer=one, amount="10", ttl_seconds=60),
        item("hold", customer=one, amount="20", ttl_seconds=60),
        item("transfer", **{"from": one, "to": other, "amount": "3"}),
    ])  # fmt: skip
    assert outcomes(results) == ["created"] * 5
    assert results[0]["movement"]["reference"] == "r"
    assert results[1]["movement"]["reason"] == "x"
    assert results[1]["balance"]["balance"] == "95"
    assert results[2]["hold"]["state"] == "open"
    assert results[2]["hold"]["group"] is None
    assert results[4]["balance"]["customer"] == one
    first, second = (results[number]["hold"]["id"] for number in (2, 3))
    ends = run(site, [item("capture", hold=first, amount="4"), item("release", hold=second)])
    assert outcomes(ends) == ["created", "created"]
    assert ends[0]["movement"]["amount"] == "-4"
    assert ends[1]["hold"]["state"] == "released"
    assert ends[1]["balance"] == site.balance(one)
    assert site.balance(one)["balance"] == "88"
    assert site.balance(other)["balance"] == "3"


def test_each_for_itself(site: Site) -> None:
    customer = site.rich("10")
    results = run(site, [
        item("spend", customer=customer, amount="4"),
        item("spend", customer=customer, amount="40"),
        item("spend", customer=customer, amount="4", asset="nothing"),
        item("spend", customer=customer, action="no.such"),
        item("capture", hold="hold_" + "0" * 32),
        item("spend", customer=customer, account="stock:A:B", amount=1),
        item("spend", account="elsewhere", amount=1),
        item("grant", account=f"stock:{fresh()}:M", amount="0.5"),
        item("spend", customer=customer, amount="6"),
    ])  # fmt: skip
    assert outcomes(results) == [
        "created", "insufficient", "unknown_asset", "unknown_action", "hold_not_found",
        "customer_or_account", "account_invalid", "amount_too_precise", "created",
    ]  # fmt: skip
    problem = results[1]["problem"]
    assert (problem["code"], problem["needed"], problem["available"]) == (
        "insufficient-credits", "40", "6",
    )  # fmt: skip
    assert problem["retry"] == "new-key"
    assert results[-1]["balance"]["balance"] == "0"
    for each in results:
        assert ("problem" in each) == (each["outcome"] != "created")
        assert ("balance" in each) == (each["outcome"] == "created")


def test_order_within_an_account(site: Site) -> None:
    customer = fresh("customer")
    requests = [item("grant", customer=customer, amount=n + 1) for n in range(50)]
    results = run(site, requests)
    assert [each["movement"]["seq"] for each in results] == list(range(1, 51))


def test_atomic_all(site: Site) -> None:
    customer, account = site.rich("10"), f"stock:{fresh()}:M"
    site.grant(account, 5)
    results = run(site, [
        item("spend", account=account, amount=1), item("spend", customer=customer, amount="10"),
    ], atomic=True)  # fmt: skip
    assert outcomes(results) == ["created", "created"]
    assert results[0]["balance"]["account"] == account
    assert site.balance(account, asset="stock")["balance"] == "4"


def test_atomic_nothing(site: Site) -> None:
    customer, account = site.rich("9"), f"stock:{fresh()}:M"
    site.grant(account, 5)
    requests = [
        item("spend", account=account, amount=1), item("spend", customer=customer, amount="10"),
        item("spend", account=account, amount=1),
    ]  # fmt: skip
    results = run(site, requests, atomic=True)
    assert outcomes(results) == ["chain_broken", "insufficient", "chain_broken"]
    assert results[0]["problem"]["code"] == "chain-broken"
    assert site.balance(account, asset="stock")["balance"] == "5"
    assert site.balance(customer)["balance"] == "9"
    again = run(site, requests, atomic=True)
    assert again[1]["replayed"] is True
    assert again[1]["problem"] == results[1]["problem"]


def test_atomic_with_a_name_that_nobody_knows(site: Site) -> None:
    customer = site.rich("9")
    results = run(site, [
        item("spend", customer=customer, amount="1"), item("spend", customer=customer, action="?"),
    ], atomic=True)  # fmt: skip
    assert outcomes(results) == ["chain_broken", "unknown_action"]
    assert site.balance(customer)["balance"] == "9"


def test_an_atomic_replay(site: Site) -> None:
    customer = site.rich("9")
    requests = [item("spend", customer=customer, amount=n + 1) for n in range(3)]
    first = run(site, requests, atomic=True)
    again = site.post("/api/ledger/batch", {"requests": requests, "atomic": True})
    assert again.headers["idempotent-replayed"] == "true"
    for before, after in zip(first, again.json()["results"], strict=True):
        assert after.pop("replayed") is True
        assert after == before | {"outcome": "exists"}


def test_holds_of_one_atomic_batch_form_a_group(site: Site) -> None:
    customer, account = site.rich("9"), f"stock:{fresh()}:M"
    site.grant(account, 5)
    results = run(site, [
        item("hold", account=account, amount=2, ttl_seconds=60),
        item("hold", customer=customer, amount="4", ttl_seconds=120),
    ], atomic=True)  # fmt: skip
    unit, paid = (each["hold"] for each in results)
    assert unit["group"] == paid["group"] == unit["id"]
    assert unit["expires_at"] == paid["expires_at"]
    for hold in (unit, paid):
        assert site.get(f"/api/credits/holds/{hold['id']}").json() == hold
    done = site.post(f"/api/credits/holds/{paid['id']}/release")
    assert done.json()["hold"]["group"] == unit["id"]
    assert site.get(f"/api/credits/holds/{unit['id']}").json()["state"] == "released"
    assert site.balance(account, asset="stock")["available"] == "5"


def test_one_key_twice(site: Site) -> None:
    customer = site.rich("9")
    requests = [item("spend", customer=customer, amount=1)] * 2
    refused = site.post("/api/ledger/batch", {"requests": requests, "atomic": True})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        422, "idempotency-key-repeated",
    )  # fmt: skip
    assert site.balance(customer)["balance"] == "9"
    results = run(site, requests)
    assert outcomes(results) == ["created", "exists"]
    assert site.balance(customer)["balance"] == "8"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 1.5}, "requests[1].amount"),
        ({"amount": "0"}, "requests[1].amount"),
        ({"op": "steal"}, "requests[1]"),
        ({"unknown": 1}, "requests[1].unknown"),
        ({"idempotency_key": ""}, "requests[1].idempotency_key"),
        ({"idempotency_key": "x" * 256}, "requests[1].idempotency_key"),
        ({"idempotency_key": None}, "requests[1].idempotency_key"),
        ({"customer": "a\u0000"}, "requests[1].customer"),
        ({"action": "a"}, "requests[1]"),
    ],
    ids=repr,
)
def test_a_malformed_item_refuses_the_whole_batch(
    site: Site, change: dict[str, Any], field: str
) -> None:
    customer = site.rich("9")
    good = item("spend", customer=customer, amount=1)
    requests = [good, item("spend", customer=customer, amount=1) | change]
    refused = site.post("/api/ledger/batch", {"requests": requests})
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert refused.json()["errors"][0]["field"] == field
    assert site.balance(customer)["balance"] == "9"


@pytest.mark.parametrize(
    "body", [{}, {"requests": []}, {"requests": {}}, [], {"requests": [1]}], ids=repr
)
def test_bodies_that_are_no_batch(site: Site, body: object) -> None:
    refused = site.post("/api/ledger/batch", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


def test_five_thousand_are_taken_and_one_more_is_not(site: Site) -> None:
    customer = fresh("customer")
    requests = [item("grant", customer=customer, amount=1) for _ in range(5_001)]
    refused = site.post("/api/ledger/batch", {"requests": requests})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "field": "requests",
            "code": "too-many",
            "message": "may have at most 5000 entries",
        }
    ]
    assert site.balance(customer)["version"] == 0
    results = run(site, requests[:5_000])
    assert set(outcomes(results)) == {"created"}
    assert [each["movement"]["seq"] for each in results] == list(range(1, 5_001))


def test_a_french_batch(site: Site) -> None:
    body = {"requests": [item("spend", customer=fresh(), amount=1)]}
    done = site.post("/api/ledger/batch", body, headers={"Accept-Language": "fr"})
    assert done.json()["results"][0]["problem"]["title"] == "Crédits insuffisants"


def test_what_cannot_be_decided_now_is_told_item_by_item(cluster: Cluster, tmp_path: Path) -> None:
    limits = Limits(lock=0.2, writer_lock=0.1)
    with cluster.database() as database, serving(database, tmp_path, limits=limits) as site:
        locked, free = site.rich("10"), site.rich("10")
        requests = [item("spend", customer=name, amount=1) for name in (locked, free)]
        with psycopg.connect(site.owner_url) as stranger:
            stranger.execute(
                "SELECT FROM comptoir.accounts a JOIN comptoir.customers c ON c.id = a.customer_id"
                " WHERE c.customer = %s FOR UPDATE OF a",
                (locked,),
            )
            results = run(site, requests)
            assert outcomes(results) == ["account_busy", "created"]
            assert results[0]["problem"]["status"] == 503
            alone = site.post("/api/ledger/batch", {"requests": requests[:1]})
            assert (alone.status_code, alone.json()["code"]) == (503, "account-busy")
            stranger.rollback()
        assert outcomes(run(site, requests)) == ["created", "exists"]


def test_a_late_capture_in_a_batch(site: Site) -> None:
    customer = site.rich("10")
    [held] = run(site, [item("hold", customer=customer, amount=4, ttl_seconds=60)])
    [done] = run(site, [item("capture", hold=held["hold"]["id"])])
    assert done["late"] is False
