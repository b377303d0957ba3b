"""Customers, keys, customer tokens, assets."""

from datetime import datetime
from urllib.parse import quote

import pytest

from comptoir.web.catalogue import PROBLEMS
from tests.support.site import Site, fresh


def test_a_customer_is_added_and_changed(site: Site) -> None:
    name = fresh("customer")
    assert site.get(f"/api/customers/{name}").json()["code"] == "unknown-customer"
    made = site.call("PUT", f"/api/customers/{name}", {"email": "a@example.com"}, who="svc")
    assert made.status_code == 200
    assert made.json() | {"created_at": None} == {
        "customer": name, "plan": "free", "time_zone": "UTC", "locale": "en",
        "email": "a@example.com", "name": None, "metadata": {}, "created_at": None,
    }  # fmt: skip
    change = {"time_zone": "Europe/Paris", "locale": "fr-FR", "name": "Zoé", "metadata": {"a": "1"}}
    changed = site.call("PUT", f"/api/customers/{name}", change)
    assert changed.json() == made.json() | change
    assert site.get(f"/api/customers/{name}").json() == changed.json()


def test_a_customer_is_opened_on_first_use(site: Site) -> None:
    customer = site.rich()
    assert site.get(f"/api/customers/{customer}").json()["customer"] == customer


@pytest.mark.parametrize(
    "name", ["a/b", "é ü", "a?b#c", "x" * 128, "名前", "a%2Fb", "..", "a b/", "stock:a:b"]
)
def test_customers_may_have_any_printable_name(site: Site, name: str) -> None:
    path = f"/api/customers/{quote(name, safe='')}"
    if name == "..":
        path = "/api/customers/%2E%2E"
    made = site.call("PUT", path, {"name": "x"})
    if name == "..":
        assert made.status_code in (200, 404, 405)  # clients fold such a path before they send it
        return
    assert (made.status_code, made.json()["customer"]) == (200, name)
    assert site.get(path).json() == made.json()


@pytest.mark.parametrize("name", ["x" * 129, "a%00b", "a%0Ab", "%E2%80%8B", "%E2%80%AEabc", ""])
def test_names_that_no_customer_can_have(site: Site, name: str) -> None:
    for method in ("GET", "PUT"):
        refused = site.call(method, f"/api/customers/{name}", {} if method == "PUT" else None)
        code = "not-found" if "%0A" in name else "validation-failed"
        assert (refused.status_code, refused.json()["code"]) == (PROBLEMS[code].status, code)


