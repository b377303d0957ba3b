"""`comptoir price`: what is said there is what `charge` takes from then on."""

import pytest

from tests.cli.conftest import Inside

pytestmark = pytest.mark.pg

ACTION = ("--action", "ai.render")


def grant(inside: Inside, amount: str, key: str) -> None:
    said = ("--customer", "ann", "--amount", amount, "--reason", "gift", "--idempotency-key", key)
    assert inside("credits", "grant", *said).code == 0


def spend(inside: Inside, key: str) -> None:
    ended = inside("credits", "spend", "--customer", "ann", *ACTION, "--idempotency-key", key)
    assert ended.code == 0


def test_a_price_is_in_force_from_its_moment_on(inside: Inside):
    first = inside("price", "set", *ACTION, "--amount", "5", "--real-cost", "0.04", "--json").json
    assert (first["amount"], first["real_cost"], first["version"]) == ("5", "0.04", 1)
    grant(inside, "100", "grant")
    spend(inside, "at-five")
    inside("price", "set", *ACTION, "--amount", "7.5")
    spend(inside, "at-seven-and-a-half")
    balance = inside("credits", "balance", "--customer", "ann", "--json").json
    assert balance["balance"] == "87.5"


def test_the_same_again_is_no_new_version(inside: Inside):
    prices = [
        inside("price", "set", *ACTION, "--amount", amount, "--json").json
        for amount in ("5", "5.00", "6")
    ]
    assert [each["version"] for each in prices] == [1, 1, 2]
    assert prices[0] == prices[1]


def test_the_list_is_what_is_in_force(inside: Inside):
    inside("price", "set", *ACTION, "--amount", "5")
    inside("price", "set", *ACTION, "--amount", "8", "--real-cost", "0.02")
    inside("price", "set", "--action", "ai.upscale", "--amount", "2", "--asset", "tokens")
    [of_credits] = inside("price", "list", "--json").json["items"]
    assert (of_credits["action"], of_credits["amount"]) == ("ai.render", "8")
    [of_tokens] = inside("price", "list", "--asset", "tokens", "--json").json["items"]
    assert of_tokens["action"] == "ai.upscale"
    shown = inside("price", "list", COMPTOIR_LOCALE="fr").out
    assert "coût réel" in shown
    assert "0.02" in shown


def test_what_is_no_price_is_refused(inside: Inside):
    for wrong in (("--amount", "-1"), ("--amount", "5", "--real-cost", "much")):
        refused = inside("price", "set", *ACTION, *wrong)
        assert refused.code == 2, wrong
        assert "Traceback" not in refused.err
    refused = inside("price", "set", *ACTION, "--amount", "5", "--asset", "gold")
    assert refused.code == 5
    assert inside("price", "list", "--json").json["items"] == []
