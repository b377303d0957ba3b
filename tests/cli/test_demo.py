"""The demo: an exact receipt, and nothing left behind, however it ends."""

import asyncio
import json
import os
import pty
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from comptoir.app import Urls
from comptoir.app.sandbox import Place
from comptoir.cli.demo import receipt as receipts
from comptoir.cli.demo import show
from comptoir.cli.demo.caller import Caller, Reply, Tally
from comptoir.cli.demo.paying import Repeats
from comptoir.cli.demo.race import Stampede
from comptoir.cli.demo.receipt import Findings, Receipt
from comptoir.cli.demo.scene import Scene
from comptoir.cli.demo.seed import stock_the_shop
from comptoir.cli.demo.stage import Stage
from comptoir.cli.demo.view import draw
from comptoir.cli.say import Say
from comptoir.kit.errors import Unavailable
from tests.cli.conftest import Inside
from tests.support.left import DEADLINE, Left, wait_until
from tests.support.postgres import Database

RECEIPT = {
    "buyers": 500,
    "units": 10,
    "sold": 10,
    "oversold": 0,
    "deliveries": 50,
    "grants": 1,
    "balanced": True,
}


@pytest.fixture
def short(tmp_path: Path) -> Left:
    folder = tmp_path / "t"
    folder.mkdir()
    return Left(folder)


@pytest.mark.measured
@pytest.mark.pg
@pytest.mark.race
@pytest.mark.slow
def test_the_receipt_of_a_headless_run(short: Left):
    with short.begin("demo", "--headless", "--json", "--seconds", "2") as demo:
        out, err = demo.communicate(timeout=DEADLINE)
    assert demo.returncode == 0, err
    assert out.count("\n") == 1
    assert list(json.loads(out).items()) == list(RECEIPT.items())
    assert "500 buyers" in err
    assert short.nothing(), (short.processes(), short.folders())


@pytest.mark.pg
@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)],
    ids=["INT", "TERM"],
)
def test_nothing_is_left_when_it_is_interrupted(short: Left, number: signal.Signals):
    with short.begin("demo", "--headless", "--json", "--seconds", "60") as demo:
        wait_until(short.serving, short.processes)
        demo.send_signal(number)
        out, err = demo.communicate(timeout=DEADLINE)
    assert demo.returncode == 130, err
    assert out == ""
    assert "no receipt" in err
    wait_until(short.nothing, lambda: (short.processes(), short.folders()))


@pytest.mark.pg
@pytest.mark.crash
@pytest.mark.slow
def test_nothing_is_left_when_it_is_killed(short: Left):
    with short.begin("demo", "--headless", "--seconds", "60") as demo:
        wait_until(short.serving, short.processes)
        demo.kill()
        demo.communicate(timeout=DEADLINE)
    wait_until(short.nothing, lambda: (short.processes(), short.folders()))


@pytest.mark.measured
@pytest.mark.pg
@pytest.mark.slow
@pytest.mark.soak  # tests/browser/test_first_minute.py runs it on a terminal too
def test_on_a_terminal_the_view_stays_until_ctrl_c(short: Left):
    ours, theirs = pty.openpty()
    with short.begin("demo", "--seconds", "1", terminal=theirs) as demo:
        os.close(theirs)
        printed = bytearray()
        while b"stays open" not in printed:
            try:
                printed += os.read(ours, 65_536)
            except OSError:  # its other side was closed
                pytest.fail(f"it ended by itself: {printed.decode(errors='replace')}")
        assert demo.poll() is None
        demo.send_signal(signal.SIGINT)
        try:
            while block := os.read(ours, 65_536):
                printed += block
        except OSError:
            pass  # a terminal whose other side is closed ends so
        assert demo.wait(DEADLINE) == 0
    os.close(ours)
    last = printed.decode().strip().splitlines()[-1]
    assert json.loads(last) == RECEIPT
    wait_until(short.nothing, lambda: (short.processes(), short.folders()))


SEEN = Stampede(bought=10, refused=490, unheard=0)
DELIVERED = Repeats(answered=50, grants=1, granted=6)
PLACE = Place("http://127.0.0.1:1", "whsec_nowhere")


