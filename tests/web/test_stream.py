"""Streams: the balance at once, then whenever it changes; and who sees what, for how long."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from comptoir.domains.identity.model import CustomerToken, write_token
from comptoir.kit.limits import SECOND
from comptoir.store import announcing
from comptoir.store import live as watching
from comptoir.web import live
from tests.support.batches import until
from tests.support.events import HEARTBEAT, Events, listening
from tests.support.postgres import Database
from tests.support.site import LIVE, Site, fresh, serving

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "live-balances.md"
BALANCE = "/api/stream?customer={}"
CHANGES = "/api/stream/changes"
LISTENS = """
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s::bigint::oid AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
CUT = LISTENS.replace("SELECT 1", "SELECT pg_terminate_backend(pid)")


@pytest.fixture(autouse=True)
def at_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of other tests end at once; hearts beat often, for whoever waits for nothing."""
    monkeypatch.setattr(live, "LIFE_SECONDS", 60.0)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)


@pytest.fixture(autouse=True)
async def alone(site: Site) -> None:
    """Streams of the test before are closed by now."""
    await until(lambda: not site.app.live.is_watched)


def reading(site: Site, customer: str, who: str = "svc", last: int | str | None = None):
    return listening(site.url, BALANCE.format(customer), site.keys.get(who, who), last)


def mine(site: Site, stream: str = "/api/stream", *, token: str, last: int | None = None):
    return listening(site.url, stream, token, last)


def token_of(site: Site, customer: str, seconds: float = 3600) -> str:
    site.call("PUT", f"/api/customers/{customer}", {})
    [(id_,)] = site.sql(
        "SELECT id FROM comptoir.customers WHERE book_id = 1 AND customer = %s", customer
    )
    until_ = site.app.clock() + int(seconds * SECOND)
    return write_token(site.app.secret, CustomerToken(LIVE, id_, until_))


def spend(site: Site, customer: str, amount: int = 1) -> int:
    done = site.post("/api/credits/spend", {"customer": customer, "amount": amount})
    assert done.status_code == 200, done.text
    return done.json()["balance"]["version"]


def nothing_comes(events: Events) -> None:
    """Two hearts have beaten, and nothing else was said."""
    assert [events.next(), events.next()] == [HEARTBEAT, HEARTBEAT]


def test_the_balance_comes_at_once(site: Site) -> None:
    customer = site.rich("7")
    with reading(site, customer) as events:
        assert events.status == 200
        assert events.headers["content-type"] == "text/event-stream"
        assert events.headers["cache-control"] == "no-cache, no-transform"
        assert events.headers["x-accel-buffering"] == "no"
        assert events.headers["connection"] == "close"
        assert "content-length" not in events.headers
        assert events.event() == ("balance", 1, site.balance(customer))
        assert events.retry == 3_000


def test_each_change_comes_with_its_version(site: Site) -> None:
    customer = site.rich("7")
    with reading(site, customer) as events:
        assert events.event().id == 1
        for left in ("6", "5", "4"):
            version = spend(site, customer)
            [event] = events.until(version)
            assert (event.id, event.content["balance"]) == (version, left)
            assert event.content == site.balance(customer)
        nothing_comes(events)


def test_of_many_changes_the_newest_counts_and_none_goes_back(site: Site) -> None:
    customer, asked = site.rich("100"), 30
    with reading(site, customer) as events:
        callers = [threading.Thread(target=spend, args=(site, customer)) for _ in range(asked)]
        for each in callers:
            each.start()
        seen = events.until(asked + 1)
        for each in callers:
            each.join()
    assert all(older.id < newer.id for older, newer in pairwise(seen))
    assert seen[-1].content == site.balance(customer)
    assert seen[-1].content["balance"] == "70"


def test_holds_are_seen(site: Site) -> None:
    customer = site.rich("7")
    with reading(site, customer) as events:
        events.event()
        body = {"customer": customer, "amount": 2, "ttl_seconds": 60}
        hold = site.post("/api/credits/holds", body).json()["hold"]["id"]
        assert events.event().content["held"] == "2"
        site.post(f"/api/credits/holds/{hold}/release", {})
        assert events.event().content["held"] == "0"


def test_an_expiry_is_seen_before_anybody_has_written_it(site: Site) -> None:
    customer = site.rich("5", expires_at="2099-01-01T00:00:00Z")
    with reading(site, customer) as events:
        assert events.event().content["balance"] == "5"
        for table, of in (("lots", "account_id"), ("accounts", "id")):
            column = "expires_at" if table == "lots" else "next_expiry"
            site.sql(
                f"UPDATE comptoir.{table} t SET {column} = clock_timestamp() - interval '1 hour'"
                f" FROM comptoir.accounts a JOIN comptoir.customers c ON c.id = a.customer_id"
                f" WHERE t.{of} = a.id AND c.customer = %s",
                customer,
            )
        assert events.event().content == site.balance(customer)


def test_a_stranger_has_nothing_until_he_has(site: Site) -> None:
    customer = fresh("stranger")
    with reading(site, customer) as events:
        assert events.event() == ("balance", 0, site.balance(customer))
        assert site.sql("SELECT 1 FROM comptoir.customers WHERE customer = %s", customer) == []
        site.grant(customer, 7)
        assert events.event().content == site.balance(customer)
        spend(site, customer)
        assert events.event().content["balance"] == "6"


def test_whoever_has_seen_it_hears_only_of_what_is_newer(site: Site) -> None:
    customer = site.rich("7")
    spend(site, customer)
    with reading(site, customer, last=1) as events:
        assert events.event().id == 2
    with reading(site, customer, last=2) as events:
        nothing_comes(events)
        spend(site, customer)
        assert events.event().id == 3


@pytest.mark.parametrize("last", ["99", "-1", "x", "9" * 400, "\u00b2", ""])
def test_what_nobody_can_have_seen_counts_for_nothing(site: Site, last: str) -> None:
    with reading(site, site.rich("7"), last=last) as events:
        assert events.event().id == 1


def test_a_customer_follows_his_own(site: Site) -> None:
    customer, other = site.rich("7"), site.rich("9")
    token = token_of(site, customer)
    with mine(site, token=token) as events:
        assert events.event().content == site.balance(customer)
        spend(site, other)
        nothing_comes(events)
        spend(site, customer)
        assert events.event().content["balance"] == "6"


def test_the_guide_does_what_it_says(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.3)
    [command] = [line for line in GUIDE.read_text().splitlines() if line.startswith("curl ")]
    token = token_of(site, customer := site.rich("100"))
    said = subprocess.run(
        ["bash", "-c", command.replace("localhost:8000", site.url)],
        env=os.environ | {"TOKEN": token}, capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    begin = f'retry: 3000\n\nevent: balance\nid: 1\ndata: {{"customer":"{customer}",'
    assert said.startswith(begin)
    assert said.count("event: ") == 1


def test_a_customer_does_not_follow_anybody_else(site: Site) -> None:
    token, other = token_of(site, fresh()), site.rich("7")
    refused = site.get(BALANCE.format(other), who=token)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-customer")
    refused = site.get(CHANGES, who=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_customer_with_the_name_of_a_stock_account_sees_his_own(site: Site) -> None:
    name = f"stock:{fresh('TEE').upper()}:M"
    site.grant(name, 5, asset="stock")
    token = token_of(site, name)
    with reading(site, name) as shelf, mine(site, "/api/stream?asset=stock", token=token) as own:
        assert shelf.event().content["account"] == name
        assert own.event().content["balance"] == "0"
        site.grant(name, 2, asset="stock")
        assert shelf.event().content["balance"] == "7"
        nothing_comes(own)


def test_a_stock_account_that_is_yet_to_be_opened(site: Site) -> None:
    name = f"stock:{fresh('TEE').upper()}:M"
    with reading(site, name) as events:
        assert events.event().content["balance"] == "0"
        site.grant(name, 5, asset="stock")
        assert events.event().content["balance"] == "5"


def test_books_are_apart(site: Site) -> None:
    customer = site.rich("7")
    with reading(site, customer, who="test_svc") as events:
        assert events.event().content["balance"] == "0"
        spend(site, customer)
        nothing_comes(events)


def test_bad_questions_are_refused(site: Site) -> None:
    assert site.get("/api/stream").json()["errors"][0]["field"] == "customer"
    unknown = site.get(f"{BALANCE.format('x')}&asset=gems-nobody-has")
    assert unknown.json()["code"] == "unknown-asset"
    assert site.get(f"{BALANCE.format('x')}&at=now").status_code == 422
    assert site.get(f"{CHANGES}?customer=x").status_code == 422


def test_over_the_cap_there_is_nothing_to_read(site: Site) -> None:
    customer = site.rich("7")
    token = token_of(site, customer)
    with ExitStack() as stack:
        for _ in range(live.EACH):
            stack.enter_context(mine(site, token=token)).event()
        full = site.get("/api/stream", who=token)
        assert (full.status_code, full.content) == (204, b"")
        assert site.get("/api/credits/balance", who=token).status_code == 200
        # Another customer's are counted apart, and so are those of a key.
        stack.enter_context(mine(site, token=token_of(site, fresh()))).event()
        stack.enter_context(reading(site, customer)).event()


async def test_a_stream_that_has_ended_makes_room(site: Site) -> None:
    token = token_of(site, site.rich("7"))
    with ExitStack() as stack:
        for _ in range(live.EACH):
            stack.enter_context(mine(site, token=token)).event()
    await until(lambda: not site.app.live.is_watched)
    with mine(site, token=token) as events:
        assert events.status == 200


def test_a_process_has_so_many_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALL", 1)
    with reading(site, site.rich("7")) as events:
        events.event()
        assert site.get(BALANCE.format("x")).status_code == 204
        assert site.get(CHANGES).status_code == 204


def test_it_ends_well_when_its_time_is_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.3)
    with reading(site, site.rich("7")) as events:
        assert [each.id for each in events.rest()] == [1]


def test_it_ends_with_its_token(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 60.0)
    with mine(site, token=token_of(site, site.rich("7"), seconds=2)) as events:
        assert [each.id for each in events.rest()] == [1]


def test_it_ends_when_its_key_is_revoked(site: Site) -> None:
    made = site.post("/api/keys", {"role": "service", "name": "Shop"}).json()
    with reading(site, site.rich("7"), who=made["key"]) as events:
        events.event()
        site.call("DELETE", f"/api/keys/{made['id']}")
        assert events.rest() == []


def test_it_ends_when_its_customer_is_erased(site: Site) -> None:
    customer = site.rich("7")
    token = token_of(site, customer)
    with mine(site, token=token) as events:
        events.event()
        done = site.post(f"/api/customers/{customer}/erase", {"reason": "asked"})
        assert done.status_code == 200, done.text
        events.rest()
    assert site.get("/api/stream", who=token).status_code == 404


def test_it_ends_when_its_book_is_emptied(site: Site) -> None:
    customer = site.rich("7", who="test_op")
    with reading(site, customer, who="test_svc") as events:
        assert events.event().id == 1
        assert site.post("/api/books/test/reset", who="test_op").status_code == 200
        events.rest()
    with reading(site, customer, who="test_svc", last=1) as events:
        assert events.event().id == 0


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is announced is heard."""
    monkeypatch.setattr(watching, "read", lambda _: announcing.Heard({}, frozenset()))


