"""`comptoir serve` does jobs beside serving: in one process of several, or in none."""

import asyncio
import os
import signal
from pathlib import Path
from uuid import UUID

import pytest

from comptoir import Comptoir, JobStatus
from tests.support.batches import until
from tests.support.postgres import Database
from tests.support.servers import Server, add_keys, crowd, free_ports

pytestmark = pytest.mark.pg

SHOP = """
import asyncio, os
from comptoir import Comptoir, Job, Jobs

jobs = Jobs()

@jobs.handler("pdf.render")
async def render(job: Job, books: Comptoir) -> dict[str, int]:
    return {"pid": os.getpid()}

@jobs.handler("slow")
async def slow(job: Job, books: Comptoir) -> None:
    await books.credits.grant("begun", 1, reason="begun", idempotency_key=job.key("begun"))
    await asyncio.sleep(1)
    await books.credits.grant("ended", 1, reason="ended", idempotency_key=job.key("ended"))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def serve(folder: Path, database: Database, *options: str) -> Server:
    [port] = free_ports(1)
    return Server(folder, database, port, options=["--jobs", "shop", *options]).start()


async def done_by(books: Comptoir, id_: UUID) -> int:
    """The process that did a job, once it is done."""

    async def is_done() -> bool:
        return (await books.jobs.get(id_)).status is JobStatus.SUCCEEDED

    await until(is_done)
    result = (await books.jobs.get(id_)).result
    assert result is not None
    return result["pid"]


async def test_a_server_does_jobs_and_lets_them_end(shop: Path, database: Database):
    server = serve(shop, database).wait_until_ready()
    async with Comptoir.open(database.app_url) as books:
        assert server.process is not None
        render = await books.jobs.enqueue_now("pdf.render")
        assert await done_by(books, render) == server.process.pid
        slow = await books.jobs.enqueue_now("slow")

        async def has_begun() -> bool:
            return (await books.credits.balance("begun")).balance == 1

        await until(has_begun)
        assert await asyncio.to_thread(server.stop) == 0
        assert (await books.credits.balance("ended")).balance == 1
        assert (await books.jobs.get(slow)).status is JobStatus.SUCCEEDED
    assert '"event":"job"' in server.output
    assert '"outcome":"done"' in server.output


async def test_letters_of_a_server_in_development_are_files(shop: Path, database: Database):
    server = serve(shop, database).wait_until_ready()
    letter = {"to": "alice@example.com", "template": "welcome"}
    try:
        async with Comptoir.open(database.app_url) as books:
            values = {"shop": "Demo", "name": "Alice"}
            await books.jobs.enqueue_now("email.send", {**letter, "values": values})
            await until(lambda: "letter-written" in server.output)
    finally:
        await asyncio.to_thread(server.stop)
    [file] = (shop / "mail").iterdir()
    assert "Subject: Welcome to Demo!" in file.read_text()


async def test_one_process_of_several_does_jobs(shop: Path, database: Database):
    server = serve(shop, database, "--workers", "2").wait_until_ready()
    try:
        async with Comptoir.open(database.app_url) as books:
            ids = [await books.jobs.enqueue_now("pdf.render") for _ in range(20)]
            [first] = {await done_by(books, id_) for id_ in ids}
            os.kill(first, signal.SIGKILL)
            another = await done_by(books, await books.jobs.enqueue_now("pdf.render"))
            assert another != first
    finally:
        assert await asyncio.to_thread(server.stop) == 0


async def test_a_server_that_only_serves_works_off_what_it_is_asked_to(
    shop: Path, database: Database
):
    keys = add_keys(database)
    server = serve(shop, database, "--no-worker").wait_until_ready()
    try:
        async with Comptoir.open(database.app_url) as books:
            ids = [await books.jobs.enqueue_now("pdf.render") for _ in range(12)]
            async with crowd([server], keys) as clients:
                for processed in (10, 2, 0):
                    answer = await clients.get("/api/cron/process-pdf")
                    assert (answer.status, answer.body) == (200, {"processed": processed})
            statuses = {(await books.jobs.get(id_)).status for id_ in ids}
            assert statuses == {JobStatus.SUCCEEDED}
            other = await books.jobs.enqueue_now("slow")
            assert (await books.jobs.get(other)).status is JobStatus.PENDING
    finally:
        assert await asyncio.to_thread(server.stop) == 0


def test_jobs_that_are_not_there_are_said_before_it_serves(tmp_path: Path, database: Database):
    server = serve(tmp_path, database)
    assert server.process is not None
    assert server.process.wait(60) == 5
    server.process = None
    assert "shop" in server.output
