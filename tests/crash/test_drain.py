"""A server that is asked to end answers whatever it has taken."""

import asyncio
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import psycopg
import pytest

from comptoir.kit.ids import request_id
from tests.support.batches import assert_verified, rows, until
from tests.support.events import Events, listening
from tests.support.postgres import Database
from tests.support.servers import LIVE, Crowd, Reply, Server, add_keys, crowd, free_ports, serving

pytestmark = [pytest.mark.pg, pytest.mark.crash]
CALLERS = 64
STREAMS = 100
SLACK = 1.0
"""Seconds for a machine that has much else to do."""


@pytest.fixture
def server(tmp_path: Path, database: Database) -> Generator[Server]:
    with serving(tmp_path, database) as [one]:
        yield one
    assert_verified(database)


def stored(database: Database) -> set[bytes]:
    query = "SELECT id FROM comptoir.requests WHERE book_id = 1 AND op = 'spend'"
    return {id_ for [id_] in rows(database.owner_url, query)}


async def call_until_it_ends(clients: Crowd, caller: int, told: dict[str, Reply]) -> int:
    """Spend again and again; returns how often nobody answered."""
    for n in range(100_000):
        key = f"{caller}-{n}"
        try:
            reply = await clients.post("/api/credits/spend", {"customer": "a", "amount": 1}, key)
        except (aiohttp.ClientError, ConnectionError):
            return 1
        if reply.status != 200:
            assert (reply.status, reply.code) == (503, "shutting-down")
            return 0
        told[key] = reply
    raise AssertionError("the server does not end")


async def test_everything_that_was_done_was_answered(server: Server, database: Database):
    told: dict[str, Reply] = {}
    async with crowd([server], add_keys(database)) as clients:
        await clients.grant("a", "999999")
        async with asyncio.TaskGroup() as group:
            for caller in range(CALLERS):
                group.create_task(call_until_it_ends(clients, caller, told))
            await until(lambda: len(told) > 500)
            server.ask_to_stop()
    assert await asyncio.to_thread(server.stop) == 0
    assert stored(database) == {request_id(LIVE, key) for key in told}


async def test_a_request_that_waits_for_a_locked_account_is_answered(
    server: Server, database: Database
):
    async with crowd([server], add_keys(database)) as clients:
        await clients.grant("a", "10")
        with psycopg.connect(database.app_url) as foreign:
            foreign.execute("SELECT FROM comptoir.accounts WHERE bounded FOR UPDATE")
            asked = [
                asyncio.ensure_future(
                    clients.post("/api/credits/spend", {"customer": "a", "amount": 1}, f"s{n}")
                )
                for n in range(8)
            ]

            def waits() -> bool:
                query = """SELECT FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name = 'comptoir' AND wait_event_type = 'Lock'"""
                return rows(database.superuser_url, query) != []

            await until(waits)
            server.ask_to_stop()
            await until(lambda: not is_listening(server))
        replies = await asyncio.gather(*asked)
    assert [reply.status for reply in replies] == [200] * 8
    assert await asyncio.to_thread(server.stop) == 0


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.soak)])
def test_asked_again_and_again_it_ends_as_if_asked_once(
    tmp_path: Path, database: Database, workers: str
):
    [port] = free_ports(1)
    server = Server(tmp_path, database, port, options=["--workers", workers])
    with ExitStack() as stack:
        stack.callback(server.start().kill)
        process = server.wait_until_ready().process
        assert process is not None
        while process.poll() is None:
            server.ask_to_stop()
        assert process.returncode == 0, server.output


def is_listening(server: Server) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", server.port)) == 0


@contextmanager
def followed(server: Server, key: str, count: int) -> Generator[list[Events]]:
    """So many streams of customers who have nothing yet, each of which has said so."""
    with ExitStack() as stack:
        streams = [
            stack.enter_context(listening(server.url, f"/api/stream?customer=c{n}", key))
            for n in range(count)
        ]
        assert {stream.event().id for stream in streams} == {0}
        yield streams


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.soak), "2"])
def test_streams_end_with_their_server_and_do_not_keep_it(
    tmp_path: Path, database: Database, workers: str
):
    [port] = free_ports(1)
    server = Server(tmp_path, database, port, options=["--workers", workers])
    with ExitStack() as stack:
        stack.callback(server.start().kill)
        process = server.wait_until_ready().process
        assert process is not None
        key = add_keys(database)[0]
        with followed(server, key, STREAMS) as streams:
            server.ask_to_stop()
            asked = time.monotonic()
            assert [stream.rest() for stream in streams] == [[]] * STREAMS
            ended = time.monotonic() - asked
            assert process.wait(10) == 0, server.output
            gone = time.monotonic() - asked
    print(f"{STREAMS} streams ended after {ended:.2f} s, {workers} workers after {gone:.2f} s")  # noqa: T201  # the figure
    assert ended < 1 + SLACK
    assert gone < 2 + SLACK


def test_streams_do_not_keep_workers_that_are_replaced(tmp_path: Path, database: Database):
    [port] = free_ports(1)
    server = Server(tmp_path, database, port, options=["--workers", "2"])
    with ExitStack() as stack:
        stack.callback(server.start().kill)
        process = server.wait_until_ready().process
        assert process is not None
        key = add_keys(database)[0]
        with followed(server, key, 10) as streams:
            process.send_signal(signal.SIGHUP)
            assert [stream.rest() for stream in streams] == [[]] * 10
        with followed(server, key, 10):  # the new ones serve
            assert server.stop() == 0
