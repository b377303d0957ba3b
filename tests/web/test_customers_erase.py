"""Erasing a person: nothing says who he was, the books stay whole, repeats get their answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from comptoir.store.verify import stand_alone_sql
from tests.support.postgres import Cluster, Database
from tests.support.remains import remains
from tests.support.site import Site, fresh, serving


@dataclass(slots=True)
class Asked:
    """A request that was made, and what it was answered."""

    path: str
    body: dict[str, Any]
    key: str
    answer: dict[str, Any]
    status: int


@dataclass(slots=True)
class Person:
    """A customer with a life, and all that the database was told about him."""

    site: Site
    id: str = field(default_factory=lambda: fresh("aliénor@shop") + "!")
    asked: list[Asked] = field(default_factory=list[Asked])

    @property
    def details(self) -> dict[str, Any]:
        return {"name": f"Aliénor {self.id}", "email": self.email, "metadata": self.metadata}

    @property
    def email(self) -> str:
        return self.id.replace("é", "e").replace("@shop", "") + "@example.org"

    @property
    def metadata(self) -> dict[str, str]:
        return {f"nick {self.id}": f"Nono {self.id}"}

    @property
    def texts(self) -> dict[str, Any]:
        return {
            "reason": f"for {self.id}",
            "reference": f"ref {self.id}",
            "metadata": self.metadata,
        }

    @property
    def words(self) -> list[str]:
        return [self.id, self.email]

    def ask(self, path: str, body: dict[str, Any], status: int | None = None) -> dict[str, Any]:
        key = fresh("key")
        sent = self.texts | body
        done = self.site.post(path, sent, key=key)
        assert status in (None, done.status_code), done.text
        self.asked.append(Asked(path, sent, key, done.json(), done.status_code))
        return done.json()

    def live(self) -> None:
        """Everything that a customer can do."""
        details = self.details | {"time_zone": "Europe/Paris", "locale": "fr"}
        self.site.call("PUT", f"/api/customers/{self.id}", details)
        self.ask("/api/credits/grant", {"customer": self.id, "amount": "100"}, 201)
        self.ask("/api/credits/grant", {"customer": self.id, "amount": 9, "asset": "tokens"}, 201)
        self.ask(
            "/api/credits/spend", {"customer": self.id, "amount": "5", "model": "large-2"}, 200
        )
        self.ask("/api/credits/spend", {"customer": self.id, "amount": "5000"}, 402)
        held = self.ask(
            "/api/credits/holds", {"customer": self.id, "amount": "8", "ttl_seconds": 60}, 201
        )
        self.ask(f"/api/credits/holds/{held['hold']['id']}/capture", {"amount": "6"}, 200)
        other = self.site.rich("20")
        self.ask("/api/ledger/transfer", {"from": self.id, "to": other, "amount": "3"}, 200)
        self.ask("/api/ledger/transfer", {"from": other, "to": self.id, "amount": "1"}, 200)

    def forget(self) -> None:
        """Let the server have no memory of the name."""
        for asset in self.site.app.directory._facts[1].assets.values():
            self.site.app.directory.forget(1, asset, self.id)

    def erase(self, key: str | None = None) -> httpx2.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.site.call("POST", f"/api/customers/{self.id}/erase", headers=headers, key=key)


@pytest.fixture(scope="module")
def site(whole_site: Site) -> Site:
    return whole_site


@pytest.fixture
def person(site: Site) -> Person:
    made = Person(site)
    made.live()
    return made


def assert_balanced(site: Site) -> None:
    verified = site.get("/api/ledger/verify?full=true").json()
    assert verified["balanced"], verified["drift"]
    assert site.sql(stand_alone_sql()) == []


def test_nothing_says_who_he_was(site: Site, person: Person) -> None:
    assert remains(site.owner_url, person.words) != []
    done = person.erase()
    assert done.status_code == 200, done.text
    assert remains(site.owner_url, person.words) == []
    assert_balanced(site)


def test_the_answer_says_what_stays(site: Site, person: Person) -> None:
    before = {asset: site.balance(person.id, asset=asset) for asset in ("credits", "tokens")}
    done = person.erase().json()
    assert done.pop("erased_at").startswith("20")
    lines = sum(each["version"] for each in before.values())
    assert done == {
        "movements": lines,
        "notes": lines + 2,  # and the other side of each transfer
        "left": [{"asset": "credits", "balance": "87"}, {"asset": "tokens", "balance": "9"}],
    }
    assert before["credits"]["balance"] == "87"


def test_he_is_unknown_from_then_on(site: Site, person: Person) -> None:
    assert person.erase().status_code == 200
    for method, path in (("GET", ""), ("GET", "/export"), ("POST", "/erase")):
        gone = site.call(method, f"/api/customers/{person.id}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown-customer")
    assert site.balance(person.id)["version"] == 0
    for listed in ("lots", "transactions", "holds"):
        assert site.get(f"/api/credits/{listed}?customer={person.id}").json()["items"] == []
    listed = site.get("/api/customers?limit=100").text
    assert person.id not in listed
    assert '"customer":null' not in listed


@pytest.mark.parametrize("memory", ["stale", "none"])
def test_repeats_are_answered_and_open_nothing(site: Site, person: Person, memory: str) -> None:
    """By the server that knew him as by one that never did."""
    person.erase()
    if memory == "none":
        person.forget()
    rows = "SELECT count(*), max(id) FROM comptoir.customers"
    lines = "SELECT count(*) FROM comptoir.movements"
    before = site.sql(rows), site.sql(lines)
    for asked in person.asked:
        again = site.post(asked.path, asked.body, key=asked.key)
        assert (again.status_code, again.headers.get("idempotent-replayed")) == (
            asked.status, "true",
        )  # fmt: skip
        assert _without_name(again.json()) == _without_name(asked.answer), asked.path
    assert (site.sql(rows), site.sql(lines)) == before
    assert remains(site.owner_url, person.words) == []
    assert_balanced(site)


def _without_name(answer: dict[str, Any]) -> Any:  # noqa: ANN401  # any JSON
    """Verbs on holds name no customer, so that their answers cannot name him any more."""
    return {
        name: {k: v for k, v in value.items() if k != "customer"} if isinstance(value, dict)
        else value for name, value in answer.items()
    }  # fmt: skip


@pytest.mark.parametrize("memory", ["stale", "none"])
def test_repeats_in_a_batch_open_nothing(site: Site, person: Person, memory: str) -> None:
    requests = [
        {"op": "spend", "idempotency_key": fresh("key"), "customer": person.id, "amount": "1"}
        for _ in range(2)
    ]
    for atomic in (False, True):
        body = {"requests": [each | {"idempotency_key": fresh("key")} for each in requests]}
        first = site.post("/api/ledger/batch", body | {"atomic": atomic})
        person.asked.append(
            Asked("/api/ledger/batch", body | {"atomic": atomic}, "", first.json(), 200)
        )
    person.erase()
    if memory == "none":
        person.forget()
    for asked in person.asked[-2:]:
        again = site.post(asked.path, asked.body)
        assert again.headers["idempotent-replayed"] == "true"
        assert [each["outcome"] for each in again.json()["results"]] == ["exists"] * 2
    assert site.get(f"/api/customers/{person.id}").status_code == 404


@pytest.mark.parametrize("change", [{"amount": "6"}, {"customer": "somebody-else"}])
def test_another_request_under_an_old_key_is_refused(
    site: Site, person: Person, change: dict[str, str]
) -> None:
    person.erase()
    spent = next(each for each in person.asked if each.path.endswith("/spend"))
    refused = site.post(spent.path, spent.body | change, key=spent.key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert refused.json()["field"] == next(iter(change))
    assert site.get(f"/api/customers/{person.id}").status_code == 404


def test_a_new_request_makes_a_new_customer(site: Site, person: Person) -> None:
    person.erase()
    body = {"customer": person.id, "amount": "1"}
    refused = site.post("/api/credits/spend", body)
    assert (refused.status_code, refused.json()["available"]) == (402, "0")
    assert site.grant(person.id, "7")["balance"]["balance"] == "7"
    assert site.get(f"/api/customers/{person.id}").json()["name"] is None
    old = next(each for each in person.asked if each.path.endswith("/spend"))
    again = site.post(old.path, old.body, key=old.key)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["balance"]["balance"] == "95"
    assert site.balance(person.id)["balance"] == "7"
    assert_balanced(site)


def test_open_holds_are_in_the_way(site: Site, person: Person) -> None:
    body = {"customer": person.id, "amount": "2", "ttl_seconds": 600}
    held = site.post("/api/credits/holds", body).json()["hold"]["id"]
    for language, word in (("en", "release"), ("fr", "libérez")):
        refused = site.call(
            "POST", f"/api/customers/{person.id}/erase", headers={"Accept-Language": language}
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "holds-open")
        assert refused.json()["holds"] == 1
        assert word in refused.json()["detail"]
    assert site.get(f"/api/customers/{person.id}").json()["name"] == person.details["name"]
    assert site.get(f"/api/credits/transactions?customer={person.id}").json()["items"][0]["reason"]
    site.post(f"/api/credits/holds/{held}/release", {})
    assert person.erase().status_code == 200


def test_holds_that_have_expired_are_not(site: Site, person: Person) -> None:
    """Nobody has settled them: the erasure does it."""
    body = {"customer": person.id, "amount": "2", "ttl_seconds": 1}
    held = site.post("/api/credits/holds", body).json()["hold"]["id"]
    row = bytes.fromhex(held.removeprefix("hold_"))
    while (done := person.erase()).status_code == 409:  # until it has expired
        assert done.json()["code"] == "holds-open"
    assert done.status_code == 200
    assert site.sql("SELECT state FROM comptoir.holds WHERE id = %s", row) == [("expired",)]
    late = site.post(f"/api/credits/holds/{held}/capture", {"reason": f"{person.id}, later"}).json()
    assert (late["late"], late["balance"]["balance"]) == (True, "85")
    assert late["balance"]["customer"] is None
    assert remains(site.owner_url, person.words) == []
    assert_balanced(site)


def test_what_was_done_can_be_undone(site: Site, person: Person) -> None:
    """A payment may come back long after; the journal has no words for it any more."""
    granted = person.asked[0].answer["movement"]["id"]
    person.erase()
    body = {"movement": granted, "reason": f"{person.id}'s bank", "if_spent": "debt"}
    done = site.post("/api/credits/reverse", body)
    assert (done.status_code, done.json()["movement"]["reason"]) == (200, body["reason"])
    assert done.json()["balance"]["customer"] is None
    assert remains(site.owner_url, person.words) == []
    assert_balanced(site)


def test_texts_of_a_group_go_on_all_sides(site: Site, person: Person) -> None:
    shelf = fresh("stock:TEE")
    site.post("/api/credits/grant", {"customer": shelf, "amount": 5, "reason": "delivery"})
    for verb in ("release", "capture"):
        requests = [
            {"op": "hold", "idempotency_key": fresh("key"), "ttl_seconds": 60, "amount": 1} | whose
            for whose in ({"customer": person.id}, {"account": shelf})
        ]
        made = site.post("/api/ledger/batch", {"requests": requests, "atomic": True}).json()
        hold = made["results"][0]["hold"]["id"]
        person.ask(f"/api/credits/holds/{hold}/renew", {"ttl_seconds": 90}, 200)
        person.ask(f"/api/credits/holds/{hold}/{verb}", {}, 200)
    assert any("notes" in each for each in remains(site.owner_url, [person.texts["reference"]]))
    assert person.erase().status_code == 200
    assert remains(site.owner_url, person.words) == []
    kept = site.get(f"/api/credits/transactions?customer={shelf}").json()["items"]
    assert kept[-1]["reason"] == "delivery"


def test_a_key_makes_erasing_repeatable(site: Site, person: Person) -> None:
    key = fresh("key")
    first, again = person.erase(key), person.erase(key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    site.grant(person.id, "5")  # somebody new
    assert person.erase(key).json() == first.json()
    assert site.balance(person.id)["balance"] == "5"
    other = Person(site)
    other.live()
    refused = other.erase(key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert refused.json()["field"] == "customer"
    reset = site.post("/api/books/test/reset", key=key, who="op")
    assert reset.status_code == 200  # keys are scoped by book
    assert site.get(f"/api/customers/{other.id}").json()["name"] == other.details["name"]


def test_without_a_key_nothing_is_kept_to_repeat_it(site: Site, person: Person) -> None:
    kept = site.sql("SELECT count(*) FROM comptoir.answers")
    headers = {"Authorization": f"Bearer {site.keys['op']}"}
    path = f"{site.url}/api/customers/{person.id}/erase"
    first, again = (site.http.post(path, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 404)
    assert site.sql("SELECT count(*) FROM comptoir.answers") == kept


def test_his_tokens_open_nothing(site: Site, person: Person) -> None:
    made = site.post("/api/customer-tokens", {"customer": person.id}).json()["token"]
    body = {"customer": person.id, "amount": "1", "ttl_seconds": 60}
    held = site.post("/api/credits/holds", body).json()["hold"]["id"]
    assert site.get(f"/api/credits/holds/{held}", who=made).status_code == 200
    site.post(f"/api/credits/holds/{held}/release", {})
    person.erase()
    for path in ("balance", "lots", "transactions", "holds", f"holds/{held}"):
        assert site.get(f"/api/credits/{path}", who=made).status_code == 404
    assert site.get(f"/api/credits/holds/{held}").json()["customer"] is None


def test_only_operators_erase_and_only_their_book(site: Site, person: Person) -> None:
    path = f"/api/customers/{person.id}/erase"
    assert site.call("POST", path, who="svc").status_code == 403
    assert site.call("POST", path, who="test_op").status_code == 404
    assert site.get(f"/api/customers/{person.id}").json()["name"] == person.details["name"]


def test_a_customer_without_accounts(site: Site) -> None:
    person = Person(site)
    site.call("PUT", f"/api/customers/{person.id}", person.details)
    done = person.erase().json()
    assert done | {"erased_at": None} == {"erased_at": None, "movements": 0, "notes": 0, "left": []}
    assert remains(site.owner_url, [person.id]) == []


@pytest.mark.parametrize("name", ["a/export", "a/erase", "x/y", "export", "é/export"])
def test_addresses_of_customers_with_slashes(site: Site, name: str) -> None:
    """What is escaped belongs to the name."""
    from urllib.parse import quote  # noqa: PLC0415

    whole = fresh(f"{name}-0") + "/export"
    path = f"/api/customers/{quote(whole, safe='')}"
    made = site.call("PUT", path, {"name": "x"})
    assert made.json()["customer"] == whole
    assert site.get(path).json() == made.json()
    assert site.get(f"{path}/export").json()["customer"]["customer"] == whole
    assert site.call("POST", f"{path}/erase").status_code == 200
    assert site.get(path).status_code == 404


@pytest.fixture
def lone(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Site, Database]]:
    with cluster.database() as database, serving(database, tmp_path / "home") as up:
        yield up, database


def test_the_database_guards_what_is_erased(lone: tuple[Site, Database]) -> None:
    """Whatever a program does, an erased customer has no name, and one without has no figures."""
    import psycopg  # noqa: PLC0415

    site, database = lone
    person = Person(site)
    person.live()
    person.erase()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for change in ("name = 'x'", "email = 'x'", "customer = 'x'", "metadata = '{\"a\":1}'",
                       "time_zone = 'Europe/Paris'", "erased_at = NULL"):  # fmt: skip
            with pytest.raises(psycopg.errors.CheckViolation):
                owner.execute(
                    f"UPDATE comptoir.customers SET {change} WHERE customer IS NULL".encode()
                )
        [(opened,)] = owner.execute(
            "SELECT comptoir.open_account(1, 2, id, NULL, true)"
            " FROM comptoir.customers WHERE customer IS NULL"
        ).fetchall()
        assert opened is None
