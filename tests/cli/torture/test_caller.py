"""Callers never give up, and blame every answer that must not be."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from comptoir.cli.torture.answers import Reply, is_answer, is_final
from comptoir.cli.torture.caller import Caller, Office
from comptoir.cli.torture.notebook import Notebook
from comptoir.cli.torture.program import BATCH, Ask, Manner, Step
from comptoir.cli.torture.tally import Tally
from tests.support.batches import until

BALANCE = {
    "customer": "c",
    "asset": "credits",
    "balance": "9.5",
    "held": "0",
    "debt": "0",
    "version": 2,
}
SPENT = {"movement": {"id": "mv_25_2", "kind": "spend", "amount": "-0.5"}, "balance": BALANCE}
ASK = Ask(("k",), "/api/credits/spend", {"customer": "c", "amount": "0.5"})
NEXT = Ask(("n",), "/api/credits/spend", {"customer": "c", "amount": "0.5"})
BOTH = Ask(
    ("u", "p"),
    BATCH,
    {"requests": [{"op": "spend", "account": "stock:X"}, {"op": "spend", "customer": "c"}]},
)


@dataclass(slots=True)
class Answer:
    """What the fake server says to one request."""

    status: int
    body: object
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotent-Replayed": "true"} if self.replayed else {}

    async def read(self) -> bytes:
        return json.dumps(self.body).encode() if self.body is not None else b"<html>"


@dataclass(slots=True)
class Server:
    """Answers one request after the other as it was told to; forgets nothing."""

    answers: Iterator[Answer | Exception | None]
    asked: list[tuple[str, object, object]] = field(default_factory=list)

    @asynccontextmanager
    async def post(self, url: str, *, json: object, headers: dict[str, str]) -> AsyncIterator[Any]:
        self.asked.append((url, json, headers.get("Idempotency-Key")))
        answer = next(self.answers)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        yield answer


@dataclass(slots=True)
class Scene:
    server: Server
    office: Office
    caller: Caller

    def told(self) -> list[str]:
        self.office.notebook.close()
        return self.office.notebook.path.read_text().splitlines()


Play = Callable[..., Scene]


@pytest.fixture
def scene(tmp_path: Path) -> Generator[Play]:
    """Makes a scene whose servers give these answers, one after the other."""
    notebook = Notebook(tmp_path / "told.csv")

    def with_answers(*answers: Answer | Exception | None) -> Scene:
        server = Server(iter(answers))
        session = cast("aiohttp.ClientSession", server)
        office = Office(session, ["http://one", "http://two"], notebook, Tally())
        return Scene(server, office, Caller(office))

    yield with_answers
    notebook.close()


def problem(status: int, code: str) -> Answer:
    return Answer(status, {"code": code, "status": status})


def steps(*more: tuple[Ask, Manner]) -> Sequence[Step]:
    return [Step(ask, manner) for ask, manner in more]


async def do(playing: Scene, *more: tuple[Ask, Manner]) -> None:
    await playing.caller.do(tuple(steps(*more)))


async def test_a_request_is_repeated_at_the_next_server_until_it_is_answered(scene: Play):
    playing = scene(
        aiohttp.ClientError(),
        problem(503, "database-down"),
        problem(409, "request-in-flight"),
        Answer(200, None),
        Answer(200, SPENT, replayed=True),
    )
    await do(playing, (ASK, Manner.NEW))
    assert [url for url, _, _ in playing.server.asked] == [
        f"http://{name}/api/credits/spend" for name in ("one", "two", "one", "two", "one")
    ]
    assert {(str(body), key) for _, body, key in playing.server.asked} == {(str(ASK.body), "k")}
    tally = playing.office.tally
    assert (tally.acknowledged, tally.refused) == (1, 0)
    assert tally.in_vain == {"connection-lost": 2, "database-down": 1, "request-in-flight": 1}
    id_ = ASK.ids[0].hex()
    assert playing.told() == [f"\\x{id_},created,1,25,2,spend,-500000,9500000,0,0,,"]


async def test_a_server_that_is_down_is_passed_over(scene: Play):
    playing = scene(Answer(200, SPENT))
    playing.office.addresses[0] = None
    await do(playing, (ASK, Manner.NEW))
    assert playing.server.asked[0][0].startswith("http://two")
    playing.caller.give_up()
    assert playing.office.tally.found == {}, "he was answered"


async def test_whoever_hangs_up_asks_again_with_the_same_key(scene: Play):
    playing = scene(None, Answer(200, SPENT))
    assert not playing.caller.hang_up()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(do(playing, (ASK, Manner.NEW)))
        await until(lambda: bool(playing.server.asked))
        assert playing.caller.hang_up()
    assert [key for _, _, key in playing.server.asked] == ["k", "k"]
    assert playing.office.tally.in_vain == {"hung-up": 1}
    assert playing.office.tally.acknowledged == 1


async def test_whoever_is_never_answered_says_so(scene: Play):
    playing = scene(None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await do(playing, (ASK, Manner.NEW))
    assert playing.office.tally.found == {}, "he may only have been interrupted"
    playing.caller.give_up()
    assert playing.office.tally.found == {"lost": 1}
    assert playing.told() == [f"\\x{ASK.ids[0].hex()},unknown,1,,,,,,,,,"]


async def test_a_refusal_leaves_out_the_rest_of_the_job(scene: Play):
    playing = scene(problem(402, "insufficient-credits"))
    await do(playing, (ASK, Manner.NEW), (NEXT, Manner.NEW))
    assert len(playing.server.asked) == 1
    assert playing.office.tally.refused == 1
    assert playing.office.tally.found == {}
    assert playing.told() == [f"\\x{ASK.ids[0].hex()},insufficient,0,,,,,,,,,"]


async def test_a_refusal_that_cannot_be_is_blamed(scene: Play):
    playing = scene(problem(404, "hold-not-found"))
    await do(playing, (ASK, Manner.NEW))
    assert playing.office.tally.found == {"lost": 1}
    [fault] = playing.office.tally.faults
    assert fault.text == "torture.fault.strange"


OTHER = SPENT | {"balance": BALANCE | {"version": 3}}


@pytest.mark.parametrize(
    ("again", "found"),
    [
        (Answer(200, SPENT, replayed=True), {}),
        (Answer(200, SPENT), {"lost": 1}),
        (Answer(200, OTHER, replayed=True), {"lost": 1}),
        (problem(402, "insufficient-credits"), {"lost": 1}),
    ],
    ids=["same", "not-said", "other", "refused"],
)
async def test_a_repeat_must_be_answered_as_before(
    scene: Play, again: Answer, found: dict[str, int]
):
    playing = scene(Answer(200, SPENT), again)
    await do(playing, (ASK, Manner.NEW), (ASK, Manner.REPEAT))
    assert playing.office.tally.found == found
    assert playing.office.tally.replayed == (not found)
    assert playing.office.tally.acknowledged == 1, "a repeat is no request of its own"
    assert len(playing.told()) == 1


@pytest.mark.parametrize(
    ("again", "found"),
    [
        (problem(422, "idempotency-key-reused"), {}),
        (problem(422, "validation-failed"), {"doubled": 1}),
        (Answer(200, SPENT), {"doubled": 1}),
    ],
    ids=["refused", "otherwise", "accepted"],
)
async def test_a_key_must_be_refused_for_another_request(
    scene: Play, again: Answer, found: dict[str, int]
):
    playing = scene(Answer(200, SPENT), again)
    await do(playing, (ASK, Manner.NEW), (ASK, Manner.REUSE))
    assert playing.server.asked[1][1] != ASK.body
    assert playing.office.tally.found == found
    assert playing.office.tally.reused == (not found)


async def test_what_was_not_asked_is_not_repeated(scene: Play):
    playing = scene()
    await do(playing, (ASK, Manner.REPEAT))
    await do(playing, (ASK, Manner.REUSE))
    assert playing.server.asked == []


def result(outcome: str, **more: object) -> dict[str, object]:
    return {"outcome": outcome, **more}


def chain(outcome: str, **more: object) -> Answer:
    return Answer(200, {"results": [result(outcome, **SPENT, **more)] * 2})


async def test_a_chain_tells_of_each_of_its_requests(scene: Play):
    again = replace(chain("exists", replayed=True), replayed=True)
    playing = scene(chain("created"), again)
    await do(playing, (BOTH, Manner.NEW), (BOTH, Manner.REPEAT))
    assert playing.office.tally.found == {}
    assert playing.office.tally.replayed == 1
    assert [key for _, _, key in playing.server.asked] == [None, None]
    assert [line.split(",")[:2] for line in playing.told()] == [
        [f"\\x{id_.hex()}", "created"] for id_ in BOTH.ids
    ]


async def test_of_a_broken_chain_only_the_one_to_blame_need_be_stored(scene: Play):
    broken = {"results": [result("chain_broken"), result("insufficient", problem={})]}
    again = {"results": [result("chain_broken"), result("insufficient", problem={}, replayed=True)]}
    playing = scene(Answer(200, broken), Answer(200, again))
    await do(playing, (BOTH, Manner.NEW))
    await do(playing, (BOTH, Manner.REPEAT))
    tally = playing.office.tally
    assert (tally.refused, tally.replayed, tally.found) == (1, 1, {})
    assert [line.split(",")[1] for line in playing.told()] == ["chain_broken", "insufficient"]


@pytest.mark.parametrize(
    ("status", "body", "answer", "final"),
    [
        (200, {}, True, True),
        (402, {"code": "insufficient-stock"}, True, True),
        (409, {"code": "hold-not-open"}, True, True),
        (422, {"code": "exceeds-hold"}, True, False),
        (429, {"code": "rate-limited"}, False, False),
        (409, {"code": "request-in-flight"}, False, False),
        (503, {"code": "outcome-unknown"}, False, False),
        (500, {"code": "internal"}, False, False),
        (200, {"results": [{"outcome": "account_busy"}]}, False, False),
        (200, {"results": [{"outcome": "exists"}]}, True, True),
    ],
)
def test_what_counts_as_an_answer(
    *, status: int, body: dict[str, object], answer: bool, final: bool
):
    reply = Reply(status, body, replayed=False)
    assert is_answer(reply) is answer
    assert is_final(reply) is final
