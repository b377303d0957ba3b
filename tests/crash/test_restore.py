"""A backup taken in the middle of things, restored elsewhere: what was answered is answered so."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.load import Asked, Load, work
from tests.support.batches import assert_verified, rows
from tests.support.homes import HomeServer, running_home, up
from tests.support.servers import Crowd, Reply, add_keys, crowd, free_ports

pytestmark = [pytest.mark.pg, pytest.mark.crash, pytest.mark.slow]
TOKEN = "/api/customer-tokens"


async def open_door(clients: Crowd) -> tuple[Reply, Reply]:
    """A key made under an idempotency key, and a token: both come from the secret."""
    key = await clients.post("/api/keys", {"role": "service", "name": "x"}, "the-key")
    token = await clients.post(TOKEN, {"customer": "all-0", "ttl_seconds": 3600}, who=1)
    assert (key.status, token.status) == (201, 201), (key, token)
    return key, token


async def repeat(clients: Crowd, asked: Asked) -> None:
    again = await clients.post(asked.path, asked.body, asked.key)
    assert asked.reply is not None
    assert again.replayed, asked
    assert (again.status, again.body) == (asked.reply.status, asked.reply.body), asked


async def test_what_was_acknowledged_before_a_backup_is_repeated_from_it(tmp_path: Path):
    known: list[Asked] = []
    backup = str(tmp_path / "books.zip")
    port, new_port = free_ports(2)
    with (
        running_home(tmp_path / "old") as old,
        up(HomeServer(old.folder, old.database, port)) as (server),
    ):
        keys = add_keys(old.database)
        async with crowd([server], keys) as clients:
            key, token = await open_door(clients)

            async def take(load: Load) -> None:
                await load.wait_for(500)
                known.extend(each for each in load.asked if each.reply is not None)
                code, said = await asyncio.to_thread(old.run, "backup", backup)
                assert code == 0, said
                await load.wait_for(200)

            load = await work(clients, 7, take)
        assert_verified(old.database)
    assert {status for status, _ in load.failures} <= {409, 503}, load.failures
    with running_home(tmp_path / "new", empty=True) as new:
        code, said = new.run("restore", backup)
        assert (code, "are restored and balance" in said) == (0, True), said
        assert (new.folder / "secret").read_text() == (tmp_path / "old/secret").read_text()
        assert_verified(new.database)
        stored = {id_ for [id_] in rows(new.database.owner_url, "SELECT id FROM comptoir.requests")}
        assert {each.id for each in known} <= stored
        with up(HomeServer(new.folder, new.database, new_port)) as server:
            async with crowd([server], keys) as clients:
                for each in known:
                    await repeat(clients, each)
                again = await clients.post("/api/keys", {"role": "service", "name": "x"}, "the-key")
                assert again.body["key"] == key.body["key"]
                clients.keys = [token.body["token"]]
                assert (await clients.get("/api/credits/balance?customer=all-0")).status == 200
                clients.keys = keys
                # What came later than the backup may be new here, and life goes on.
                await clients.grant("all-0", "5", "later")
                assert (await work(clients, 8, lambda load: load.wait_for(200))).acknowledged >= 200
        assert_verified(new.database)
    assert len(known) >= 500
