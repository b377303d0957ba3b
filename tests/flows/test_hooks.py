"""Telling others: signed as Standard Webhooks has it, until it has arrived, each thing once."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from comptoir.domains.credits.deciding import decide
from comptoir.domains.credits.model import Ask, Op
from comptoir.domains.notifications import hooks
from comptoir.flows import telling, topping_up
from comptoir.flows.telling import Teller
from comptoir.flows.topping_up import TopUp
from comptoir.jobs.model import Job
from comptoir.kit.errors import Unavailable
from comptoir.kit.ids import movement_name
from comptoir.store.pool import begin
from tests.support.shop import Shop, together

pytestmark = pytest.mark.pg
M = 1_000_000
KEY = b"the server's own"
AGAIN = "UPDATE comptoir.hook_deliveries SET due_at = now() WHERE due_at IS NOT NULL"


@dataclass(slots=True)
class Ear:
    """Somebody who hears.

    Attributes:
        answers: statuses of the next answers, then 204; 0 breaks off without one, -1 never answers.
        over: ends those that never answer.
    """

    url: str = ""
    told: list[tuple[bytes, dict[str, str]]] = field(default_factory=list[Any])
    answers: list[int] = field(default_factory=list[int])
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.told]

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.said]


@contextmanager
def hearing() -> Iterator[Ear]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["content-length"]))
            ear.told.append((body, {k.lower(): v for k, v in self.headers.items()}))
            status = ear.answers.pop(0) if ear.answers else 204
            if status < 0:
                ear.over.wait(60)
            if status <= 0:
                return
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the library's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ear.url = f"http://127.0.0.1:{server.server_address[1]}/hear"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield ear
    finally:
        ear.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def ear() -> Iterator[Ear]:
    with hearing() as found:
        yield found


@dataclass(slots=True)
class Post:
    """A place that hears, and who tells it."""

    shop: Shop
    hook: UUID

    async def tell(self, rounds: int = 1) -> None:
        """Tell what is due; in each further round what waits for its pause as well."""
        teller = Teller(self.shop.till, KEY)
        async with teller._stack:  # what its work() opens
            for number in range(rounds):
                if number:
                    self.shop.sql(AGAIN)
                await teller.look_round()

    def deliveries(self) -> list[tuple[str, int, int | None, str | None]]:
        return self.shop.sql(
            "SELECT state, attempts, status, error FROM comptoir.hook_deliveries ORDER BY event_id"
        )


async def placed(shop: Shop, url: str, *types: str) -> Post:
    id_ = shop.till.new_id()
    async with begin(shop.app.pool) as tx:
        await hooks.add(tx, 1, id_, url, types or ("*",))
    return Post(shop, id_)


def verified(secret: str, told: tuple[bytes, dict[str, str]]) -> bool:
    """As the specification of Standard Webhooks says it, by hand."""
    body, headers = told
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{mark}" in headers["webhook-signature"].split(" ")


async def bought(shop: Shop, pack: str = "100") -> Any:  # noqa: ANN401
    begun = await shop.buy(pack=pack)
    shop.pay(begun)
    await shop.hear()
    return begun


async def move(shop: Shop, op: Op, amount: int | None, key: str, **more: Any) -> Any:  # noqa: ANN401
    async def priced(*_: object) -> Any:  # noqa: ANN401
        raise AssertionError

    door = await shop.app.door(1)
    return await decide(door, priced, Ask(op=op, key=key, customer="alice", amount=amount, **more))


async def test_a_purchase_is_told_and_signed(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    begun = await bought(shop)
    await post.tell(3)
    [told], [said] = ear.told, ear.said
    secret = hooks.secret_of(KEY, 1, post.hook, 1)
    assert secret.startswith("whsec_")
    assert verified(secret, told)
    assert not verified(hooks.secret_of(KEY, 1, post.hook, 2), told)
    assert not verified(secret, (told[0] + b" ", told[1]))
    assert said["type"] == "purchase.paid"
    assert said["timestamp"].endswith("Z")
    assert said["data"] == {
        "customer": "alice", "purchase": str(begun.id), "pack": "100", "credits": "100",
        "asset": "credits", "amount": 1900, "currency": "eur", "automatic": False,
    }  # fmt: skip
    assert told[1]["webhook-id"].startswith("evt_")
    assert post.deliveries() == [("sent", 1, 204, None)]


async def test_after_a_roll_both_secrets_sign_for_a_day(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    async with begin(shop.app.pool) as tx:
        assert await hooks.roll(tx, 1, post.hook) == 2
    await bought(shop)
    await post.tell()
    old, new = (hooks.secret_of(KEY, 1, post.hook, number) for number in (1, 2))
    assert verified(old, ear.told[0])
    assert verified(new, ear.told[0])
    shop.sql("UPDATE comptoir.hooks SET rolled_at = now() - interval '25 hours'")
    await bought(shop)
    await post.tell()
    assert [verified(each, ear.told[1]) for each in (old, new)] == [False, True]


async def test_it_is_told_again_until_it_has_arrived(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    await bought(shop)
    ear.answers = [500, 0, 302, 404]
    pauses: list[float] = []
    for number in range(4):
        await post.tell()
        [(due, state)] = shop.sql(
            "SELECT extract(epoch FROM due_at - now())::float, state FROM comptoir.hook_deliveries"
        )
        pauses.append(due)
        assert (len(ear.told), state) == (number + 1, "waiting")
        shop.sql(AGAIN)
    for pause, wanted in zip(pauses, hooks.PAUSES, strict=False):
        assert 0.7 * wanted - 5 < pause < 1.3 * wanted
    await post.tell(2)
    assert len(ear.told) == 5
    assert len({headers["webhook-id"] for _, headers in ear.told}) == 1
    assert post.deliveries() == [("sent", 5, 204, None)]


async def test_before_its_pause_nobody_is_told_again(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    await bought(shop)
    ear.answers = [500]
    await post.tell()
    await post.tell()
    assert len(ear.told) == 1


async def test_who_never_hears_is_given_up_and_may_be_told_again(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    await bought(shop)
    tries = len(hooks.PAUSES) + 1
    ear.answers = [500] * tries
    await post.tell(tries + 3)
    assert post.deliveries() == [("dead", tries, 500, "refused")]
    assert len(ear.told) == tries
    [(event,)] = shop.sql("SELECT event_id FROM comptoir.hook_deliveries")
    async with begin(shop.app.pool) as tx:
        await hooks.replay(tx, 1, post.hook, event)
    await post.tell()
    assert post.deliveries() == [("sent", 1, 204, None)]
    assert ear.told[-1][1]["webhook-id"] == ear.told[0][1]["webhook-id"]


async def test_who_never_answers_is_told_again(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    await bought(shop)
    ear.answers = [-1, -1]
    pauses: list[float] = []
    brief = Teller(shop.till, KEY, seconds=0.05)
    async with brief._stack:
        for number in (1, 2):
            await brief.look_round()
            await brief.look_round()
            assert len(ear.told) == number
            [(state, attempts, status, error)] = post.deliveries()
            assert (state, attempts, status) == ("waiting", number, None)
            assert "Timeout" in (error or "")
            [(due,)] = shop.sql(
                "SELECT extract(epoch FROM due_at - now())::float FROM comptoir.hook_deliveries"
            )
            pauses.append(due)
            shop.sql(AGAIN)
    for pause, wanted in zip(pauses, hooks.PAUSES, strict=False):
        assert 0.7 * wanted - 5 < pause < 1.3 * wanted
    await post.tell()
    assert post.deliveries() == [("sent", 3, 204, None)]
    assert len({headers["webhook-id"] for _, headers in ear.told}) == 1


async def test_who_never_answers_holds_up_nobody(shop: Shop, ear: Ear) -> None:
    """However much he has to hear: the others hear all of it while he is waited for."""
    many = 50
    with hearing() as silent:
        silent.answers = [-1] * many
        await placed(shop, silent.url, "case.opened")
        async with begin(shop.app.pool) as tx:
            for number in range(many):
                await shop.till.open_case(tx, 1, "test", f"before-{number}")
        patient = Teller(shop.till, KEY, seconds=60.0)
        await patient.sort_out()
        await placed(shop, ear.url, "case.opened")
        async with begin(shop.app.pool) as tx:
            for number in range(many):
                await shop.till.open_case(tx, 1, "test", f"after-{number}")
        working = asyncio.create_task(patient.work())
        try:
            async with asyncio.timeout(30):
                while len(ear.told) < many or not silent.told:  # noqa: ASYNC110  # a thread's list
                    await asyncio.sleep(0.01)
        finally:
            working.cancel()
            await asyncio.wait([working])
        assert len(silent.told) < 10
    assert len(ear.told) == many


async def test_a_database_that_goes_away_meanwhile_does_not_end_the_work(
    shop: Shop, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    away = asyncio.Event()

    async def gone(*_: object) -> None:
        away.set()
        raise Unavailable("database-down")

    await bought(shop)
    teller = Teller(shop.till, KEY)
    with monkeypatch.context() as patch:
        patch.setattr(telling, "rendered", gone)
        working = asyncio.create_task(teller.work())
        async with asyncio.timeout(20):
            await away.wait()
    try:
        assert post.deliveries() == [("waiting", 1, None, None)]
        shop.sql(AGAIN)
        teller.till.outbox.wake()
        async with asyncio.timeout(20):
            while post.deliveries() != [("sent", 2, 204, None)]:  # noqa: ASYNC110  # a row
                await asyncio.sleep(0.01)
        assert not working.done()
    finally:
        working.cancel()
        await asyncio.wait([working])


async def test_a_place_that_is_gone_hears_nothing(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    await bought(shop)
    await Teller(shop.till, KEY).sort_out()
    async with begin(shop.app.pool) as tx:
        await hooks.remove(tx, 1, post.hook)
    await post.tell()
    assert (ear.told, post.deliveries()) == ([], [("dead", 1, None, "removed")])


async def test_each_hears_what_it_wants_and_once(shop: Shop, ear: Ear) -> None:
    with hearing() as other:
        every = await placed(shop, ear.url)
        await placed(shop, other.url, "purchase.refunded")
        await bought(shop)
        intent = shop.sql("SELECT intent FROM comptoir.payments")[0][0]
        shop.provider.v1.refunds.create({"payment_intent": intent})
        await shop.hear(times=3, seed=1)
        await together(every.tell(), every.tell(), every.tell())
        await every.tell()
        assert other.types == ["purchase.refunded"]
    assert sorted(ear.types) == ["credits.empty", "purchase.paid", "purchase.refunded"]


async def test_what_was_told_first_happened_first(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "purchase.paid")
    for _ in range(3):
        await bought(shop)
        await post.tell()
    times = [each["timestamp"] for each in ear.said]
    assert times == sorted(times)
    assert len(set(times)) == 3


async def test_low_and_empty_once_per_crossing(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "credits.low", "credits.empty")
    await move(shop, Op.GRANT, 100, "g")
    for number, (amount, types) in enumerate([
        (80, []), (1, ["credits.low"]), (4, []), (10, []), (5, ["credits.empty"]),
    ]):  # fmt: skip
        before = len(ear.told)
        await move(shop, Op.SPEND, amount, f"s{number}")
        await move(shop, Op.SPEND, amount, f"s{number}")
        await post.tell()
        assert ear.types[before:] == types, number
    low = ear.said[0]["data"]
    assert (low["customer"], low["asset"], low["balance"], low["low_threshold"]) == (
        "alice", "credits", "19", "20",
    )  # fmt: skip
    await move(shop, Op.GRANT, 50, "more")
    await move(shop, Op.SPEND, 50, "all")
    await post.tell()
    assert ear.types == ["credits.low", "credits.empty", "credits.empty"]


async def test_up_and_down_at_the_edge_is_told_once(shop: Shop, ear: Ear) -> None:
    """A little that comes back does not make an account fuller; a twentieth more does."""
    post = await placed(shop, ear.url, "credits.low")
    await move(shop, Op.GRANT, 100, "g")
    await move(shop, Op.SPEND, 74, "most")
    three = await move(shop, Op.SPEND, 3, "three")
    four = await move(shop, Op.SPEND, 4, "four")
    for number in range(4):
        await undo(shop, four, f"back-{number}")
        four = await move(shop, Op.SPEND, 4, f"four-{number}")
    await post.tell()
    assert ear.types == ["credits.low"]
    for each in (three, four):
        await undo(shop, each, f"much-{each[1].line.version}")
    assert shop.balance() == 26 * M
    await move(shop, Op.SPEND, 7, "seven")
    await post.tell()
    assert ear.types == ["credits.low", "credits.low"]


async def undo(shop: Shop, done: Any, key: str) -> None:  # noqa: ANN401
    line = done[1].line
    await move(shop, Op.REVERSE, None, key, movement=movement_name(line.account, line.version))


async def with_card(shop: Shop, method: str = "pm_card_visa", cap: int = 4000) -> None:
    v1 = shop.provider.v1
    id_ = v1.customers.create({}).id
    v1.payment_methods.attach(method, {"customer": id_})
    customer = await shop.till.directory.customer(1, "alice")
    shop.sql("INSERT INTO comptoir.provider_customers VALUES (1, false, %s, %s)", customer, id_)
    wanted = TopUp("100", enabled=True, monthly_cap=cap, spent=0, failed_at=None)
    await topping_up.put(shop.till, 1, "alice", wanted)


async def run_jobs(shop: Shop) -> list[Any]:
    """Do the top-ups that wait, each three times at once, as after a worker's death."""
    rows = shop.sql(
        "DELETE FROM comptoir.procrastinate_jobs WHERE task_name = 'credits.top-up' RETURNING args"
    )
    found = [Job(UUID(a["job"]), a["book"], topping_up.TYPE, a["payload"], 1) for (a,) in rows]
    for job in found:
        await together(*(topping_up.top_up(shop.till, job) for _ in range(3)))
    return found


