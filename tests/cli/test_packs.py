"""`comptoir pack`: a catalogue goes into the books, then to Stripe, and is shown."""

from pathlib import Path

import pytest

from tests.cli.conftest import Inside
from tests.support.sandbox import KEY, provider

pytestmark = pytest.mark.pg

CATALOGUE = """
version = {version}

[[packs]]
id = "50"
name = {{ en = "50 credits", fr = "50 crédits" }}
credits = "50"
amount = {amount}
tax_percent = "20"
"""


def written(folder: Path, version: int, amount: int) -> str:
    path = folder / f"catalogue-{version}.toml"
    path.write_text(CATALOGUE.format(version=version, amount=amount))
    return str(path)


def test_seeding_twice_changes_nothing(inside: Inside):
    first = inside("pack", "seed", "--json").json
    assert {"pack:100", "plan:pro:year", "price:ai.generate"} <= set(first["changed"])
    assert inside("pack", "seed", "--json").json == {"version": 1, "changed": []}
    again = inside("pack", "seed")
    assert (again.code, again.out) == (0, "")
    assert "was in force already" in again.err


def test_a_file_of_ones_own(inside: Inside):
    folder = inside.shell.folder
    assert inside("pack", "seed", written(folder, 2, 1200)).out.split() == ["pack:50"]
    [pack] = inside("pack", "list", "--json").json["packs"]
    assert pack["tax"] == {
        "percent": "20", "included": True, "without_tax": 1000, "with_tax": 1200,
    }  # fmt: skip
    shown = inside("pack", "list", COMPTOIR_LOCALE="fr").out
    assert "12,00 EUR" in shown
    assert "10,00 EUR" in shown
    older = inside("pack", "seed", written(folder, 1, 900))
    assert (older.code, older.out) == (5, "")
    assert "raise its version" in older.err
    assert inside("pack", "list", "--json").json["packs"] == [pack]


def test_a_file_that_cannot_be(inside: Inside):
    refused = inside("pack", "seed", written(inside.shell.folder, 3, -5))
    assert refused.code == 5
    assert "amount" in refused.err
    nowhere = inside("pack", "seed", "nowhere.toml")
    assert nowhere.code == 5
    assert "nowhere.toml" in nowhere.err


def test_pushing_twice_makes_each_price_once(inside: Inside):
    inside("pack", "seed", "--book", "test")
    nobody = inside("pack", "push", "--book", "test")
    assert nobody.code == 4
    assert "STRIPE_SECRET_KEY" in nobody.err
    with provider() as stripe:
        at = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": stripe.base}
        first = inside("pack", "push", "--book", "test", "--json", **at).json["items"]
        again = inside("pack", "push", "--book", "test", "--json", **at).json["items"]
        there = {each.id: each for each in stripe.v1.prices.list({"limit": 100}).data}
        assert "was there" in inside("pack", "push", "--book", "test", **at).out
    assert [each["new"] for each in first] == [True] * 7
    assert again == [each | {"new": False} for each in first]
    assert len(there) == 7
    for each in first:
        assert each["price"]["amount"] == there[each["provider_price"]].unit_amount
    yearly = next(each for each in first if each["item"] == "plan:pro:year")
    assert there[yearly["provider_price"]].recurring.interval == "year"
