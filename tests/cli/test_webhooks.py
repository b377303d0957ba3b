"""`comptoir webhook`: what has come, what it has done, and the same once more."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Inside
from tests.support.postgres import Database
from tests.support.sandbox import provider
from tests.support.shop import Shop
from tests.support.shop import shop as opened

pytestmark = pytest.mark.pg

Run = Callable[..., Awaitable[Ended]]


async def test_an_event_is_listed_shown_tried_and_replayed(
    inside: Inside, database: Database, tmp_path: Path
):
    async def run(*arguments: str, **more: str) -> Ended:
        return await asyncio.to_thread(inside, "webhook", *arguments, **more)

    with provider() as stripe:
        async with opened(database, tmp_path, stripe) as shop:
            shop.pay(await shop.buy())
            await shop.keep(shop.events("payment_intent.succeeded"))
            await _seen_before_its_effect(shop, run)
            await shop.work()
            await _seen_after_it(shop, run)


async def _seen_before_its_effect(shop: Shop, run: Run) -> None:
    [event] = (await run("list", "--json")).json["items"]
    assert (event["state"], event["type"]) == ("received", "payment_intent.succeeded")
    tried = await run("replay", "--id", event["id"], "--dry-run")
    assert "19.00 EUR came in; credits were granted" in tried.out
    french = await run("replay", "--id", event["id"], "--dry-run", COMPTOIR_LOCALE="fr")
    assert "19,00 EUR encaissés" in french.out
    assert shop.balance() == 0, "it was only tried"
    assert event["id"] in (await run("list", "--troubles")).out


async def _seen_after_it(shop: Shop, run: Run) -> None:
    assert (await run("list", "--troubles", "--json")).json["items"] == []
    [event] = (await run("list", "--state", "done", "--json")).json["items"]
    shown = await run("show", "--id", event["id"])
    assert "done after 1 attempts" in shown.out
    assert "It has done: 19.00 EUR came in" in shown.out
    assert '"object": "payment_intent"' in shown.out
    tried = await run("replay", "--id", event["id"], "--dry-run", "--json")
    assert tried.json == {"id": event["id"], "state": "dry-run", "effect": "nothing new"}

    again = await run("replay", "--id", event["id"])
    assert (again.code, shop.states()) == (0, {"received": 1})
    await shop.work()
    assert (shop.states(), shop.balance()) == ({"done": 1}, 100_000_000)
    unknown = await run("replay", "--id", "evt_nobody", "--dry-run")
    assert unknown.code == 5
    assert "no such event" in unknown.err
    assert (await run("list", "--state", "lost")).code == 2
