"""One run: the load, the troubles, the end of both, and the judgement."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from comptoir.cli.torture.caller import Caller, Office, new_session
from comptoir.cli.torture.judge import Findings, judge
from comptoir.cli.torture.notebook import Notebook
from comptoir.cli.torture.program import opening, program
from comptoir.cli.torture.schedule import Trouble
from comptoir.cli.torture.site import Site, serving
from comptoir.cli.torture.tally import Tally
from comptoir.cli.torture.troubles import Stage, go_through

CALLERS: Final = 64

_FINISH_SECONDS: Final = 120.0
"""How long callers may take for what is under way once nothing troubles them any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen: all of it follows from the seed.

    Attributes:
        seconds: how long troubles come; load goes on for as long.
    """

    seed: int
    seconds: int
    troubles: Sequence[Trouble]


@dataclass(slots=True)
class Scene:
    """A run as the view shows it. Changed by the tasks of one event loop.

    Attributes:
        phase: the key of the text that says what is going on.
        begun: when the troubles did, by the monotonic clock.
    """

    plan: Plan
    site: Site
    tally: Tally = field(default_factory=Tally)
    phase: str = "torture.phase.start"
    begun: float = field(default_factory=time.monotonic)
    findings: Findings | None = None

    @property
    def elapsed(self) -> int:
        """Whole seconds since the beginning."""
        return int(time.monotonic() - self.begun)

    @property
    def servers_up(self) -> int:
        """How many servers answer."""
        return sum(address is not None for address in self.site.addresses)

    async def play(self) -> None:
        """Let it all happen, and judge.

        Raises:
            Unavailable: the servers do not start, or the database cannot be reached at the end.
        """
        notebook = Notebook(self.site.home.folder / "told.csv")
        try:
            async with serving(self.site), _office(self, notebook) as office:
                await self._load(office)
        finally:
            notebook.close()
        self.phase = "torture.phase.judge"
        self.findings = await judge(self.site.urls.owner, notebook.path, self.tally)

    async def _load(self, office: Office) -> None:
        callers = [Caller(office) for _ in range(CALLERS)]
        await callers[0].do(opening())
        self.phase, self.begun = "torture.phase.trouble", time.monotonic()
        stop = asyncio.Event()
        try:
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
                for number, caller in enumerate(callers):
                    jobs = program(self.plan.seed, number)
                    tasks.create_task(caller.work(jobs, stop))
                await go_through(self.plan.troubles, Stage(self.site, callers, self.tally))
                await asyncio.sleep(self.begun + self.plan.seconds - time.monotonic())
                stop.set()
                self.phase = "torture.phase.finish"
                limit.reschedule(asyncio.get_running_loop().time() + _FINISH_SECONDS)
        except TimeoutError:
            for caller in callers:
                caller.give_up()


@asynccontextmanager
async def _office(scene: Scene, notebook: Notebook) -> AsyncGenerator[Office]:
    async with new_session(scene.site.key) as session:
        yield Office(session, scene.site.addresses, notebook, scene.tally)


async def count_seconds(tally: Tally) -> None:
    """Take down the rate of every second, until cancelled."""
    while tally.acknowledged >= 0:  # bounded by the run, which cancels it
        await asyncio.sleep(1)
        tally.second()