@pytest.mark.usefixtures("deaf")
def test_what_nobody_has_announced_is_found(site: Site) -> None:
    customer = site.rich("7")
    with (
        reading(site, customer) as events,
        listening(site.url, CHANGES, site.keys["op"]) as changes,
    ):
        events.event()
        changes.event()
        spend(site, customer)
        assert events.event().id == 2
        assert changes.event().name == "changed"


@pytest.mark.usefixtures("deaf")
async def test_an_operator_misses_nothing_before_others_know_that_he_listens(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's own count of what was written comes up to ten seconds late."""
    monkeypatch.setattr(watching, "_WRITTEN", "SELECT 0::bigint")
    customer = site.rich("7")
    with listening(site.url, CHANGES, site.keys["op"]) as events:
        with psycopg.connect(site.app.urls.app) as same:
            same.execute(CUT, (announcing.LISTENING,))
        seen = events.event()
        spend(site, customer)
        assert [events.event().name, events.event().name] == ["changed"] * 2
        assert seen.name == "changed"


def test_an_operator_learns_that_something_has_changed(site: Site) -> None:
    customer = site.rich("7")
    with listening(site.url, CHANGES, site.keys["op"]) as events:
        first = events.event()
        assert (first.name, list(first.content)) == ("changed", ["at"])
        spend(site, customer)
        later = events.event()
        assert later.id > first.id


def test_an_operator_learns_it_twice_a_second_at_most(site: Site) -> None:
    customer, times = site.rich("100"), [0]
    with listening(site.url, CHANGES, site.keys["op"]) as events:
        events.event()
        for _ in range(3):
            spend(site, customer)
            times.append(events.event().id)
    assert all(newer - older >= 0.45 * SECOND for older, newer in pairwise(times))


@pytest.fixture
def other(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Another server on the same database, with another group commit."""
    urls = site.app.urls
    database = Database(urls.owner, urls.app, "")
    with serving(database, tmp_path_factory.mktemp("other")) as up:
        yield up


async def test_it_is_no_matter_which_process_has_changed_it(
    site: Site, other: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_now(_: watching.Live) -> None:
        """Look for nothing that was not announced."""

    monkeypatch.setattr(watching.Live, "_look", not_now)
    other.keys = site.keys
    customer = site.rich("7")
    with reading(site, customer) as events:
        events.event()
        await until(lambda: bool(site.sql(LISTENS, announcing.LISTENING)))
        version = spend(other, customer)
        assert events.event().id == version
