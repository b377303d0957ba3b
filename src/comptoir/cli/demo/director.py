"""Who says what is played: traffic or not, and one race at a time, whoever asked for it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from comptoir.app import now
from comptoir.app.demo import Act, Outcome, State, Wish
from comptoir.cli.demo.paying import PACKS
from comptoir.cli.demo.receipt import read_back
from comptoir.cli.demo.scene import ACTS, Scene
from comptoir.cli.demo.seed import FIRST, Names, stock_a_race
from comptoir.cli.demo.stage import Stage
from comptoir.cli.demo.strolling import Strollers
from comptoir.kit.errors import Unavailable

_SEED: Final = 2026
_LINE: Final = 100
_KINDS: Final = {"python": "capture", "trigger": "purchase"}
"""The movement by which the newcomer's call is known: nothing else does such a thing for him."""

_WAITS: Final = 5.0
"""Seconds in which whoever connects must have said what he wants."""


class Director:
    """Decides what is played. Used by the tasks of one event loop."""

    def __init__(self, scene: Scene, stage: Stage, told: Callable[[str], None]) -> None:
        """Direct a scene; `told` is told the text of each act that begins."""
        self._scene = scene
        self._stage = stage
        self._told = told
        self._wanted = asyncio.Event()
        self._is_wanted = True
        self._open, self._shut, self._quiet = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._quiet.set()
        self._act: Act = ""
        self._failed = False
        self._number = 0
        self._outcome: Outcome | None = None

    @property
    def state(self) -> State:
        """How things are."""
        names, yours = self._scene.names, self._stage.yours
        return State(
            moves=self._is_wanted, act=self._act, failed=self._failed, number=self._number,
            product=names.product, once=names.once, regular=names.regular,
            event=self._scene.event, outcome=self._outcome, key=yours.key, token=yours.token,
            boxes=yours.boxes, seen=self._seen(),
        )  # fmt: skip

    def _seen(self) -> list[str]:
        """The boxes whose call has left something in the books."""
        yours = self._scene.books.yours
        return [box for box, kind in _KINDS.items() if kind in yours]

    def press(self) -> None:
        """Let a race begin, unless one is on."""
        if not self._act:
            self._act, self._failed = "seed", False
            self._wanted.set()

    def let_move(self, is_wanted: bool) -> None:  # noqa: FBT001  # what is wanted
        """Let the traffic go on, or stop it."""
        self._is_wanted = is_wanted
        self._turn()

    async def race(self) -> None:
        """Play a race from its beginning to its receipt.

        Raises:
            Unavailable: nothing can be bought here, or the database cannot be reached.
        """
        scene, begun = self._scene, time.monotonic()
        self._number += 1
        scene.begin(Names(self._number))
        if scene.names != FIRST:  # what the first one needs is there when the shop opens
            await stock_a_race(scene.caller, scene.names)
        for act in ACTS:
            self._begin(act.name, act.phase)
            await act.play(scene)
        self._begin("receipt", "demo.phase.receipt")
        assert scene.stampede is not None, "the acts are over"
        assert scene.repeats is not None, "the acts are over"
        found = await read_back(self._stage.urls, scene.stampede, scene.repeats, scene.names)
        scene.findings = found
        faults = [(key, str(said["found"]), str(said["wanted"])) for key, said in found.faults]
        self._outcome = Outcome(
            **asdict(found.receipt), answered=scene.repeats.answered, packs=PACKS,
            granted=scene.repeats.granted, faults=faults,
            seconds=round(time.monotonic() - begun, 1), at=now(),
        )  # fmt: skip

    async def play_when_asked(self) -> None:
        """Play a race whenever somebody has asked for one, until cancelled."""
        while True:  # until cancelled
            await self._wanted.wait()
            self._turn()
            await self._quiet.wait()
            try:
                await self.race()
            except Unavailable:
                self._failed = True
            self._wanted.clear()
            self._act = ""
            self._scene.phase = "demo.phase.open"
            self._turn()

    async def stroll(self) -> None:
        """Let customers come and go while that is wanted and no race is on, until cancelled."""
        strollers = Strollers(self._scene, Random(_SEED + 1))  # noqa: S311  # no secret
        self._turn()
        while True:  # until cancelled
            await self._open.wait()
            self._quiet.clear()
            await strollers.stroll(self._shut)
            self._quiet.set()

    async def listen(self, path: Path) -> None:
        """Answer whoever asks at a socket of the home, until cancelled."""
        async with await asyncio.start_unix_server(self._answer, path, limit=_LINE) as server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, ValueError):
            async with asyncio.timeout(_WAITS):
                self._heed(msgspec.json.decode(await reader.readline(), type=Wish))
                writer.write(msgspec.json.encode(self.state))
                await writer.drain()
        writer.close()

    def _heed(self, wish: Wish) -> None:
        match wish:
            case "break":
                self.press()
            case "stop" | "move":
                self.let_move(wish == "move")
            case "look":
                pass

    def _begin(self, act: Act, phase: str) -> None:
        self._act = act
        self._scene.phase = phase
        self._told(phase)

    def _turn(self) -> None:
        if self._is_wanted and not self._wanted.is_set():
            self._shut.clear()
            self._open.set()
        else:
            self._open.clear()
            self._shut.set()
