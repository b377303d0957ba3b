"""Balances from the command line: the same checks, answers and words as over HTTP."""

from typing import Any

import pytest

from tests.cli.conftest import Ended, Inside, Shell

pytestmark = pytest.mark.pg


def grant(inside: Inside, amount: str = "100", *more: str) -> Ended:
    why = ("--reason", "gift")
    return inside("credits", "grant", "--customer", "alice", "--amount", amount, *why, *more)


def spend(inside: Inside, amount: str, *more: str) -> Ended:
    return inside("credits", "spend", "--customer", "alice", "--amount", amount, *more)


def balance(inside: Inside, *more: str) -> Any:  # noqa: ANN401  # whatever it printed
    return inside("credits", "balance", "--customer", "alice", "--json", *more).json


def test_as_processes_of_their_own(shell: Shell):
    reason = ("--reason", "gift", "--json")
    done = shell("credits", "grant", "--customer", "alice", "--amount", "5", *reason)
    assert done.code == 0
    assert done.json["balance"]["balance"] == "5"
    assert done.json["movement"]["kind"] == "grant"
    refused = shell("credits", "spend", "--customer", "alice", "--amount", "6")
    assert (refused.code, refused.out) == (5, "")


def test_grant_spend_and_read(inside: Inside):
    assert grant(inside).code == 0
    spent = spend(inside, "0.25", "--model", "large", "--cost", "0.01", "--json")
    assert spent.json["movement"]["amount"] == "-0.25"
    assert spent.json["balance"] == balance(inside)
    said = inside("credits", "balance", "--customer", "alice")
    assert "alice has 99.75 credits: 99.75 available, 0 held, 0 owed." in said.out


def test_a_low_balance_says_so(inside: Inside):
    grant(inside)
    spend(inside, "90")
    assert "That is little." in inside("credits", "balance", "--customer", "alice").out
    assert balance(inside)["low"] is True


def test_a_made_key_is_shown_before_it_is_used(inside: Inside):
    done = grant(inside)
    assert done.err.startswith("Idempotency-Key: ")
    key = done.err.split()[1]
    again = grant(inside, "100", "--idempotency-key", key)
    assert again.out == done.out
    assert again.err == ""
    assert balance(inside)["balance"] == "100"


def test_a_repeat_happens_once_and_another_request_is_refused(inside: Inside):
    grant(inside)
    key = ("--idempotency-key", "order-1", "--json")
    first = spend(inside, "5", *key)
    assert spend(inside, "5.00", *key).json == first.json
    other = spend(inside, "6", *key)
    assert other.code == 5
    assert "amount" in other.err
    assert balance(inside)["balance"] == "95"


def test_refusals_read_as_over_http_in_both_languages(inside: Inside):
    grant(inside, "3")
    english = spend(inside, "5")
    french = inside(
        "credits", "spend", "--customer", "alice", "--amount", "5", COMPTOIR_LOCALE="fr"
    )
    assert english.code == french.code == 5
    assert "5 needed, 3 available" in english.err
    assert "5 requis, 3 disponibles" in french.err


@pytest.mark.parametrize("amount", ["0", "-1", "1e30", "NaN", "0.0000001", "1,5", "x" * 20])
def test_amounts_that_no_books_accept(inside: Inside, amount: str):
    ended = inside("credits", "grant", "--customer", "a", f"--amount={amount}", "--reason", "x")
    assert ended.code == 2
    assert "amount" in ended.err
    assert inside("credits", "transactions", "--customer", "a", "--json").json["items"] == []


def test_unknown_names(inside: Inside):
    assert spend(inside, "5", "--asset", "gold").code == 5
    assert spend(inside, "5", "--book", "paper").code == 5
    assert inside("credits", "spend", "--customer", "a", "--action", "fly").code == 5
    assert inside("credits", "capture", "--hold", "hold_7").code == 5


def test_a_hold_from_beginning_to_end(inside: Inside):
    grant(inside)
    held = inside(
        "credits", "hold", "--customer", "alice", "--amount", "40", "--ttl-seconds", "600", "--json"
    ).json["hold"]
    assert held["state"] == "open"
    assert balance(inside)["available"] == "60"
    part = inside(
        "credits", "capture", "--hold", held["id"], "--amount", "10", "--keep-open", "--json"
    )
    assert part.json["balance"]["held"] == "30"
    released = inside("credits", "release", "--hold", held["id"])
    assert f"{held['id']} (released): alice has 90 credits, 90 available." in released.out
    closed = inside("credits", "capture", "--hold", held["id"])
    assert closed.code == 5


def test_capture_closes_a_hold(inside: Inside):
    grant(inside)
    held = inside("credits", "hold", "--customer", "alice", "--amount", "40", "--ttl-seconds", "60")
    name = held.out.split()[0]
    captured = inside("credits", "capture", "--hold", name, "--amount", "15")
    assert "capture -15: alice has 85 credits, 85 available." in captured.out


def test_lists(inside: Inside):
    grant(inside, "10", "--priority", "1", "--expires-at", "2090-01-01T00:00:00Z")
    grant(inside, "20")
    spend(inside, "4")
    lots = inside("credits", "lots", "--customer", "alice", "--json").json["items"]
    assert [(lot["left"], lot["priority"]) for lot in lots] == [("6", 1), ("20", 50)]
    shown = inside("credits", "lots", "--customer", "alice").out
    assert "2090-01-01T00:00:00" in shown
    page = inside("credits", "transactions", "--customer", "alice", "--limit", "2")
    assert page.out.count("gift") == 1
    cursor = page.err.split()[-1]
    rest = inside("credits", "transactions", "--customer", "alice", "--cursor", cursor, "--json")
    assert [item["amount"] for item in rest.json["items"]] == ["10"]
    assert rest.json["next_cursor"] is None
    kinds = inside("credits", "transactions", "--customer", "alice", "--kind", "spend", "--json")
    assert [item["kind"] for item in kinds.json["items"]] == ["spend"]
    french = inside("credits", "transactions", "--customer", "alice", COMPTOIR_LOCALE="fr").out
    assert "dépense" in french


@pytest.mark.parametrize(
    "wrong",
    [("--kind", "theft"), ("--cursor", "x"), ("--from", "yesterday"), ("--asset", "GOLD")],
    ids=lambda pair: pair[0],
)
def test_queries_are_checked(inside: Inside, wrong: tuple[str, str]):
    grant(inside)
    ended = inside("credits", "transactions", "--customer", "alice", *wrong)
    assert ended.code == 2
    assert ended.err.count("\n") == 1


def test_an_unprintable_key_is_refused(inside: Inside):
    ended = spend(inside, "5", "--idempotency-key", "a\udcffb")
    assert ended.code == 2


def test_the_test_book_is_another_book(inside: Inside):
    grant(inside)
    assert balance(inside, "--book", "test")["balance"] == "0"
