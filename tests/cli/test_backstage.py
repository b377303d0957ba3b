"""Who says what the demo plays: one race at a time, and only beside a throw-away shop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from comptoir.app import Urls
from comptoir.app.demo import State, Wish
from comptoir.app.sandbox import Place
from comptoir.cli.demo.boxes import boxes_of
from comptoir.cli.demo.caller import Caller, Tally
from comptoir.cli.demo.director import Director
from comptoir.cli.demo.scene import Scene
from comptoir.cli.demo.stage import Stage, Yours
from comptoir.cli.serving import staged
from comptoir.cli.serving_demo import Backstage
from comptoir.config import Environment
from comptoir.kit.errors import Unavailable

NOWHERE = Place("http://127.0.0.1:1", "whsec_nowhere")
YOURS = Yours("http://127.0.0.1:1/login/x", "ck", "ct", {"http": "curl"})


@asynccontextmanager
async def directing(folder: Path) -> AsyncGenerator[tuple[Director, Scene, Stage]]:
    """A director whose races nobody plays, at the socket of a folder."""
    tally = Tally()
    caller = Caller(NOWHERE.base, "key", 1, tally)
    scene = Scene(NOWHERE.base, caller, tally, NOWHERE)
    stage = Stage(Urls("", ""), NOWHERE.base, "key", NOWHERE, folder / "demo.sock", YOURS)
    director = Director(scene, stage, lambda _: None)
    try:
        async with asyncio.TaskGroup() as tasks:
            work = [director.play_when_asked(), director.listen(stage.socket)]
            begun = [tasks.create_task(each) for each in work]
            while not stage.socket.exists():  # noqa: ASYNC110  # a file tells nobody
                await asyncio.sleep(0)
            try:
                yield director, scene, stage
            finally:
                for each in begun:
                    each.cancel()
    finally:
        await caller.close()


async def asked(behind: Backstage, wish: Wish) -> State:
    await behind.ask(wish)
    assert behind.state is not None
    return behind.state


async def test_a_second_press_shows_the_race_that_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    played, gate = 0, asyncio.Event()

    async def race() -> None:
        nonlocal played
        played += 1
        director._begin("stampede", "demo.phase.stampede")
        await gate.wait()
        gate.clear()
        if played == 2:
            raise Unavailable("demo-seed", reason="no till")

    async with directing(tmp_path) as (director, _, stage):
        monkeypatch.setattr(director, "race", race)
        behind = Backstage(stage.socket)
        assert behind.state is None
        acts = [(await asked(behind, "break")).act for _ in range(3)]
        assert (acts[0], acts[2]) == ("seed", "stampede")
        assert played == 1
        for ended in (False, True):
            gate.set()
            while (state := await asked(behind, "look")).act:
                continue
            assert (played, state.failed) == (1 + ended, ended)
            assert not (await asked(behind, "break")).failed
        assert played == 3


async def test_traffic_stops_and_the_newcomers_calls_are_known(tmp_path: Path):
    async with directing(tmp_path) as (_, scene, stage):
        behind = Backstage(stage.socket)
        await behind.ask("stop")
        assert behind.state is not None
        assert not behind.state.moves
        scene.books.yours = frozenset({"capture", "grant", "purchase"})
        await behind.ask("move")
        assert (behind.state.moves, behind.state.seen) == (True, ["python", "trigger"])
        assert (behind.state.key, behind.state.boxes) == ("ck", {"http": "curl"})
        scope = {"type": "http", "headers": [(b"authorization", b"Bearer ct")]}
        assert behind._box_of(scope) == "badge"
        assert (
            behind._box_of({"type": "http", "headers": [(b"authorization", b"Bearer x")]}) is None
        )
        reader, writer = await asyncio.open_unix_connection(stage.socket)
        writer.write(b'"rob the till"\n')
        assert await reader.read() == b""
        writer.close()


async def test_a_demo_that_is_gone_is_said(tmp_path: Path):
    with pytest.raises(Unavailable):
        await Backstage(tmp_path / "none.sock").ask("look")


@pytest.mark.parametrize("environment", Environment)
def test_only_a_throw_away_shop_has_the_buttons(environment: Environment):
    path = Path("demo.sock")
    is_ours = environment is Environment.DEVELOPMENT
    assert staged(path, environment, 1) == (path if is_ours else None)
    assert staged(path, environment, 2) is None


def test_what_is_pasted_is_quoted():
    boxes = boxes_of("http://127.0.0.1:1", Path("/tmp/it's a home"), "ck_1", "ct_1")
    assert """COMPTOIR_HOME='/tmp/it'"'"'s a home'""" in boxes["trigger"]
    assert '''home="/tmp/it's a home"''' in boxes["python"]