async def empty(shop: Shop, number: int) -> None:
    left = shop.balance() // M
    await move(shop, Op.SPEND, left - 1, f"nearly-{number}")
    await move(shop, Op.SPEND, 1, f"all-{number}")
    teller = Teller(shop.till, KEY)
    await together(teller.sort_out(), teller.sort_out())


async def test_buying_again_is_once_a_shortfall_and_up_to_a_cap(shop: Shop) -> None:
    await with_card(shop)
    await move(shop, Op.GRANT, 100, "g")
    for number, granted in enumerate([100, 100, 0]):
        await empty(shop, number)
        await run_jobs(shop)
        await shop.hear(times=2, seed=number)
        assert shop.balance() == granted * M, number
        if not granted:
            break
    intents = shop.provider.v1.payment_intents.list().data
    assert [each.amount for each in intents] == [1900, 1900]
    assert (await topping_up.find(shop.till, 1, "alice")).spent == 3800
    assert shop.cases() == []


async def test_a_card_that_will_not_is_not_asked_again(shop: Shop, ear: Ear) -> None:
    post = await placed(shop, ear.url, "top-up.failed")
    await with_card(shop, "pm_card_chargeCustomerFail")
    await move(shop, Op.GRANT, 100, "g")
    for number in range(2):
        await empty(shop, number)
        await run_jobs(shop)
        await move(shop, Op.GRANT, 10, f"more-{number}")
    await post.tell()
    assert len(shop.provider.v1.payment_intents.list().data) == 1
    assert (await topping_up.find(shop.till, 1, "alice")).spent == 0
    assert ear.types == ["top-up.failed"]
