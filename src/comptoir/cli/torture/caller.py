"""Callers over real HTTP: each follows its program, and never gives up on a request."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from comptoir.cli.torture.answers import (
    CREATED,
    REFUSALS,
    Reply,
    content,
    is_answer,
    is_final,
    must_say_replayed,
    told,
    untold,
)
from comptoir.cli.torture.notebook import Notebook
from comptoir.cli.torture.program import REMEMBERED, Ask, Job, Manner, Step, reused
from comptoir.cli.torture.tally import Fault, Tally

_TIMEOUT_SECONDS: Final = 30.0
_PATIENCE: Final = 0.05
_GONE_SECONDS: Final = 0.2
_UNPROCESSABLE: Final = 422
_LOST: Final = (aiohttp.ClientError, ConnectionError, ValueError)


@dataclass(slots=True)
class Office:
    """What all callers share.

    Attributes:
        addresses: of the servers, None for those that do not run.
    """

    session: aiohttp.ClientSession
    addresses: list[str | None]
    notebook: Notebook
    tally: Tally


def new_session(key: str) -> aiohttp.ClientSession:
    """Connections for all callers, as many as they like."""
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
    )


@dataclass(slots=True)
class Caller:
    """One caller, who does one thing at a time. Used by one task; hung up by any."""

    office: Office
    _told: dict[tuple[str, ...], Reply] = field(default_factory=dict[tuple[str, ...], Reply])
    _waiting: asyncio.Timeout | None = None
    _asking: Ask | None = None

    async def work(self, jobs: Iterator[Job], stop: asyncio.Event) -> None:
        """Do one job after the other; at the stop, finish the one that is under way."""
        while not stop.is_set():
            await self.do(next(jobs))

    async def do(self, job: Job) -> None:
        """Do one job; a refusal leaves the rest of it out."""
        for step in job:
            await asyncio.sleep(step.rest)
            if not await self._take(step):
                return

    def hang_up(self) -> bool:
        """Close the connection of the request that is under way; whether there is one."""
        if self._waiting is None:
            return False
        self._waiting.reschedule(asyncio.get_running_loop().time())
        return True

    def give_up(self) -> None:
        """Nobody will answer any more: say so of the request that is still open, if any."""
        if self._asking is not None:
            keys = ", ".join(self._asking.keys)
            self.office.notebook.write(untold(self._asking))
            self.office.tally.blame(Fault("lost", "torture.fault.unanswered", {"keys": keys}))

    async def _take(self, step: Step) -> bool:
        if step.manner is Manner.NEW:
            return await self._ask(step)
        earlier = self._told.get(step.ask.keys)
        if earlier is None:
            return False
        if step.manner is Manner.REPEAT:
            await self._repeat(step, earlier)
        else:
            await self._reuse(step)
        return True

    async def _ask(self, step: Step) -> bool:
        ask, tally = step.ask, self.office.tally
        self._asking = ask
        reply = await self._insist(ask, step.at)
        self._asking = None
        lines = told(ask, reply)
        self.office.notebook.write(lines)
        tally.acknowledged += 1
        refused = {line.outcome for line in lines} - {CREATED}
        tally.refused += bool(refused)
        if refused - REFUSALS:
            tally.blame(_fault("lost", "torture.fault.strange", ask, reply))
        if is_final(reply):
            self._remember(ask, reply)
        return not refused

    def _remember(self, ask: Ask, reply: Reply) -> None:
        self._told[ask.keys] = reply
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    async def _repeat(self, step: Step, earlier: Reply) -> None:
        reply = await self._insist(step.ask, step.at)
        said = reply.replayed or not must_say_replayed(earlier)
        if said and content(reply) == content(earlier):
            self.office.tally.replayed += 1
        else:
            self.office.tally.blame(_fault("lost", "torture.fault.other-answer", step.ask, reply))

    async def _reuse(self, step: Step) -> None:
        reply = await self._insist(reused(step.ask), step.at)
        if (reply.status, reply.code) == (_UNPROCESSABLE, "idempotency-key-reused"):
            self.office.tally.reused += 1
        else:
            self.office.tally.blame(_fault("doubled", "torture.fault.reused", step.ask, reply))

    async def _insist(self, ask: Ask, at: int) -> Reply:
        """Ask one server after the other until one answers."""
        addresses, in_vain = self.office.addresses, self.office.tally.in_vain
        while True:  # bounded by the run, which cancels whoever still waits
            address = addresses[at % len(addresses)]
            at += 1
            if address is None:
                await asyncio.sleep(_PATIENCE)
                continue
            try:
                reply = await self._once(address, ask)
            except TimeoutError:
                in_vain["hung-up"] += 1
                await asyncio.sleep(_GONE_SECONDS)
            except _LOST:
                in_vain["connection-lost"] += 1
                await asyncio.sleep(_PATIENCE)
            else:
                if is_answer(reply):
                    return reply
                in_vain[reply.code or "undecided"] += 1
                await asyncio.sleep(_PATIENCE)

    async def _once(self, address: str, ask: Ask) -> Reply:
        headers = {} if ask.is_batch else {"Idempotency-Key": ask.keys[0]}
        post = self.office.session.post
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS) as self._waiting:
                async with post(address + ask.path, json=ask.body, headers=headers) as response:
                    body = json.loads(await response.read())
                replayed = response.headers.get("Idempotent-Replayed") == "true"
                return Reply(response.status, body, replayed)
        finally:
            self._waiting = None


def _fault(number: str, text: str, ask: Ask, reply: Reply) -> Fault:
    said = json.dumps(reply.body, ensure_ascii=False)
    return Fault(
        number, text, {"keys": ", ".join(ask.keys), "status": reply.status, "answer": said}
    )
