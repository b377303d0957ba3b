"""The examples run, as a newcomer would run them, and do what they say."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest
import uvicorn

from comptoir.sync import Comptoir
from examples.streaming_api import api
from tests.support.batches import until
from tests.support.postgres import Database

ROOT = Path(__file__).parents[2]
SALE = "2026-1: sold\n2026-2: sold\n2026-3: insufficient-credits (needed 5, available 2)\n"


def test_the_script_sells_once(database: Database, tmp_path: Path) -> None:
    """Run twice, it is answered twice, and everything has happened once."""
    surroundings = os.environ | {"DATABASE_URL": database.url}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "script.py")],
            env=surroundings, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout == SALE + "left: 2, balanced: True\n", done.stderr


@asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, database: Database) -> AsyncIterator[str]:
    monkeypatch.setenv("DATABASE_URL", database.url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(api, log_config=None, ws="none"))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve([listener]))
            await until(lambda: server.started or task.done())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True


async def test_a_stream_is_paid_as_far_as_it_went(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    async with (
        serving(monkeypatch, database) as url,
        httpx2.AsyncClient(base_url=url, timeout=30) as http,
    ):
        asked = {"customer": "alice", "words": 7}
        refused = await http.post("/answers", params=asked, headers={"idempotency-key": "none"})
        assert refused.status_code == 402
        await asyncio.to_thread(_grant, database)
        done = await http.post("/answers", params=asked, headers={"idempotency-key": "all"})
        assert done.text.split() == [f"word{number}" for number in range(7)]
        assert await _available(http) == "93"
        await _go_away(http)
        await until(lambda: _is_settled(http))
        assert 43 < float(await _available(http)) < 93


def _grant(database: Database) -> None:
    with Comptoir.open(database.url) as books:
        books.credits.grant("alice", 100, reason="test", idempotency_key="rich")


async def _go_away(http: httpx2.AsyncClient) -> None:
    """Read a word of a long answer, and close the connection."""
    asked = {"customer": "alice", "words": 50}
    with suppress(httpx2.HTTPError):
        async with http.stream(
            "POST", "/answers", params=asked, headers={"idempotency-key": "part"}
        ) as answer:
            async for _ in answer.aiter_text():
                break


async def _available(http: httpx2.AsyncClient) -> str:
    return (await http.get("/balance/alice")).json()["available"]


async def _is_settled(http: httpx2.AsyncClient) -> bool:
    """While the hold is open, all fifty words of it are missing."""
    return await _available(http) != "43"
