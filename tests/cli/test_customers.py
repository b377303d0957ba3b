"""Customers from the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Inside, Shell
from tests.support.postgres import Database
from tests.support.remains import remains

pytestmark = pytest.mark.pg

ZOE = ("--customer", "zoé@example.org")


def make_zoe(inside: Inside) -> None:
    made = inside(
        "customer", "set", *ZOE, "--name", "Zoé", "--email", "zoe@example.org", "--time-zone",
        "Europe/Paris", "--locale", "fr", "--metadata", "campaign=spring", "--metadata", "a=b=c",
        "--json",
    )  # fmt: skip
    assert (made.code, made.err) == (0, "")
    assert made.json["metadata"] == {"campaign": "spring", "a": "b=c"}


def grant(inside: Inside, *more: str) -> None:
    done = inside("credits", "grant", *ZOE, "--amount", "5", "--reason", "for Zoé", *more)
    assert done.code == 0, done.err


def test_one_life(inside: Inside, database: Database, tmp_path: Path):
    make_zoe(inside)
    grant(inside)
    shown = inside("customer", "show", *ZOE)
    assert "Zoé zoe@example.org (fr, Europe/Paris)" in shown.out
    assert "campaign: spring" in shown.out
    listed = inside("customer", "list", "--json").json
    assert [each["customer"] for each in listed["items"]] == [ZOE[1]]
    assert ZOE[1] in inside("customer", "list").out
    changed = inside("customer", "set", *ZOE, "--name", "Zoé B.", "--json").json
    assert (changed["name"], changed["email"]) == ("Zoé B.", "zoe@example.org")

    printed = inside("customer", "export", *ZOE, "--json")
    file = tmp_path / "zoe.json"
    written = inside("customer", "export", *ZOE, "--output", str(file))
    assert (written.code, written.out) == (0, "")
    assert file.name in written.err
    assert file.stat().st_mode & 0o077 == 0
    whole = json.loads(file.read_text())
    assert whole | {"exported_at": None} == printed.json | {"exported_at": None}
    assert whole["accounts"][0]["movements"][0]["reason"] == "for Zoé"

    asked = inside("customer", "erase", *ZOE)
    assert (asked.code, asked.out) == (2, "")
    assert "--yes" in asked.err
    assert inside("customer", "show", *ZOE).code == 0
    erased = inside("customer", "erase", *ZOE, "--yes", "--idempotency-key", "one", "--json")
    assert (erased.code, erased.err) == (0, "")
    assert (erased.json["movements"], erased.json["left"]) == (
        1, [{"asset": "credits", "balance": "5"}],
    )  # fmt: skip
    again = inside("customer", "erase", *ZOE, "--yes", "--idempotency-key", "one", "--json")
    assert again.json == erased.json
    assert remains(database.superuser_url, ["zoé", "zoe@", "spring"]) == []
    gone = inside("customer", "show", *ZOE, "--json")
    assert (gone.code, gone.out) == (5, "")
    assert inside("verify", "--full").code == 0


def test_words_for_people(inside: Inside):
    make_zoe(inside)
    grant(inside)
    erased = inside("customer", "erase", *ZOE, "--yes", COMPTOIR_LOCALE="fr")
    assert "1 mouvements restent, 1 textes ont disparu." in erased.out
    assert "contient encore 5 credits" in erased.out


def test_open_holds_are_in_the_way(inside: Inside):
    make_zoe(inside)
    grant(inside)
    inside("credits", "hold", *ZOE, "--amount", "1", "--ttl-seconds", "600")
    refused = inside("customer", "erase", *ZOE, "--yes")
    assert (refused.code, refused.out) == (5, "")
    assert "1 open holds" in refused.err


def test_a_file_is_whole_or_not_there(inside: Inside, tmp_path: Path):
    """Whatever was there before stays when there is nothing to write."""
    file = tmp_path / "somebody.json"
    file.write_text("before")
    refused = inside("customer", "export", "--customer", "nobody", "--output", str(file))
    assert refused.code == 5
    assert file.read_text() == "before"
    assert list(tmp_path.glob("*.part")) == []
    nowhere = inside("customer", "export", *ZOE, "--output", str(tmp_path / "no" / "file"))
    assert nowhere.code == 4
    assert nowhere.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--email", "nobody"), "email"),
        (("--time-zone", "Mars/Base"), "time_zone"),
        (("--locale", "french"), "locale"),
        (("--name", ""), "name"),
        (("--metadata", "word"), "NAME=VALUE"),
    ],
)
def test_what_cannot_be_set(inside: Inside, options: tuple[str, ...], word: str):
    ended = inside("customer", "set", *ZOE, *options)
    assert (ended.code, ended.out) == (2, "")
    assert word in ended.err
    assert inside("customer", "list", "--json").json["items"] == []


def test_pages_and_books(inside: Inside):
    for n in range(3):
        inside("customer", "set", "--customer", f"c{n}", "--book", "test")
    first = inside("customer", "list", "--book", "test", "--limit", "2")
    assert ("c1" in first.out, "c2" in first.out) == (True, False)
    cursor = first.err.rpartition("--cursor ")[2].strip()
    rest = inside("customer", "list", "--book", "test", "--cursor", cursor, "--json").json
    assert [each["customer"] for each in rest["items"]] == ["c2"]
    assert inside("customer", "list", "--json").json["items"] == []


def test_a_process_of_its_own_exports(shell: Shell):
    made = shell("customer", "set", "--customer", "alice", "--name", "Alice")
    assert made.code == 0
    found = shell("customer", "export", "--customer", "alice")
    assert (found.json["customer"]["name"], found.json["complete"]) == ("Alice", True)
