"""Grant, spend, hold, capture, release, renew, reverse, transfer: each success and each refusal."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.site import Site, fresh

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def hold(site: Site, customer: str, amount: str = "10", **more: object) -> dict[str, Any]:
    body = {"customer": customer, "amount": amount, "ttl_seconds": 600} | more
    made = site.post("/api/credits/holds", body)
    assert made.status_code == 201, made.text
    return made.json()["hold"]


def expire_hold(site: Site, name: str) -> None:
    """Let the time of a hold pass, by moving it into the past with the seals that belong to it."""
    id_ = bytes.fromhex(name.removeprefix("hold_"))
    site.sql(
        "UPDATE comptoir.holds SET expires_at = clock_timestamp() - interval '1 second'"
        " WHERE id = %s",
        id_,
    )
    site.sql(
        "UPDATE comptoir.accounts SET next_expiry = clock_timestamp() - interval '1 second'"
        " WHERE id = (SELECT account_id FROM comptoir.holds WHERE id = %s)",
        id_,
    )


def test_grant_answers_movement_and_balance(site: Site) -> None:
    customer = fresh("customer")
    done = site.post(
        "/api/credits/grant",
        {
            "customer": customer,
            "amount": "100.50",
            "reason": "Welcome",
            "reference": "order-1",
            "priority": 10,
            "expires_at": "2099-01-01T00:00:00+01:00",
            "metadata": {"b": "2", "a": "1"},
        },
        who="svc",
    )
    assert done.status_code == 201
    movement, balance = done.json()["movement"], done.json()["balance"]
    assert TIME.fullmatch(movement.pop("at"))
    assert re.fullmatch(r"mv_\d+_1", movement.pop("id"))
    assert movement == {
        "seq": 1, "kind": "grant", "amount": "100.5", "before": "0", "after": "100.5",
        "reason": "Welcome", "reference": "order-1",
    }  # fmt: skip
    assert TIME.fullmatch(balance.pop("updated_at"))
    assert balance == {
        "customer": customer, "asset": "credits", "balance": "100.5", "held": "0",
        "available": "100.5", "debt": "0", "low": False, "low_threshold": "20.1", "version": 1,
    }  # fmt: skip
    assert done.json()["balance"] == site.balance(customer)
    [lot] = site.get(f"/api/credits/lots?customer={customer}").json()["items"]
    assert (lot["priority"], lot["expires_at"]) == (10, "2098-12-31T23:00:00.000000Z")
    assert (lot["reference"], lot["left"], lot["pinned"]) == ("order-1", "100.5", "0")


def test_spend_takes(site: Site) -> None:
    customer = site.rich("10")
    done = site.post("/api/credits/spend", {"customer": customer, "amount": "0.25", "reason": "x"})
    assert done.status_code == 200
    assert done.json()["movement"]["amount"] == "-0.25"
    assert done.json()["movement"]["before"] == "10"
    assert done.json()["movement"]["reason"] == "x"
    assert done.json()["balance"]["balance"] == "9.75"
    assert "idempotent-replayed" not in done.headers


def test_spend_more_than_there_is(site: Site) -> None:
    customer = site.rich("3.5")
    done = site.post("/api/credits/spend", {"customer": customer, "amount": "4"}, key=fresh())
    assert done.status_code == 402
    problem = done.json()
    assert problem == {
        "type": "/problems/insufficient-credits",
        "title": "Not enough credits",
        "status": 402,
        "code": "insufficient-credits",
        "detail": "4 needed, 3.5 available.",
        "instance": "/api/credits/spend",
        "needed": "4",
        "available": "3.5",
        "retry": "new-key",
    }
    assert site.balance(customer)["version"] == 1


@pytest.mark.parametrize(
    ("asset", "customer", "status", "code"),
    [
        ("credits", "nobody", 402, "insufficient-credits"),
        ("tokens", "nobody", 402, "insufficient-tokens"),
        ("stock", "stock:NONE:M", 400, "insufficient-stock"),
    ],
)
def test_each_asset_has_its_word_for_not_enough(
    site: Site, asset: str, customer: str, status: int, code: str
) -> None:
    done = site.post("/api/credits/spend", {"customer": customer, "amount": 1, "asset": asset})
    assert (done.status_code, done.json()["code"]) == (status, code)


def test_stock_is_shown_by_account(site: Site) -> None:
    account = f"stock:{fresh('tee')}:M"
    site.grant(account, 10)
    done = site.post("/api/credits/spend", {"customer": account, "amount": 3})
    assert done.json()["balance"]["account"] == account
    assert "customer" not in done.json()["balance"]
    assert site.balance(account, asset="stock")["balance"] == "7"


def test_spend_by_action(site: Site) -> None:
    customer, action = site.rich("100"), fresh("ai.generate")
    price = {"action": action, "amount": "5", "real_cost": "0.04"}
    assert site.call("PUT", "/api/credits/prices", price).status_code == 200
    body = {"customer": customer, "action": action, "quantity": 3, "model": "m", "cost": "0.12"}
    done = site.post("/api/credits/spend", body)
    assert done.status_code == 200
    assert done.json()["balance"]["balance"] == "85"
    [[price_id, quantity, model, cost]] = site.sql(
        "SELECT price_id, quantity, model, cost FROM comptoir.memos m"
        " JOIN comptoir.accounts a ON a.id = m.account_id"
        " JOIN comptoir.customers c ON c.id = a.customer_id WHERE c.customer = %s",
        customer,
    )
    assert (quantity, model, cost) == (3, "m", 120_000_000)
    assert price_id is not None


def test_unknown_action(site: Site) -> None:
    done = site.post("/api/credits/spend", {"customer": site.rich(), "action": "no.such"})
    assert (done.status_code, done.json()["code"]) == (404, "unknown-action")
    assert "no.such" in done.json()["detail"]


def test_a_hold_from_beginning_to_end(site: Site) -> None:
    customer = site.rich("100")
    made = site.post(
        "/api/credits/holds", {"customer": customer, "amount": "40", "ttl_seconds": 600}
    )
    assert made.status_code == 201
    name = made.json()["hold"]["id"]
    assert made.json()["hold"] | {"expires_at": None} == {
        "id": name, "asset": "credits", "customer": customer, "amount": "40", "captured": "0",
        "state": "open", "expires_at": None, "group": None,
    }  # fmt: skip
    assert made.json()["balance"]["available"] == "60"
    assert site.get(f"/api/credits/holds/{name}").json() == made.json()["hold"]

    part = site.post(f"/api/credits/holds/{name}/capture", {"amount": "15", "final": False})
    assert part.status_code == 200
    assert part.json()["movement"]["kind"] == "capture"
    assert (part.json()["balance"]["held"], part.json()["late"]) == ("25", False)

    renewed = site.post(f"/api/credits/holds/{name}/renew", {"ttl_seconds": 3600})
    assert renewed.status_code == 200
    until = datetime.fromisoformat(renewed.json()["hold"]["expires_at"])
    assert until > datetime.fromisoformat(made.json()["hold"]["expires_at"])
    assert until.tzinfo == UTC

    rest = site.post(f"/api/credits/holds/{name}/capture")
    assert rest.json()["movement"]["amount"] == "-25"
    assert site.get(f"/api/credits/holds/{name}").json()["state"] == "captured"
    assert site.balance(customer)["balance"] == "60"

    again = site.post(f"/api/credits/holds/{name}/release")
    assert (again.status_code, again.json()["code"]) == (409, "hold-not-open")
    assert again.json()["retry"] == "new-key"


def test_release_gives_back(site: Site) -> None:
    customer = site.rich("100")
    name = hold(site, customer)["id"]
    done = site.post(f"/api/credits/holds/{name}/release", {"reason": "no"})
    assert done.status_code == 200
    assert done.json()["hold"]["state"] == "released"
    assert done.json()["balance"]["available"] == "100"


def test_capture_more_than_was_held(site: Site) -> None:
    customer = site.rich("100")
    name = hold(site, customer)["id"]
    done = site.post(f"/api/credits/holds/{name}/capture", {"amount": "10.5"})
    assert (done.status_code, done.json()["code"]) == (422, "exceeds-hold")
    assert "retry" not in done.json()
    assert site.balance(customer)["held"] == "10"


def test_capture_with_debt(site: Site) -> None:
    customer = site.rich("10")
    name = hold(site, customer, on_excess="debt")["id"]
    done = site.post(f"/api/credits/holds/{name}/capture", {"amount": "12"})
    assert done.status_code == 200
    assert (done.json()["balance"]["balance"], done.json()["balance"]["debt"]) == ("-2", "2")


def test_late_capture(site: Site) -> None:
    customer = site.rich("10")
    name = hold(site, customer)["id"]
    expire_hold(site, name)
    assert site.get(f"/api/credits/holds/{name}").json()["state"] == "expired"
    assert site.balance(customer)["held"] == "0"
    done = site.post(f"/api/credits/holds/{name}/capture")
    assert done.json()["late"] is True
    assert done.json()["balance"]["balance"] == "0"


@pytest.mark.parametrize("verb", ["capture", "release", "renew"])
@pytest.mark.parametrize("name", ["hold_" + "0" * 32, "nonsense", "hold_" + "0" * 31 + "G"])
def test_verbs_on_holds_that_are_not_there(site: Site, verb: str, name: str) -> None:
    body = {"ttl_seconds": 60} if verb == "renew" else {}
    done = site.post(f"/api/credits/holds/{name}/{verb}", body)
    assert (done.status_code, done.json()["code"]) == (404, "hold-not-found")


def test_reverse_a_grant(site: Site) -> None:
    customer = fresh("customer")
    movement = site.grant(customer, "50")["movement"]["id"]
    done = site.post("/api/credits/reverse", {"movement": movement, "reason": "mistake"})
    assert done.status_code == 200
    assert done.json()["movement"]["kind"] == "reversal"
    assert done.json()["balance"]["balance"] == "0"
    again = site.post("/api/credits/reverse", {"movement": movement, "reason": "mistake"})
    assert (again.status_code, again.json()["code"]) == (409, "already-reversed")


def test_reverse_what_is_partly_spent(site: Site) -> None:
    customer = fresh("customer")
    movement = site.grant(customer, "50")["movement"]["id"]
    site.post("/api/credits/spend", {"customer": customer, "amount": "20"})
    body = {"movement": movement, "reason": "mistake"}
    done = site.post("/api/credits/reverse", body)
    assert (done.status_code, done.json()["code"]) == (409, "partly-spent")
    assert (done.json()["needed"], done.json()["available"]) == ("50", "30")
    owed = site.post("/api/credits/reverse", body | {"if_spent": "debt"})
    assert owed.json()["balance"]["debt"] == "20"


@pytest.mark.parametrize("movement", ["mv_1_1", "mv_99999999_1", "nonsense", "mv_0_0"])
def test_reverse_what_is_not_there(site: Site, movement: str) -> None:
    done = site.post("/api/credits/reverse", {"movement": movement, "reason": "mistake"})
    assert (done.status_code, done.json()["code"]) == (404, "movement-not-found")


def test_reverse_a_transfer_is_refused(site: Site) -> None:
    giver = site.rich("5")
    moved = site.post("/api/ledger/transfer", {"from": giver, "to": fresh(), "amount": 1}).json()
    body = {"movement": moved["movement"]["id"], "reason": "mistake"}
    done = site.post("/api/credits/reverse", body)
    assert (done.status_code, done.json()["code"]) == (409, "not-reversible")


def test_transfer_shows_both_balances(site: Site) -> None:
    giver, taker = site.rich("10"), fresh("customer")
    done = site.post("/api/ledger/transfer", {"from": giver, "to": taker, "amount": "4"})
    assert done.status_code == 200
    assert done.json()["from"] == site.balance(giver)
    assert done.json()["to"] == site.balance(taker)
    assert done.json()["movement"]["amount"] == "-4"


def test_transfer_refusals(site: Site) -> None:
    giver = site.rich("10")
    same = site.post("/api/ledger/transfer", {"from": giver, "to": giver, "amount": "4"})
    assert (same.status_code, same.json()["errors"][0]["code"]) == (422, "same-account")
    more = site.post("/api/ledger/transfer", {"from": giver, "to": fresh(), "amount": "11"})
    assert (more.status_code, more.json()["code"]) == (402, "insufficient-credits")


def test_a_grant_that_has_expired_already(site: Site) -> None:
    body = {
        "customer": fresh(), "amount": 1, "reason": "x", "expires_at": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    done = site.post("/api/credits/grant", body)
    assert (done.status_code, done.json()["code"]) == (409, "expired")


def test_low_is_a_fifth_of_what_was_there_after_the_last_grant(site: Site) -> None:
    customer = site.rich("100")
    site.post("/api/credits/spend", {"customer": customer, "amount": "80"})
    assert site.balance(customer)["low"] is False
    site.post("/api/credits/spend", {"customer": customer, "amount": "0.000001"})
    assert site.balance(customer)["low"] is True
