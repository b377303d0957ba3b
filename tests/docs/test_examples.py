"""The examples run, as a newcomer would run them, and do what they say."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx2
import psycopg
import pytest
import uvicorn

from comptoir.sync import Comptoir
from examples import quotes
from examples.streaming_api import api
from tests.support.batches import until
from tests.support.postgres import Database
from tests.support.site import serving as site_of

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
async def serving(
    monkeypatch: pytest.MonkeyPatch, database: Database, app: object = api
) -> AsyncIterator[str]:
    monkeypatch.setenv("DATABASE_URL", database.url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(cast("Any", app), log_config=None, ws="none"))
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


@asynccontextmanager
async def quoting(
    monkeypatch: pytest.MonkeyPatch, database: Database, home: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    """The example with all guards, and a client who has signed in as alice."""
    monkeypatch.setenv("COMPTOIR_ENV", "development")
    monkeypatch.setenv("COMPTOIR_HOME", str(home))
    await asyncio.to_thread(_furnish, database)
    alice = {"Authorization": "Bearer alice"}
    async with (
        serving(monkeypatch, database, quotes.app) as url,
        httpx2.AsyncClient(base_url=url, timeout=30, headers=alice) as http,
    ):
        yield http


def _furnish(database: Database) -> None:
    with Comptoir.open(database.url) as books:
        books.prices.set("ai.generate", 5)
        books.credits.grant("alice", 100, reason="test", idempotency_key="rich")
        books.customers.put("alice", email="alice@example.com", locale="fr", plan="free")


async def test_a_quote_is_made_once_and_its_pdf_is_announced(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    async with quoting(monkeypatch, database, tmp_path) as http:
        assert (await http.post("/api/quotes")).json()["code"] == "idempotency-key-missing"
        assert (await http.get("/api/profile")).json()["quotes"] == 0
        key = {"Idempotency-Key": "click"}
        first, again = [await http.post("/api/quotes", headers=key) for _ in range(2)]
        assert first.status_code == 201, first.text
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert (await http.get("/api/profile")).json()["quotes"] == 1, "it was forgotten"

        async def is_done() -> bool:
            seen = (await http.get(f"/api/jobs/{first.json()['job']}")).json()
            return seen == {"status": "succeeded", "result": {"file": "alice-1.pdf"}}

        await until(is_done)
        await until(lambda: any((tmp_path / "mail").glob("*.eml")))
    [letter] = (tmp_path / "mail").glob("*.eml")
    assert "alice-1" in letter.read_text()
    assert "Content-Language: fr" in letter.read_text()


async def test_a_model_costs_what_it_used_and_nothing_when_it_fails(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    async with quoting(monkeypatch, database, tmp_path) as http:
        failed = await http.post("/api/ai/quote?fails=true")
        assert failed.status_code == 502
        done = await http.post("/api/ai/quote")
        assert done.json() == {"customer": "alice", "limit": 10, "cost": "2.5"}
        assert done.headers["ratelimit-policy"] == '"ai";q=5;w=1, "api";q=200;w=10'
        statuses = [(await http.post("/api/ai/quote")).status_code for _ in range(4)]
        assert statuses[-1] == 429
        stream = await http.post("/api/ai/stream")
        assert stream.text == "word1 word2 word3 word4 word5 "
        assert (await http.post("/api/ai/stream", headers={"Authorization": "Bearer bob"})).json()[
            "code"
        ] == "insufficient-credits"
    made = statuses.count(200)
    left = await asyncio.to_thread(_left, database)
    assert left == (100 - 2.5 * (1 + made) - 5, 0)
    assert _used(database) == 1 + made


def _left(database: Database) -> tuple[float, float]:
    with Comptoir.open(database.url) as books:
        balance = books.credits.balance("alice")
        return float(balance.balance), float(balance.held)


def _used(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT sum(used) FROM comptoir.usage").fetchone()
    assert row is not None
    return row[0]


async def test_a_card_is_charged_once_and_one_report_is_made_at_a_time(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    async with quoting(monkeypatch, database, tmp_path) as http:
        asked = {"invoice": "7", "amount": 1900}
        first, again = [await http.post("/api/payments", params=asked) for _ in range(2)]
        assert first.json() == again.json()
        other = await http.post("/api/payments", params=asked | {"amount": 1})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        reports = [(await http.post("/api/report")).json() for _ in range(2)]
        assert reports == [{"reports": 1}, {"reports": 2}]
        nobody = await http.get("/api/profile", headers={"Authorization": ""})
        assert nobody.status_code == 401


NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no Node.js here: the worker in JavaScript was not run")
def test_a_worker_in_javascript_does_the_jobs(database: Database, tmp_path: Path) -> None:
    """Of three jobs one is done, one has nothing to be paid from, and one was done before."""
    assert NODE is not None
    with site_of(database, tmp_path) as site:
        site.grant("ada", 10)
        ids = [
            site.post("/api/jobs", {"type": "pdf.render", "payload": payload}).json()["id"]
            for payload in (
                {"customer": "ada", "quote": "Q-1"},
                {"customer": "poor", "quote": "Q-2"},
                {"customer": "ada", "quote": "Q-3"},
            )
        ]
        # A worker that died after it had paid, and before it said so.
        paid = {"customer": "ada", "amount": 1, "reason": "PDF"}
        assert site.post("/api/credits/spend", paid, key=f"job:{ids[2]}").status_code == 200
        surroundings = {"COMPTOIR_URL": site.url, "COMPTOIR_KEY": site.keys["svc"]}
        done = subprocess.run(
            [NODE, str(ROOT / "examples" / "worker.mjs"), "--until-empty"],
            env=surroundings, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        seen = [site.get(f"/api/jobs/{id_}").json() for id_ in ids]
        assert [each["status"] for each in seen] == ["succeeded", "dead", "succeeded"], done.stderr
        assert (seen[0]["result"], seen[1]["error"]) == ({"file": "Q-1.pdf"}, "Error")
        assert site.balance("ada")["balance"] == "8"
        assert sorted(done.stdout.split()[::2]) == sorted(ids)
