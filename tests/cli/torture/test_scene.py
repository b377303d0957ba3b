"""How a run ends when not everybody has been answered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from comptoir.app import Urls
from comptoir.cli.throwaway import Home
from comptoir.cli.torture import scene as scenes
from comptoir.cli.torture.caller import Office
from comptoir.cli.torture.judge import Findings, Receipt
from comptoir.cli.torture.program import Job
from comptoir.cli.torture.scene import CALLERS, Plan, Scene
from comptoir.cli.torture.site import Site
from comptoir.cli.torture.tally import Fault, Tally


class Stuck:
    """A caller whom nobody answers once the shop is open."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def do(self, job: Job) -> None:
        assert job

    async def work(self, jobs: Iterator[Job], stop: asyncio.Event) -> None:
        assert next(jobs)
        await stop.wait()
        await asyncio.Event().wait()

    def give_up(self) -> None:
        self._office.tally.blame(Fault("lost", "torture.fault.unanswered", {"keys": "k"}))


@asynccontextmanager
async def nothing(_: Site) -> AsyncIterator[None]:
    yield


async def judge(_url: str, _notebook: Path, tally: Tally) -> Findings:
    lost = tally.found["lost"]
    return Findings(Receipt(0, lost, 0, 0, tally.kills, balanced=True), tally.faults)


async def test_whoever_is_still_not_answered_long_after_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {
        "serving": nothing,
        "Caller": Stuck,
        "judge": judge,
        "_FINISH_SECONDS": 0.05,
    }.items():
        monkeypatch.setattr(scenes, name, value)
    site = Site(Home(tmp_path, "en", 1), Urls("", ""), "key", [], [])
    scene = Scene(Plan(1, 0, ()), site)
    async with asyncio.timeout(20):
        await scene.play()
    assert scene.findings is not None
    assert scene.findings.receipt.lost == CALLERS
    assert not scene.findings.receipt.is_clean
