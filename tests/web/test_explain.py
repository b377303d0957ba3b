"""Why this number? Figures, lots, holds and words over HTTP, now and at past times."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.site import Site, fresh

PATH = "/api/ledger/explain"


def explain(site: Site, customer: str, more: str = "", **said: Any) -> dict[str, Any]:  # noqa: ANN401
    found = site.get(f"{PATH}?customer={customer}{more}", **said)
    assert found.status_code == 200, found.text
    return found.json()


def told(site: Site, customer: str, language: str = "en") -> tuple[list[str], list[str]]:
    """The sentences, the oldest first, and the day of each: midnight may be among them."""
    found = explain(site, customer, headers={"Accept-Language": language})["movements"][::-1]
    days = [day(language, datetime.fromisoformat(each["at"])) for each in found]
    return [each["text"] for each in found], days


def texts(site: Site, customer: str, language: str = "en") -> list[str]:
    """The sentences, the oldest first."""
    return told(site, customer, language)[0]


def held_until(site: Site, customer: str, amount: int, **more: object) -> tuple[str, datetime]:
    body = {"customer": customer, "amount": amount, "ttl_seconds": 600} | more
    done = site.post("/api/credits/holds", body)
    assert done.status_code == 201, done.text
    found = done.json()["hold"]
    return found["id"], datetime.fromisoformat(found["expires_at"])


def hold(site: Site, customer: str, amount: int, **more: object) -> str:
    return held_until(site, customer, amount, **more)[0]


def day(language: str, now: datetime) -> str:
    french = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ]  # fmt: skip
    if language == "fr":
        return f"{'1er' if now.day == 1 else now.day} {french[now.month - 1]}"
    return f"{now.day} {now:%B}"


def a_life(site: Site) -> tuple[str, datetime]:
    """A customer with a bit of everything; returns his name and when his first hold would end."""
    site.call("PUT", "/api/credits/prices", {"action": "draw", "amount": 5})
    customer = fresh("customer")
    site.grant(customer, 100, reason="welcome gift")
    body = {"customer": customer, "action": "draw", "model": "x"}
    spent = site.post("/api/credits/spend", body).json()["movement"]["id"]
    name, until = held_until(site, customer, 8, reason="a film")
    site.post(f"/api/credits/holds/{name}/renew", {"ttl_seconds": 900})
    site.post(f"/api/credits/holds/{name}/capture", {"amount": 3})
    other = hold(site, customer, 2)
    site.post(f"/api/credits/holds/{other}/release")
    site.post("/api/credits/reverse", {"movement": spent, "reason": "it failed"})
    body = {"from": customer, "to": "bob", "amount": 7, "reason": "shared", "asset": "credits"}
    site.post("/api/ledger/transfer", body)
    return customer, until


def test_every_kind_has_its_words(site: Site) -> None:
    customer, until = a_life(site)
    found, days = told(site, customer)
    assert found[0] == "Granted 100 credits, “welcome gift”: 0 before, 100 after."
    lot = f"the lot of {days[0]} (welcome gift)"
    assert found[1] == f"Spent 5 credits on draw (model x), from {lot}: 100 before, 95 after."
    assert found[2].startswith(f"Set aside 8 credits, “a film”, until {day('en', until)} at ")
    assert found[2].endswith("(UTC): 87 available of 95.")
    held = f"the hold of 8 credits of {days[2]} (a film)"
    assert found[3].startswith(f"Prolonged {held}, until ")
    assert found[4] == (
        f"Took 3 credits from {held}, giving back 5 credits, from {lot}: 95 before, 92 after."
    )
    assert found[6] == (
        f"Released the hold of 2 credits of {days[5]}, giving back 2 credits: 92 available of 92."
    )
    assert found[7] == (
        f"Gave back 5 credits, reversing the spend of 5 credits of {days[1]}, “it failed”, into"
        f" {lot}: 92 before, 97 after."
    )
    assert found[8] == f"Sent 7 credits to bob, “shared”, from {lot}: 97 before, 90 after."


def test_every_kind_has_its_words_in_french(site: Site) -> None:
    customer, until = a_life(site)
    found, days = told(site, customer, "fr")
    assert found[0] == "Don de 100 crédits, « welcome gift » : 0 avant, 100 après."
    lot = f"le lot du {days[0]} (welcome gift)"
    assert found[1] == (
        f"Dépense de 5 crédits pour draw (modèle x), sur {lot} : 100 avant, 95 après."
    )
    ends = day("fr", until)
    assert found[2].startswith(f"Mise de côté de 8 crédits, « a film », jusqu'au {ends} à ")
    held = f"la retenue de 8 crédits du {days[2]} (a film)"
    assert found[4] == (
        f"Prélèvement de 3 crédits sur {held}, avec restitution de 5 crédits, sur {lot}"
        " : 95 avant, 92 après."
    )
    assert found[6].startswith("Libération de la retenue de 2 crédits du ")
    assert found[7].startswith(
        f"Retour de 5 crédits pour annuler la dépense de 5 crédits du {days[1]}"
    )
    assert found[8].startswith("Transfert de 7 crédits à bob, « shared », sur ")


def test_the_number_leads_down_to_its_grant(site: Site) -> None:
    customer = fresh("customer")
    given = site.grant(customer, 10, reason="gift", reference="order-1")["movement"]["id"]
    site.grant(customer, 10, reason="more", reference="order-2", priority=90)
    name = hold(site, customer, 4, reference="job-1")
    body = {"amount": 1, "final": False}
    site.post(f"/api/credits/holds/{name}/capture", body)
    site.post("/api/credits/spend", {"customer": customer, "amount": 8, "reference": "r"})
    found = explain(site, customer)
    assert found["balance"] == site.balance(customer)
    assert [(lot["reference"], lot["left"], lot["pinned"]) for lot in found["lots"]] == [
        ("order-1", "3", "3"), ("order-2", "8", "0")
    ]  # fmt: skip
    assert found["lots"][0]["movement"] == given
    [held] = found["holds"]
    assert (held["id"], held["amount"], held["captured"]) == (name, "4", "1")
    assert held["reference"] == "job-1"
    spent, captured = found["movements"][:2]
    assert [(p["reference"], p["amount"], p["reason"]) for p in spent["lots"]] == [
        ("order-1", "-6", "gift"), ("order-2", "-2", "more")
    ]  # fmt: skip
    assert "6 from the lot of" in spent["text"]
    assert (captured["hold"], captured["request"]) == (name, "capture")


def test_a_reversal_names_what_it_undid(site: Site) -> None:
    customer = fresh("customer")
    given = site.grant(customer, 10, reason="gift")["movement"]["id"]
    site.post("/api/credits/spend", {"customer": customer, "amount": 4})
    body = {"movement": given, "reason": "wrong", "if_spent": "debt"}
    site.post("/api/credits/reverse", body)
    site.grant(customer, 6, reason="sorry")
    found = explain(site, customer)["movements"]
    assert found[1]["reverses"]["id"] == given
    assert ", 4 credits of it as a debt: 6 before, −4 after." in found[1]["text"]
    assert "reversing the grant of 10 credits of " in found[1]["text"]
    assert "(gift)" in found[1]["text"]
    assert ", 4 credits of it repaying a debt: −4 before, 2 after." in found[0]["text"]


def test_pages_add_up_and_stay_at_their_moment(site: Site) -> None:
    customer = a_life(site)[0]
    whole = explain(site, customer)
    page = explain(site, customer, "&limit=4")
    pages, closing = [page], page["balance"]["balance"]
    site.grant(customer, 1000, reason="later")
    while page["next_cursor"] is not None:
        page = explain(site, customer, f"&limit=4&cursor={page['next_cursor']}")
        pages.append(page)
    assert [m for each in pages for m in each["movements"]] == whole["movements"]
    for each in pages:
        assert (each["at"], each["balance"]) == (pages[0]["at"], whole["balance"])
        assert each["closing_balance"] == closing
        moved = sum(Decimal(m["amount"]) for m in each["movements"])
        assert Decimal(each["opening_balance"]) + moved == Decimal(closing)
        closing = each["opening_balance"]
    assert closing == "0"


def test_every_past_moment_says_what_was_said_then(site: Site) -> None:
    customer = fresh("customer")
    seen: dict[str, Any] = {}
    for number in range(6):
        site.grant(customer, number + 1, priority=number, reference=f"r{number}")
        hold(site, customer, 1)
        seen[site.balance(customer)["updated_at"]] = explain(site, customer)
    for at, then in seen.items():
        now = explain(site, customer, f"&at={at}")
        assert {**now, "at": ""} == {**then, "at": ""}
        path = f"/api/credits/balance?customer={customer}&at={at}"
        past = site.get(path)
        assert past.json() == then["balance"]
        again = site.get(path, headers={"If-None-Match": past.headers["etag"]})
        assert again.status_code == 304


def test_the_moment_itself_counts_and_the_one_before_does_not(site: Site) -> None:
    customer = site.rich("5")
    at = datetime.fromisoformat(site.balance(customer)["updated_at"])
    for shift, balance in ((0, "5"), (1, "5"), (-1, "0")):
        moment = (at + timedelta(microseconds=shift)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        found = site.get(f"/api/credits/balance?customer={customer}&at={moment}").json()
        assert found["balance"] == balance


def test_what_was_due_is_counted_though_nobody_wrote_it(site: Site) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    customer = site.rich("5", expires_at=soon, reference="r")
    for table, column in (("lots", "expires_at"), ("accounts", "next_expiry")):
        account = "id" if table == "accounts" else "account_id"
        site.sql(
            f"UPDATE comptoir.{table} t SET {column} = clock_timestamp()"
            f" FROM comptoir.accounts a JOIN comptoir.customers c ON c.id = a.customer_id"
            f" WHERE t.{account} = a.id AND c.customer = %s",
            customer,
        )
    found = explain(site, customer)
    assert found["balance"] == site.balance(customer)
    assert found["lots"] == []
    expired, granted = found["movements"]
    assert (expired["kind"], expired["seq"], expired["request"]) == ("expiry", 2, None)
    assert expired["text"].startswith("5 credits expired, from the lot of ")
    assert expired["text"].endswith(" (test): 5 before, 0 after.")
    assert "expiring on" in granted["text"]
    before = explain(site, customer, f"&at={granted['at']}")
    assert (before["balance"]["balance"], len(before["movements"])) == ("5", 1)


def test_late_captures_and_expired_holds_have_their_words(site: Site) -> None:
    customer = site.rich("10")
    name = hold(site, customer, 4, on_excess="debt")
    site.sql("UPDATE comptoir.holds SET expires_at = at WHERE id = %s", bytes.fromhex(name[5:]))
    site.sql(
        "UPDATE comptoir.accounts a SET next_expiry = a.at FROM comptoir.customers c"
        " WHERE c.id = a.customer_id AND c.customer = %s",
        customer,
    )
    site.post(f"/api/credits/holds/{name}/capture", {"amount": 12})
    took, expired = explain(site, customer)["movements"][:2]
    assert expired["text"].startswith("The hold of 4 credits of ")
    assert expired["text"].endswith(" expired, giving back 4 credits: 10 available of 10.")
    assert took["text"].startswith("Took 12 credits late, after the hold of 4 credits of ")
    assert took["late"] is True
    assert "2 credits of it as a debt: 10 before, −2 after." in took["text"]


def test_erased_texts_and_names_leave_nothing_broken(site: Site) -> None:
    customer = a_life(site)[0]
    receiver = fresh("receiver")
    body = {"from": customer, "to": receiver, "amount": 1, "asset": "credits"}
    site.post("/api/ledger/transfer", body)
    for who in (customer, receiver):
        for table in ("notes", "memos"):
            site.sql(
                f"DELETE FROM comptoir.{table} n USING comptoir.accounts a, comptoir.customers c"
                " WHERE c.id = a.customer_id AND n.account_id = a.id AND c.customer = %s",
                who,
            )
    site.sql("DELETE FROM comptoir.customers WHERE customer = %s", receiver)
    for language in ("en", "fr"):
        found = texts(site, customer, language)
        assert "None" not in " ".join(found)
        assert "“" not in " ".join(found)
    assert found[-1].startswith("Transfert de 1 crédit à un client effacé")


def test_days_are_the_customers_own(site: Site) -> None:
    customer = fresh("customer")
    site.call("PUT", f"/api/customers/{customer}", {"time_zone": "Pacific/Kiritimati"})
    site.grant(customer, 1, expires_at="2090-03-11T20:00:00Z")
    [granted] = explain(site, customer)["movements"]
    assert "expiring on 12 March 2090 at 10:00 (+14)" in granted["text"]


def test_a_stock_account_and_another_asset(site: Site) -> None:
    name = f"stock:{fresh('TEE')}:M"
    site.post(
        "/api/ledger/batch",
        {"requests": [{"op": "grant", "idempotency_key": fresh(), "account": name, "amount": 3,
                       "reason": "Delivery"}]},
    )  # fmt: skip
    found = explain(site, name)
    assert found["balance"]["account"] == name
    assert found["movements"][0]["text"] == "Granted 3 units, “Delivery”: 0 before, 3 after."
    assert explain(site, fresh(), "&asset=tokens")["balance"]["asset"] == "tokens"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2001-01-01T00:00:00Z"]
)
def test_before_the_first_movement_there_is_nothing(site: Site, at: str) -> None:
    customer = site.rich("5")
    for who in (customer, fresh("stranger")):
        found = explain(site, who, f"&at={at}")
        assert (found["balance"]["balance"], found["balance"]["version"]) == ("0", 0)
        assert found["lots"] == found["holds"] == found["movements"] == []
        past = site.get(f"/api/credits/balance?customer={who}&at={at}").json()
        assert past == found["balance"]


@pytest.mark.parametrize(("at", "code"), [
    ("9998-01-01T00:00:00Z", "time-in-future"), ("9999-12-31T23:59:59Z", "time-invalid"),
    ("0001-01-01T00:00:00%2B10:00", "time-invalid"), ("0000-01-01T00:00:00Z", "time-invalid"),
    ("yesterday", "time-invalid"), ("2026-01-01", "time-invalid"), ("", "time-invalid"),
    ("2026-01-01T00:00:00", "time-invalid"), ("1e9", "time-invalid"),
])  # fmt: skip
def test_times_that_cannot_be(site: Site, at: str, code: str) -> None:
    for who in (site.rich("5"), fresh("stranger")):
        for path in (PATH, "/api/credits/balance"):
            refused = site.get(f"{path}?customer={who}&at={at}")
            assert refused.status_code == 422, refused.text
            [error] = refused.json()["errors"]
            assert (error["field"], error["code"]) == ("at", code)


def test_who_may_ask(site: Site) -> None:
    customer, other = site.rich("5"), site.rich("5")
    body = {"customer": customer, "ttl_seconds": 600}
    token = site.post("/api/customer-tokens", body).json()["token"]
    assert site.get(f"{PATH}?customer={customer}", who=token).status_code == 403
    assert site.get(f"{PATH}?customer={customer}", who="svc").status_code == 200
    assert site.get(f"{PATH}?customer={customer}", who=None).status_code == 401
    at = site.balance(customer)["updated_at"]
    own = site.get(f"/api/credits/balance?at={at}", who=token)
    assert own.json()["balance"] == "5"
    foreign = site.get(f"/api/credits/balance?customer={other}&at={at}", who=token)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "unknown-customer")
    assert explain(site, customer, who="test_op")["balance"]["balance"] == "0"


def test_unknown_assets_cursors_and_nobody(site: Site) -> None:
    customer, other = a_life(site)[0], a_life(site)[0]
    missing = site.get(f"{PATH}?customer={customer}&asset=nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown-asset")
    assert site.get(PATH).status_code == 422
    cursor = explain(site, customer, "&limit=1")["next_cursor"]
    for path in (
        f"{PATH}?customer={other}&cursor={cursor}",
        f"{PATH}?customer={customer}&at=2001-01-01T00:00:00Z&cursor={cursor}",
        f"/api/credits/transactions?customer={customer}&cursor={cursor}",
    ):
        assert site.get(path).json()["code"] == "cursor-invalid"
