"""Jobs from the command line, and a worker that is a process of its own."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from comptoir import Comptoir, JobStatus
from tests.cli.conftest import Inside
from tests.support.batches import until
from tests.support.postgres import Database

pytestmark = pytest.mark.pg

SHOP = """
from comptoir import Comptoir, Job, Jobs

jobs = Jobs()

@jobs.handler("welcome")
async def welcome(job: Job, books: Comptoir) -> dict[str, str]:
    made = await books.credits.grant(
        job.payload["customer"], 3, reason="hi", idempotency_key=job.key()
    )
    return {"movement": made.movement.id}
"""


async def enqueue(database: Database) -> str:
    async with Comptoir.open(database.app_url) as books:
        return str(await books.jobs.enqueue_now("welcome", {"customer": "alice"}))


def test_one_life(inside: Inside, database: Database):
    id_ = asyncio.run(enqueue(database))
    assert id_ in inside("job", "list").out
    listed = inside("job", "list", "--status", "pending", "--type", "welcome", "--json").json
    assert [each["id"] for each in listed["items"]] == [id_]
    assert inside("job", "list", "--status", "dead", "--json").json["items"] == []
    assert "welcome, pending" in inside("job", "show", "--id", id_).out
    assert inside("job", "cancel", "--id", id_, "--json").json["status"] == "cancelled"
    again = inside("job", "cancel", "--id", id_)
    assert (again.code, again.out) == (5, "")
    assert "cancelled" in again.err
    assert inside("job", "retry", "--id", id_, "--json").json["status"] == "pending"
    unknown = inside("job", "show", "--id", "x")
    assert unknown.code == 5
    wrong = inside("job", "list", "--status", "lost")
    assert wrong.code == 2


@pytest.mark.parametrize("said", ["nowhere", "shop:nothing", "shop:Job", ":"])
def test_jobs_that_are_not_there(said: str, inside: Inside, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    refused = inside("worker", "--jobs", said)
    assert (refused.code, refused.out) == (5, "")
    assert said in refused.err


async def outcome(database: Database) -> str:
    """Enqueues a job, and waits until it is done; returns its id."""
    async with Comptoir.open(database.app_url) as books:
        id_ = await books.jobs.enqueue_now("welcome", {"customer": "alice"})

        async def is_done() -> bool:
            return (await books.jobs.get(id_)).status is JobStatus.SUCCEEDED

        await until(is_done)
        assert (await books.credits.balance("alice")).balance == 3
        return str(id_)


def test_a_worker_does_jobs_until_it_is_asked_to_end(database: Database, tmp_path: Path):
    (tmp_path / "shop.py").write_text(SHOP)
    command = [sys.executable, "-m", "comptoir.cli", "worker", "--jobs", "shop"]
    surroundings = {"DATABASE_URL": database.app_url, "COMPTOIR_LOCALE": "en", "PATH": ""}
    with subprocess.Popen(
        command, cwd=tmp_path, env=surroundings, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            id_ = asyncio.run(outcome(database))
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0, said
    lines = said.splitlines()
    assert lines[0] == (
        "Doing jobs of type billing.rollover, comptoir.tidy, credits.top-up, email.send, "
        "orders.close, orders.expire, payments.give-back, payments.reconcile, tokens.statements, "
        "welcome."
    )
    assert lines[1] == f"welcome {id_}: done."
    assert "Ending" in lines[2]
