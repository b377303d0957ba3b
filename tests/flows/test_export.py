"""What a customer's export says of what he paid: the journal and the payments name each other."""

import json

import pytest

from comptoir.flows.export import exporting
from comptoir.web.export import pieces
from tests.support.reader import Reader
from tests.support.shop import Shop

pytestmark = pytest.mark.pg


async def test_what_was_brought_says_by_which_payment(shop: Shop, reader: Reader) -> None:
    begun = await shop.buy()
    shop.pay(begun)
    await reader.begin()
    await shop.hear(times=2, seed=1)
    intent = shop.sql("SELECT intent FROM comptoir.payments WHERE purpose = 'pack'")[0][0]
    shop.provider.v1.refunds.create({"payment_intent": intent, "amount": 950})
    await shop.hear()
    async with exporting(shop.app.pool, shop.app.directory, 1, "alice") as export:
        found = json.loads(b"".join([piece async for piece in pieces(export)]))
    by = {each["purpose"]: each for each in found["payments"]}
    pack, plan = by["pack"], by["invoice"]
    assert (pack["id"], pack["intent"], pack["refunded"]) == (str(begun.id), intent, 950)
    assert (pack["purchase"]["pack"], pack["purchase"]["credits"]) == ("100", "100")
    assert (plan["received"], plan["purchase"]) == (2900, None)
    [account] = found["accounts"]
    lines = {each["kind"]: each["reference"] for each in account["movements"]}
    assert (lines["purchase"], lines["allowance"]) == (intent, plan["invoice"])
    assert lines["refund"].startswith("re_")
    assert {each["reference"] for each in account["lots"]} == {intent, plan["invoice"]}
    assert [each["id"] for each in found["subscriptions"]] == [reader.subscription]