@pytest.mark.pg
async def test_a_receipt_of_books_without_a_race_names_every_fault(database: Database):
    urls = Urls(database.app_url, database.owner_url)
    found = await receipts.read_back(urls, SEEN, DELIVERED)
    assert found.receipt.balanced
    assert (found.receipt.sold, found.receipt.grants, found.receipt.buyers) == (0, 0, 0)
    keys = {key for key, _ in found.faults}
    assert {
        "demo.fault.sold",
        "demo.fault.grants",
        "demo.fault.packs",
        "demo.fault.saw-bought",
    } <= keys


def findings(**other: object) -> Findings:
    right = Receipt(500, 10, 10, 0, 50, 1, balanced=True)
    faults: list[tuple[str, dict[str, object]]] = [
        (f"demo.fault.{name}", {"found": value, "wanted": "?"}) for name, value in other.items()
    ]
    return Findings(right, faults)


@pytest.mark.parametrize("locale", ["en", "fr"])
async def test_the_view_is_readable_without_colour(locale: str):
    tally = Tally()
    caller = Caller("http://127.0.0.1:1", "key", 1, tally)
    scene = Scene("http://127.0.0.1:1", caller, tally, PLACE)
    say = Say(locale)
    try:
        empty = pictured(say, scene)
        tally.requests, tally.spent = 1_234, 2_500_000_250_000
        tally.rates.extend([0, 400, 834])
        tally.latencies.extend([0.001, 0.002, 0.2])
        tally.lines.append(("spend", "demo-customer-01", "-0.25", "99.75"))
        scene.stampede, scene.repeats, scene.findings = SEEN, DELIVERED, findings()
        scene.books.balanced = False
        full = pictured(say, scene)
        scene.findings = findings(sold=11)
        faulty = pictured(say, scene)
    finally:
        await caller.close()
    assert "0 / 10" in empty
    assert ("1,234" if locale == "en" else "1\u202f234") in full
    assert ("2,500,000.25" if locale == "en" else "2\u202f500\u202f000,25") in full
    assert "demo-customer-01" in full
    assert ("NOT BALANCED" if locale == "en" else "FAUX") in full
    assert ("1 figures" if locale == "en" else "1 chiffres") in faulty
    assert max(len(line) for line in full.splitlines()) <= 100


def pictured(say: Say, scene: Scene) -> str:
    console = Console(width=100, color_system=None, file=StringIO())
    with console.capture() as printed:
        console.print(draw(say, scene))
    return printed.get()


async def test_a_server_that_never_answers_is_counted_not_raised(monkeypatch: pytest.MonkeyPatch):
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)
    tally = Tally()
    caller = Caller("http://127.0.0.1:1", "key", 1, tally)
    try:
        reply = await caller.post("/api/credits/grant", {}, "key")
    finally:
        await caller.close()
    assert (reply.status, tally.failed, tally.requests) == (0, 1, 0)


@pytest.mark.pg
def test_a_shop_that_cannot_open_is_said_in_one_line(
    inside: Inside, database: Database, monkeypatch: pytest.MonkeyPatch
):
    @asynccontextmanager
    async def raised(_: str) -> AsyncGenerator[Stage]:
        yield Stage(Urls(database.app_url, database.owner_url), "http://127.0.0.1:1", "key", PLACE)

    async def refuse(_: Caller) -> None:
        raise Unavailable("demo-seed", reason="out of shirts")

    monkeypatch.setattr(show, "raised", raised)
    monkeypatch.setattr(show, "stock_the_shop", refuse)
    ended = inside("demo", "--headless", "--json")
    assert ended.code == 4
    assert ended.out == ""
    assert ended.err.splitlines()[-1] == (
        "comptoir: The demo's shop could not be stocked: out of shirts"
    )


class Deaf:
    """Answers everything with the same reply."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def post(self, *_: object) -> Reply:
        return self._reply

    put = post


@pytest.mark.parametrize(
    "reply",
    [Reply(503, {"code": "overloaded"}), Reply(200, {"results": [{"outcome": "insufficient"}]})],
    ids=["refused", "half"],
)
async def test_a_shop_that_is_not_stocked_does_not_open(reply: Reply):
    with pytest.raises(Unavailable) as caught:
        await stock_the_shop(cast("Caller", Deaf(reply)))
    assert caught.value.figures["reason"] in {"503 overloaded", "insufficient"}
