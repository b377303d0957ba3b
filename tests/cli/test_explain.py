"""Explaining a balance from the command line: figures, lots, holds, and movements in words."""

import pytest

from tests.cli.conftest import Ended, Inside

pytestmark = pytest.mark.pg


def call(inside: Inside, verb: str, *more: str, **environment: str) -> Ended:
    return inside("credits", verb, "--customer", "alice", *more, **environment)


def a_life(inside: Inside) -> None:
    call(inside, "grant", "--amount", "1000", "--reason", "gift")
    call(inside, "spend", "--amount", "5", "--model", "x")
    call(inside, "hold", "--amount", "8", "--ttl-seconds", "600", "--reason", "film")


def test_it_reads_from_the_figures_down_to_the_movements(inside: Inside):
    a_life(inside)
    done = call(inside, "explain")
    assert (done.code, done.err) == (0, "")
    assert "alice has 995 credits: 987 available, 8 held, 0 owed." in done.out
    assert "Spent 5 credits (model x), from the lot of " in done.out
    assert "1,000 before, 995 after." in done.out
    assert "From 0 to 995, the newest first:" in done.out
    order = [done.out.index(word) for word in ("Made of", "Set aside by", "From 0", "Spent 5")]
    assert order == sorted(order)


def test_it_speaks_french(inside: Inside):
    a_life(inside)
    said = call(inside, "explain", COMPTOIR_LOCALE="fr").out
    assert "Lots, par ordre de dépense :" in said
    assert "Retenues en cours :" in said
    assert "Dépense de 5 crédits (modèle x), sur le lot du " in said
    assert "1\u202f000 avant, 995 après." in said
    assert "Mise de côté de 8 crédits, « film », jusqu'au " in said


def test_at_a_past_time(inside: Inside):
    call(inside, "grant", "--amount", "10", "--reason", "gift")
    at = call(inside, "balance", "--json").json["updated_at"]
    call(inside, "spend", "--amount", "4")
    then = call(inside, "explain", "--at", at, "--json").json
    assert (then["balance"]["balance"], len(then["movements"])) == ("10", 1)
    assert call(inside, "balance", "--at", at, "--json").json == then["balance"]
    assert "alice has 10 credits" in call(inside, "balance", "--at", at).out
    assert f"At {at}:" in call(inside, "explain", "--at", at).out


def test_pages(inside: Inside):
    a_life(inside)
    first = call(inside, "explain", "--limit", "2")
    cursor = first.err.split()[-1]
    rest = call(inside, "explain", "--limit", "2", "--cursor", cursor, "--json").json
    assert [each["kind"] for each in rest["movements"]] == ["grant"]
    assert (rest["opening_balance"], rest["closing_balance"]) == ("0", "1000")


def test_of_nobody(inside: Inside):
    call(inside, "grant", "--amount", "10", "--reason", "gift")
    done = inside("credits", "explain", "--customer", "bob")
    assert done.code == 0
    assert "Nothing has ever happened here." in done.out


@pytest.mark.parametrize("verb", ["explain", "balance"])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--at", "yesterday"), "must be a time"),
        (("--at", "9000-01-01T00:00:00Z"), "future"),
        (("--asset", "gold"), "gold"),
    ],
    ids=["no time", "future", "asset"],
)
def test_what_cannot_be_asked(inside: Inside, verb: str, more: tuple[str, str], said: str):
    call(inside, "grant", "--amount", "10", "--reason", "gift")
    done = call(inside, verb, *more)
    assert done.code in (2, 5)
    assert said in done.err
    assert done.err.count("\n") == 1
