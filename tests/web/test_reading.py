"""Balances, lists, cursors, ETags."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from comptoir.domains.identity.model import sign_text
from tests.support.site import Site, fresh


def all_pages(site: Site, path: str, limit: int, who: str = "op") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(100):
        page = site.get(f"{path}&limit={limit}{cursor}", who=who)
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= limit
        items += page.json()["items"]
        if page.json()["next_cursor"] is None:
            return items
        assert len(page.json()["items"]) == limit
        cursor = f"&cursor={page.json()['next_cursor']}"
    raise AssertionError("the list does not end")


def test_the_balance_of_a_stranger_is_zero(site: Site) -> None:
    customer = fresh("stranger")
    assert site.balance(customer) == {
        "customer": customer, "asset": "credits", "balance": "0", "held": "0", "available": "0",
        "debt": "0", "low": False, "low_threshold": "0", "version": 0, "updated_at": None,
    }  # fmt: skip
    assert site.sql("SELECT 1 FROM comptoir.customers WHERE customer = %s", customer) == []


def test_an_unchanged_balance_is_not_sent_again(site: Site) -> None:
    customer = site.rich()
    path = f"/api/credits/balance?customer={customer}"
    first = site.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('"')
    assert first.headers["cache-control"] == "private, no-cache"
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        same = site.get(path, headers={"If-None-Match": tags})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == etag
    site.post("/api/credits/spend", {"customer": customer, "amount": 1})
    changed = site.get(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_customers_without_an_account_have_etags_of_their_own(site: Site) -> None:
    mine, his = fresh("nobody"), fresh("nobody")
    first = site.get(f"/api/credits/balance?customer={mine}")
    path = f"/api/credits/balance?customer={his}"
    other = site.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (other.status_code, other.json()["customer"]) == (200, his)
    assert site.get(path, headers={"If-None-Match": other.headers["etag"]}).status_code == 304


def test_an_expiry_changes_the_etag_before_anybody_has_written_it(site: Site) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    customer = site.rich("5", expires_at=soon)
    path = f"/api/credits/balance?customer={customer}"
    first = site.get(path)
    for table, column in (("lots", "expires_at"), ("accounts", "next_expiry")):
        account = "id" if table == "accounts" else "account_id"
        site.sql(
            f"UPDATE comptoir.{table} t SET {column} = clock_timestamp() - interval '1 hour'"
            f" FROM comptoir.accounts a JOIN comptoir.customers c ON c.id = a.customer_id"
            f" WHERE t.{account} = a.id AND c.customer = %s",
            customer,
        )
    later = site.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200
    assert (later.json()["balance"], later.json()["version"]) == ("0", 2)


def test_movements_newest_first_in_pages(site: Site) -> None:
    customer = site.rich("100")
    for number in range(9):
        body = {"customer": customer, "amount": number + 1, "reference": f"r{number}"}
        assert site.post("/api/credits/spend", body).status_code == 200
    found = all_pages(site, f"/api/credits/transactions?customer={customer}", 3)
    assert [each["seq"] for each in found] == list(range(10, 0, -1))
    assert [each["reference"] for each in found] == [f"r{n}" for n in range(8, -1, -1)] + [None]
    for newer, older in pairwise(found):
        assert newer["before"] == older["after"]


def test_movements_by_kind_and_time(site: Site) -> None:
    customer = site.rich("100")
    for _ in range(3):
        site.post("/api/credits/spend", {"customer": customer, "amount": 1})
    path = f"/api/credits/transactions?customer={customer}"
    everything = site.get(path).json()["items"]
    spends = all_pages(site, f"{path}&kind=spend", 2)
    assert spends == everything[:3]
    assert site.get(f"{path}&kind=refund").json() == {"items": [], "next_cursor": None}
    middle = everything[1]["at"]
    assert site.get(f"{path}&from={middle}").json()["items"] == everything[:2]
    assert site.get(f"{path}&to={middle}").json()["items"] == everything[2:]
    assert all_pages(site, f"{path}&to={middle}", 1) == everything[2:]
    nobody = site.get("/api/credits/transactions?customer=nobody-at-all").json()
    assert nobody == {"items": [], "next_cursor": None}


def test_holds_make_no_movement_that_is_listed(site: Site) -> None:
    customer = site.rich("10")
    body = {"customer": customer, "amount": 1, "ttl_seconds": 60}
    site.post("/api/credits/holds", body)
    path = f"/api/credits/transactions?customer={customer}"
    assert [each["kind"] for each in site.get(path).json()["items"]] == ["grant"]
    [line] = site.get(f"{path}&kind=hold").json()["items"]
    assert (line["amount"], line["seq"]) == ("0", 2)


def test_lots_in_burning_order_in_pages(site: Site) -> None:
    customer = fresh("customer")
    for priority, year in ((50, 2090), (10, None), (50, None), (50, 2080), (10, 2070)):
        more = {"priority": priority, "reference": fresh()}
        if year is not None:
            more["expires_at"] = f"{year}-01-01T00:00:00Z"
        site.grant(customer, 1, **more)
    found = all_pages(site, f"/api/credits/lots?customer={customer}", 2)
    order = [(lot["priority"], (lot["expires_at"] or "none")[:4]) for lot in found]
    assert order == [(10, "2070"), (10, "none"), (50, "2080"), (50, "2090"), (50, "none")]


def test_holds_newest_first_in_pages(site: Site) -> None:
    customer = site.rich("10")
    names = [
        site.post("/api/credits/holds", {"customer": customer, "amount": 1, "ttl_seconds": 60})
        .json()["hold"]["id"]
        for _ in range(5)
    ]  # fmt: skip
    found = all_pages(site, f"/api/credits/holds?customer={customer}", 2)
    assert [each["id"] for each in found] == names[::-1]


def test_prices_by_action(site: Site) -> None:
    prefix = fresh("zz")
    for number in range(4):
        body = {"action": f"{prefix}.{number}", "amount": number + 1, "real_cost": "0.0400"}
        done = site.call("PUT", "/api/credits/prices", body)
        assert (done.status_code, done.json()["version"]) == (200, 1)
        assert done.json()["real_cost"] == "0.04"
    again = site.call("PUT", "/api/credits/prices", body)
    assert again.json() == done.json()
    changed = site.call("PUT", "/api/credits/prices", body | {"amount": "9.5"})
    assert (changed.json()["version"], changed.json()["amount"]) == (2, "9.5")
    found = all_pages(site, "/api/credits/prices?asset=credits", 3, who="svc")
    mine = [each for each in found if each["action"].startswith(f"{prefix}.")]
    assert [each["amount"] for each in mine] == ["1", "2", "3", "9.5"]


CURSORS = ("/api/credits/transactions", "/api/credits/lots", "/api/credits/holds")


def test_cursors_belong_to_their_list(site: Site) -> None:
    one, other = site.rich("10"), site.rich("10")
    for customer in (one, other):
        for _ in range(2):
            site.grant(customer, 1, reference=fresh())
            body = {"customer": customer, "amount": 1, "ttl_seconds": 60}
            site.post("/api/credits/holds", body)
    page = site.get(f"/api/credits/transactions?customer={one}&limit=1").json()
    cursor = page["next_cursor"]
    assert site.get(f"/api/credits/transactions?customer={one}&cursor={cursor}").is_success
    foreign = [
        f"/api/credits/transactions?customer={other}&cursor={cursor}",
        f"/api/credits/transactions?customer={one}&kind=grant&cursor={cursor}",
        f"/api/credits/transactions?customer={one}&from=2020-01-01T00:00:00Z&cursor={cursor}",
        f"/api/credits/lots?customer={one}&cursor={cursor}",
        f"/api/credits/holds?customer={one}&cursor={cursor}",
        f"/api/credits/transactions?customer={one}&cursor={cursor[:-1]}",
        f"/api/credits/transactions?customer={one}&cursor=A{cursor}",
        f"/api/credits/transactions?customer={one}&cursor=.",
        f"/api/credits/transactions?customer={one}&cursor=%C3%A9.%C3%A9",
    ]
    for path in foreign:
        refused = site.get(path)
        assert (refused.status_code, refused.json()["code"]) == (400, "cursor-invalid"), path
    assert site.get(f"/api/customers?cursor={cursor}").status_code == 400


def test_cursors_of_the_other_book(site: Site) -> None:
    for who in ("op", "test_op"):
        for _ in range(2):
            site.call("PUT", f"/api/customers/{fresh('c')}", {}, who=who)
    cursor = site.get("/api/customers?limit=1", who="op").json()["next_cursor"]
    assert site.get(f"/api/customers?cursor={cursor}", who="op").is_success
    foreign = site.get(f"/api/customers?cursor={cursor}", who="test_op")
    assert (foreign.status_code, foreign.json()["code"]) == (400, "cursor-invalid")


def test_cursors_expire(site: Site) -> None:
    path = "/api/customers"
    for until, status in ((site.app.clock() + 10**7, 200), (site.app.clock(), 400)):
        cursor = sign_text(site.app.secret, f"cursor\n{path}\n1\n\n", f"[{until},0]")
        assert site.get(f"{path}?cursor={cursor}").status_code == status


def test_unknown_holds(site: Site) -> None:
    for name in ("hold_" + "0" * 32, "nonsense", "hold_%00", "hold_" + "f" * 64):
        found = site.get(f"/api/credits/holds/{name}")
        assert (found.status_code, found.json()["code"]) == (404, "hold-not-found")


@pytest.mark.parametrize("path", ["balance", "lots", "holds", "transactions"])
def test_unknown_assets(site: Site, path: str) -> None:
    found = site.get(f"/api/credits/{path}?customer=x&asset=nothing")
    assert (found.status_code, found.json()["code"]) == (404, "unknown-asset")
