"""The postman: carries events to endpoints, signs them, tries again; misbehaves on demand."""

import asyncio
import hmac
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final, Self

import aiohttp

from comptoir_sandbox import endpoints, generations
from comptoir_sandbox.chaos import Chaos
from comptoir_sandbox.objects import Object
from comptoir_sandbox.world import World

RETRIES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds between tries: three days of the real one in a minute."""

_RESTS: Final = 0.5
_SECONDS: Final = 10.0
_TOGETHER: Final = 32
_GATHERS: Final = 0.05
_LOG: Final = 20
_OK: Final = range(200, 300)


@dataclass(slots=True)
class Letter:
    """One delivery of one event to one endpoint."""

    event: str
    endpoint: str
    tries: int = 0
    due: float = 0.0


class Postman:
    """Delivers what the world has posted. An async context of one event loop."""

    def __init__(
        self, world: World, chaos: Chaos, draw: Random, retries: Sequence[float] = RETRIES
    ) -> None:
        """Carry events.

        Args:
            world: whose.
            chaos: what goes wrong.
            draw: chance.
            retries: seconds between tries.
        """
        self._world = world
        self._chaos = chaos
        self._draw = draw
        self._retries = retries
        self._letters: list[Letter] = []
        self._carried = 0
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        # A connection that rests keeps a server waiting that was asked to end.
        resting = aiohttp.TCPConnector(keepalive_timeout=_RESTS)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=resting)
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None, "the block was entered"
        assert self._task is not None, "the block was entered"
        tasks = [self._task, *self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self._session.close()

    @property
    def waiting(self) -> int:
        """Deliveries that have not come to an end."""
        return len(self._letters) + len(self._under_way) + self._carried

    def wake(self) -> None:
        """Something was posted."""
        self._woken.set()

    async def deliver_now(self) -> None:
        """Deliver what is posted, once each, and wait for the answers."""
        letters = self._sorted_out()
        for letter in letters:
            await self._deliver(letter)

    def again(self, event: Object, endpoint: str | None = None, times: int = 1) -> int:
        """Deliver an event once more, or more often; returns how many deliveries that is."""
        letters = [
            Letter(event["id"], each["id"])
            for each in self._world.all("webhook_endpoint")
            if each["id"] == endpoint or (endpoint is None and endpoints.wants(each, event["type"]))
            for _ in range(times)
        ]
        self._letters += letters
        self.wake()
        return len(letters)

    async def _run(self) -> None:
        while True:  # until cancelled
            now = asyncio.get_running_loop().time()
            self._letters += self._sorted_out()
            due = [letter for letter in self._letters if letter.due <= now]
            if (
                self._chaos.shuffle
                and len(due) < self._chaos.shuffle
                and not await self._is_still()
            ):
                continue
            if not due:
                await self._wait()
                continue
            self._letters = [letter for letter in self._letters if letter.due > now]
            if self._chaos.shuffle:
                self._draw.shuffle(due)
            for number, letter in enumerate(due):
                self._carried = len(due) - number
                await self._set_out(letter)
            self._carried = 0

    def _sorted_out(self) -> list[Letter]:
        """A letter for each endpoint that wants to know of what was posted."""
        posted, self._world.posted = self._world.posted, []
        letters: list[Letter] = []
        for id_ in posted:
            event = self._world.objects[id_]
            wanting = [
                each for each in self._world.all("webhook_endpoint")
                if endpoints.wants(each, event["type"])
            ]  # fmt: skip
            if not wanting:
                continue
            event["pending_webhooks"] = len(wanting)
            self._world.note(id_)["undelivered"] = len(wanting)
            for endpoint in wanting:
                letters += self._copies(id_, endpoint["id"])
        return letters

    def _copies(self, event: str, endpoint: str) -> list[Letter]:
        chaos, draw = self._chaos, self._draw
        if draw.random() * 100 < chaos.drop_percent:
            return []
        now = asyncio.get_running_loop().time()
        copies = draw.randint(1, max(chaos.copies, 1))
        return [
            Letter(event, endpoint, due=now + draw.random() * chaos.delay_ms / 1_000)
            for _ in range(copies)
        ]

    async def _is_still(self) -> bool:
        """Whether nothing more was posted for a moment."""
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHERS):
                await self._woken.wait()
        return not self._woken.is_set()

    async def _wait(self) -> None:
        self._woken.clear()
        if self._world.posted:
            return
        now = asyncio.get_running_loop().time()
        soonest = min((letter.due for letter in self._letters), default=now + 60)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(soonest - now, 0)):
                await self._woken.wait()

    async def _set_out(self, letter: Letter) -> None:
        if not self._chaos.together:
            await self._deliver(letter)
            return
        while len(self._under_way) >= _TOGETHER:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.get_running_loop().create_task(self._deliver(letter))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, letter: Letter) -> None:
        event = self._world.objects[letter.event]
        endpoint = self._world.objects[letter.endpoint]
        if endpoint.get("deleted") or endpoint["status"] != "enabled":
            return
        status = await self._post(event, endpoint)
        letter.tries += 1
        self._log(letter, status)
        if status in _OK:
            self._arrived(letter)
        elif letter.tries <= len(self._retries):
            pause = self._retries[letter.tries - 1]
            letter.due = asyncio.get_running_loop().time() + pause
            self._letters.append(letter)
            self.wake()

    async def _post(self, event: Object, endpoint: Object) -> int:
        assert self._session is not None, "the block was entered"
        shown = generations.rendered(self._world, event, endpoint["api_version"])
        body = json.dumps(shown, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "ComptoirSandbox/1.0",
            "Stripe-Signature": signature(
                body, self._world.notes[endpoint["id"]]["secrets"], int(self._world.clock())
            ),
        }
        try:
            async with self._session.post(
                endpoint["url"], data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    def _arrived(self, letter: Letter) -> None:
        note = self._world.note(letter.event)
        arrived: list[str] = note.setdefault("arrived", [])
        if letter.endpoint in arrived:
            return
        arrived.append(letter.endpoint)
        note["undelivered"] = max(note.get("undelivered", 0) - 1, 0)
        self._world.objects[letter.event]["pending_webhooks"] = note["undelivered"]

    def _log(self, letter: Letter, status: int) -> None:
        lines: list[Object] = self._world.note(letter.event).setdefault("tries", [])
        lines.append({"endpoint": letter.endpoint, "status": status, "at": self._world.now()})
        del lines[:-_LOG]


def signature(body: bytes, secrets: Sequence[str], at: int) -> str:
    """The header that proves who sends a body: one signature for each secret that is still good."""
    signed = f"{at}.".encode() + body
    marks = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])