def test_paths_that_are_not_utf8(site: Site) -> None:
    refused = site.get("/api/customers/%FF%FE")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    "body",
    [
        {"time_zone": "Mars/Base"}, {"time_zone": ""}, {"locale": "french"}, {"email": "nobody"},
        {"name": ""}, {"name": "x" * 201}, {"plan": ""}, {"metadata": {"a": 1}},
        {"metadata": {"x" * 41: "1"}}, {"metadata": {"a": "x" * 501}}, [], "text",
        {"metadata": {str(n): "1" for n in range(21)}}, {"email": "a b@c"}, {"customer": "other"},
    ],
    ids=lambda body: repr(body)[:40],
)  # fmt: skip
def test_customers_that_cannot_be(site: Site, body: object) -> None:
    name = fresh("customer")
    refused = site.call("PUT", f"/api/customers/{name}", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert site.get(f"/api/customers/{name}").status_code == 404


def test_customers_in_pages(site: Site) -> None:
    names = [fresh("customer") for _ in range(3)]
    for name in names:
        site.call("PUT", f"/api/customers/{name}", {})
    found: list[str] = []
    cursor = ""
    for _ in range(1000):
        page = site.get(f"/api/customers?limit=7{cursor}").json()
        found += [each["customer"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [name for name in found if name in names] == names
    assert len(set(found)) == len(found)


def test_a_new_key_shows_its_text_once(site: Site) -> None:
    body = {"role": "operator", "name": "Ops", "expires_at": "2090-01-01T00:00:00Z"}
    made = site.post("/api/keys", body)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    text = made.json().pop("key")
    assert text.startswith("ck_live_op_")
    shown = {name: value for name, value in made.json().items() if name != "key"}
    assert shown | {"id": None, "created_at": None, "hint": None} == {
        "id": None, "role": "operator", "name": "Ops", "book": "live", "hint": None,
        "created_at": None, "expires_at": "2090-01-01T00:00:00.000000Z", "revoked_at": None,
        "last_used_at": None,
    }  # fmt: skip
    assert text not in site.get("/api/keys?limit=100").text
    assert site.get("/api/keys", who=text).status_code == 200
    stored = site.sql("SELECT k::text FROM comptoir.keys k WHERE id = %s", made.json()["id"])
    assert text not in str(stored)


def test_a_repeat_shows_the_same_key(site: Site) -> None:
    body, key = {"role": "service", "name": "Shop"}, fresh("key")
    first, again = (site.post("/api/keys", body, key=key) for _ in range(2))
    assert again.json() | {"last_used_at": None} == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert site.get("/api/customers", who=first.json()["key"]).status_code == 200
    for change in ({"role": "operator"}, {"name": "x"}, {"expires_at": "2090-01-01T00:00:00Z"}):
        other = site.post("/api/keys", body | change, key=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        assert other.json()["field"] == next(iter(change))
    headers = {"Authorization": f"Bearer {site.keys['op']}"}
    unnamed = [
        site.http.post(f"{site.url}/api/keys", json=body, headers=headers).json() for _ in range(2)
    ]
    assert len({each["key"] for each in (*unnamed, first.json())}) == 3


def test_keys_of_the_other_book(site: Site) -> None:
    made = site.post("/api/keys", {"role": "service", "name": "Test", "book": "test"})
    assert made.json()["key"].startswith("ck_test_svc_")
    assert made.json()["book"] == "test"
    path = f"/api/keys/{made.json()['id']}"
    assert site.call("DELETE", path).status_code == 404
    assert made.json()["id"] not in site.get("/api/keys?limit=100").text
    assert made.json()["id"] in site.get("/api/keys?limit=100&book=test").text
    assert site.call("DELETE", f"{path}?book=test").status_code == 200


def test_a_test_key_cannot_reach_the_live_book(site: Site) -> None:
    body = {"role": "operator", "name": "x"}
    for done in (
        site.post("/api/keys", body | {"book": "live"}, who="test_op"),
        site.get("/api/keys?book=live", who="test_op"),
    ):
        assert (done.status_code, done.json()["code"]) == (403, "forbidden")
    own = site.post("/api/keys", body, who="test_op")
    assert own.json()["key"].startswith("ck_test_op_")


@pytest.mark.parametrize("id_", ["nonsense", "00000000-0000-7000-8000-000000000000", "%FF"])
def test_unknown_keys(site: Site, id_: str) -> None:
    gone = site.call("DELETE", f"/api/keys/{id_}")
    assert gone.status_code == (400 if id_ == "%FF" else 404)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"role": "operator"}, {"name": "x"}, {"role": "customer", "name": "x"},
        {"role": "operator", "name": ""}, {"role": "operator", "name": "x", "book": "other"},
        {"role": "operator", "name": "x", "expires_at": 5},
        {"role": "operator", "name": "x", "expires_at": "tomorrow"},
    ],
    ids=repr,
)  # fmt: skip
def test_keys_that_cannot_be(site: Site, body: object) -> None:
    refused = site.post("/api/keys", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


def test_a_customer_token_says_when_it_ends(site: Site) -> None:
    customer = fresh("customer")
    body = {"customer": customer, "ttl_seconds": 60}
    made = site.post("/api/customer-tokens", body, who="svc")
    assert (made.status_code, made.json()["customer"]) == (201, customer)
    assert made.headers["cache-control"] == "no-store"
    left = datetime.fromisoformat(made.json()["expires_at"]).timestamp() * 10**6 - site.app.clock()
    assert 50 * 10**6 < left <= 60 * 10**6
    assert made.json()["token"].startswith("ct_")
    assert customer not in made.json()["token"]


@pytest.mark.parametrize("ttl", [0, -1, 86_401, "60", 1.5, True], ids=repr)
def test_token_lifetimes_that_cannot_be(site: Site, ttl: object) -> None:
    refused = site.post("/api/customer-tokens", {"customer": "x", "ttl_seconds": ttl}, who="svc")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "ttl_seconds")


def test_assets(site: Site) -> None:
    code = fresh("gems")
    made = site.post("/api/assets", {"code": code, "scale": 2})
    assert (made.status_code, made.json()) == (201, {"code": code, "scale": 2})
    assert site.post("/api/assets", {"code": code, "scale": 2}).json() == made.json()
    other = site.post("/api/assets", {"code": code, "scale": 3}, headers={"Accept-Language": "fr"})
    assert (other.status_code, other.json()["code"]) == (409, "asset-exists")
    assert "2 décimales" in other.json()["detail"]
    listed = site.get("/api/assets?limit=100", who="svc").json()["items"]
    assert {"code": code, "scale": 2} in listed
    assert {"code": "credits", "scale": 6} in listed
    first = site.get("/api/assets?limit=1", who="svc").json()
    rest = site.get(f"/api/assets?limit=100&cursor={first['next_cursor']}", who="svc").json()
    assert first["items"] + rest["items"] == listed
    customer = fresh("customer")
    assert site.grant(customer, "1.25", asset=code)["balance"]["balance"] == "1.25"
    fine = site.post(
        "/api/credits/grant",
        {"customer": customer, "amount": "1.255", "asset": code, "reason": "x"},
    )
    assert fine.json()["errors"][0]["code"] == "amount-too-precise"


@pytest.mark.parametrize(
    "body",
    [{"code": "Gems", "scale": 2}, {"code": "g", "scale": 7}, {"code": "g", "scale": -1},
     {"code": "", "scale": 0}, {"code": "g"}, {"scale": 0}, {"code": "x" * 51, "scale": 0},
     {"code": "g\n", "scale": 0}],
    ids=repr,
)  # fmt: skip
def test_assets_that_cannot_be(site: Site, body: object) -> None:
    refused = site.post("/api/assets", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
