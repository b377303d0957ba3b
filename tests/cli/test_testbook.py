"""The test book, emptied from the command line."""

import pytest

from tests.cli.conftest import Inside

pytestmark = pytest.mark.pg


def grant(inside: Inside, book: str) -> None:
    done = inside("credits", "grant", "--customer", "alice", "--amount", "5", "--reason", "x",
                  "--book", book)  # fmt: skip
    assert done.code == 0, done.err


def balance(inside: Inside, book: str) -> str:
    shown = inside("credits", "balance", "--customer", "alice", "--book", book, "--json")
    return shown.json["balance"]


def test_it_is_emptied_when_one_means_it(inside: Inside):
    for book in ("live", "test"):
        grant(inside, book)
    asked = inside("book", "reset", "test")
    assert (asked.code, asked.out) == (2, "")
    assert "--yes" in asked.err
    assert balance(inside, "test") == "5"
    done = inside("book", "reset", "test", "--yes", "--idempotency-key", "once")
    assert done.code == 0
    assert done.out == (
        "The book test is empty: 1 customers, 1 accounts and 1 movements are gone.\n"
    )
    assert (balance(inside, "live"), balance(inside, "test")) == ("5", "0")
    grant(inside, "test")
    again = inside("book", "reset", "test", "--yes", "--idempotency-key", "once", "--json")
    assert (again.json["movements"], balance(inside, "test")) == (1, "5")
    assert inside("verify", "--full").code == 0


@pytest.mark.parametrize("book", ["live", "other"])
def test_no_other_is(inside: Inside, book: str):
    grant(inside, "live")
    refused = inside("book", "reset", book, "--yes", COMPTOIR_LOCALE="fr")
    assert (refused.code, refused.out) == (5, "")
    assert refused.err.count("\n") == 1
    assert balance(inside, "live") == "5"


def test_help_names_the_command(inside: Inside):
    assert "comptoir book reset test --yes" in inside("book", "reset", "--help").out
    assert "reset" in inside("book", "--help").out
