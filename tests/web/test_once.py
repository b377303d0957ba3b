"""Calls that are made once, and rate limits, over HTTP."""

from typing import Any

from tests.support.site import Site, fresh


def begin(site: Site, key: str, **more: Any) -> Any:  # noqa: ANN401
    return site.call("POST", "/api/once", {"key": key} | more, who="svc")


def test_a_call_is_made_once(site: Site) -> None:
    key = fresh("payment")
    first = begin(site, key, said={"amount": 1900})
    assert (first.status_code, first.json()["replayed"]) == (200, False)
    claim, provider_key = first.json()["claim"], first.json()["provider_key"]
    busy = begin(site, key, said={"amount": 1900})
    assert (busy.status_code, busy.json()["code"]) == (409, "request-in-flight")
    assert busy.headers["retry-after"] == "1"
    other = begin(site, key, said={"amount": 1})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    done = site.call("POST", f"/api/once/{claim}/finish", {"result": {"payment": provider_key}})
    assert done.json() == {"result": {"payment": provider_key}}
    again = begin(site, key, said={"amount": 1900})
    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["result"] == {"payment": provider_key}
    assert again.json()["claim"] is None
    late = site.call("POST", f"/api/once/{claim}/finish", {"result": 1})
    assert (late.status_code, late.json()["code"]) == (409, "claim-lost")
    elsewhere = site.call("POST", "/api/once", {"key": key}, who="test_svc")
    assert elsewhere.json()["replayed"] is False, "books do not mix"


def test_a_call_that_is_given_back_may_be_begun_again(site: Site) -> None:
    key = fresh("payment")
    first = begin(site, key).json()
    claim = first["claim"]
    assert site.call("POST", f"/api/once/{claim}/release").json() == {"released": True}
    again = begin(site, key).json()
    assert again["provider_key"] == first["provider_key"], "a provider may have done it"
    site.call("POST", f"/api/once/{again['claim']}/release")
    assert begin(site, key).json()["claim"]
    assert begin(site, key, scope="bob").json()["claim"], "another one's key"


def test_claims_of_nobody(site: Site) -> None:
    unknown = site.call("POST", f"/api/once/claim_{'0' * 32}_1/finish", {"result": 1})
    assert unknown.json()["code"] == "claim-lost"
    for name in ("claim_zz_1", f"claim_{'0' * 32}", f"claim_{'0' * 32}_0"):
        assert site.call("POST", f"/api/once/{name}/release").status_code == 422


def hit(site: Site, subject: str, cost: int = 1, **more: Any) -> Any:  # noqa: ANN401
    limits = [
        {"name": "burst", "limit": 3, "window_seconds": 60},
        {"name": "day", "limit": 5, "window_seconds": 86_400},
    ]
    body = {"subject": subject, "limits": limits, "cost": cost} | more
    return site.call("POST", "/api/limits/hit", body, who="svc")


def test_a_rate_is_limited(site: Site) -> None:
    subject = fresh("user")
    assert [hit(site, subject).json()["allowed"] for _ in range(4)] == [True] * 3 + [False]
    denied = hit(site, subject).json()
    assert (denied["decided_by"], [each["remaining"] for each in denied["limits"]]) == (
        "pg",
        [0, 2],
    )
    assert 55_000 < denied["retry_after_ms"] <= 61_000
    assert hit(site, fresh("user"), store="local").json()["decided_by"] == "local"


def test_what_can_never_go_through_is_refused(site: Site) -> None:
    never = hit(site, fresh("user"), 4)
    assert (never.status_code, never.json()["code"]) == (409, "cost-exceeds-limit")
    wrongs: list[dict[str, Any]] = [{"cost": 0}, {"limits": []}, {"store": "paper"}]
    for wrong in wrongs:
        assert hit(site, fresh("user"), **wrong).status_code == 422
