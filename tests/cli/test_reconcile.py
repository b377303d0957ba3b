"""`comptoir reconcile` finds what was lost or doubled, says so in words, and mends it."""

import asyncio
from pathlib import Path

import pytest

from comptoir.domains.payments import queries
from comptoir.flows import crediting, paying
from comptoir.flows.purchase import Begun
from comptoir.store.pool import begin
from tests.cli.conftest import Ended, Inside
from tests.support.postgres import Database
from tests.support.sandbox import KEY, provider
from tests.support.shop import LIVE, Shop
from tests.support.shop import shop as opened

pytestmark = pytest.mark.pg
PAID = 100_000_000


async def _double(shop: Shop, begun: Begun) -> None:
    """Grant a purchase once more, past all that keeps that from happening."""
    async with begin(shop.app.pool) as tx:
        payment = await queries.lock(tx, LIVE, begun.id)
        bought = await queries.purchase(tx, LIVE, begun.id)
        assert payment is not None
        assert bought is not None
        gift = paying.gift_of(payment, bought, again="once more")
        await crediting.give(tx, shop.till, LIVE, gift)


async def test_what_is_wrong_is_found_said_and_mended(
    inside: Inside, database: Database, tmp_path: Path
):
    with provider() as stripe:
        at = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": stripe.base}

        async def run(*arguments: str, **more: str) -> Ended:
            return await asyncio.to_thread(inside, "reconcile", *arguments, **at, **more)

        async with opened(database, tmp_path, stripe) as shop:
            fine = await run()
            assert (fine.code, fine.out.splitlines()[-1]) == (0, "All is as it should be.")

            begun = await shop.buy()
            shop.pay(begun)
            lost = await run()
            assert lost.code == 0, lost.out
            assert "(payment_intent.succeeded) never came; it was fetched. It is men" in lost.out
            assert lost.out.splitlines()[-1].endswith("all of them mended; 0 left.")
            assert (await shop.status(begun), shop.balance()) == ("granted", PAID)

            shop.sql("DELETE FROM comptoir.inbox WHERE type = 'payment_intent.succeeded'")
            deleted = (await run("--json")).json
            assert [each["code"] for each in deleted["findings"]] == ["event-lost"]
            assert shop.balance() == PAID, "once"

            await _double(shop, begun)
            assert shop.balance() == 2 * PAID
            found = await run(COMPTOIR_LOCALE="fr")
            assert found.code == 3
            assert "existent deux fois" in found.out
            assert "relancez avec --fix" in found.out
            assert shop.balance() == 2 * PAID, "only found"
            mended = await run("--fix")
            assert mended.code == 0
            assert "are there twice" in mended.out
            assert shop.balance() == PAID
            assert (await run("--json", "--fix")).json["findings"] == []
            await shop.balanced()


async def test_a_time_that_is_none_and_no_stripe(inside: Inside):
    wrong = await asyncio.to_thread(inside, "reconcile", "--since", "yesterday")
    assert wrong.code == 2
    assert "since" in wrong.err
    nobody = await asyncio.to_thread(inside, "reconcile", "--since", "2026-01-01T00:00:00Z")
    assert nobody.code == 4
    assert "STRIPE_SECRET_KEY" in nobody.err
