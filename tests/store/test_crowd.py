"""Accounts of many customers, opened at once."""

import asyncio

import pytest

from comptoir.store.crowd import open_accounts
from tests.support.batches import assert_verified, open_shop
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


async def test_who_lacks_an_account_gets_one_and_the_others_keep_theirs(database: Database):
    async with open_shop(database) as shop:
        pool = shop.directory._pool
        bob = await shop.account("bob")
        stranger = await shop.directory.customer(shop.book, "no-account-yet")
        names = ["carol", "bob", "no-account-yet", "carol"]
        opened = await open_accounts(pool, shop.book, shop.asset, names)
        assert opened.keys() == set(names)
        assert opened["bob"] == bob
        assert await open_accounts(pool, shop.book, shop.asset, names) == opened
        assert await shop.account("carol") == opened["carol"]
        assert await shop.directory.customer(shop.book, "no-account-yet") == stranger
        assert await open_accounts(pool, shop.book, shop.asset, []) == {}
    assert_verified(database)


@pytest.mark.race
async def test_who_open_the_same_at_once_get_the_same(database: Database):
    async with open_shop(database) as shop:
        pool = shop.directory._pool
        names = [f"c{n}" for n in range(300)]
        one, two = await asyncio.gather(
            open_accounts(pool, shop.book, shop.asset, names),
            open_accounts(pool, shop.book, shop.asset, names[::-1]),
        )
        assert one == two
        assert one.keys() == set(names)
    assert_verified(database)
