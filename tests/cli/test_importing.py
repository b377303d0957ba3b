"""Imports from the command line, on a real database: what is told is what the books hold."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from tests.cli.conftest import Ended, Inside, Shell
from tests.support.batches import assert_verified, rows
from tests.support.postgres import Database

pytestmark = pytest.mark.pg
EXAMPLES = Path(__file__).with_name("imports")

SUM = """SELECT coalesce(sum(a.posted), 0)::bigint, count(*) FROM comptoir.accounts a
    JOIN comptoir.assets s ON (s.book_id, s.id) = (a.book_id, a.asset_id)
    WHERE a.bounded AND a.book_id = 1 AND s.code = %s"""

BALANCES = """SELECT c.customer, a.posted FROM comptoir.accounts a
    JOIN comptoir.customers c ON (c.book_id, c.id) = (a.book_id, a.customer_id)
    ORDER BY c.customer"""

NOTES = """SELECT m.kind, m.amount, n.reason, n.reference, n.metadata FROM comptoir.movements m
    JOIN comptoir.customers c ON c.customer = %s AND c.book_id = m.book_id
    JOIN comptoir.accounts a
        ON (a.book_id, a.id, a.customer_id) = (m.book_id, m.account_id, c.id)
    LEFT JOIN comptoir.notes n
        ON (n.book_id, n.account_id, n.version) = (m.book_id, m.account_id, m.version)
    ORDER BY m.version"""

COUNTS: tuple[LiteralString, ...] = (
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.customers",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.accounts",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.movements",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.requests",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.lots",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.notes",
    "SELECT count(*), sum(xmin::text::bigint) FROM comptoir.settings",
    "SELECT last_value, 0 FROM comptoir.accounts_id_seq",
    "SELECT last_value, 0 FROM comptoir.customers_id_seq",
)


def write(inside: Inside, name: str, text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    (inside.shell.folder / name).write_bytes(raw)
    return name


def bring(inside: Inside, *arguments: str, **more: str) -> Ended:
    return inside("credits", "import", *arguments, **more)


def told(inside: Inside, *arguments: str) -> dict[str, Any]:
    return bring(inside, *arguments, "--json").json


def counts(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is not zero."""
    names = (
        "new", "there", "zero", "left_out", "conflicts", "refused", "invalid", "mismatched",
    )  # fmt: skip
    return {name: report[name] for name in names if report[name]}


def assert_adds_up(database: Database, report: Mapping[str, Any], asset: str = "credits") -> None:
    """The balances by SQL are the report of an import into empty books."""
    [(units, _)] = rows(database.superuser_url, SUM, asset)
    scale = 6 if asset == "credits" else 0
    assert Decimal(units).scaleb(-scale) == Decimal(report["change"])
    assert Decimal(report["granted"]) - Decimal(report["spent"]) == Decimal(report["change"])
    assert_verified(database)


def balances(database: Database) -> dict[str, int]:
    return dict(rows(database.superuser_url, BALANCES))


def state(database: Database) -> list[Any]:
    return [rows(database.superuser_url, query) for query in COUNTS]


def test_a_column_of_a_users_table(inside: Inside, database: Database):
    file = str(EXAMPLES / "users.csv")
    said = ("--map", "id=customer", "--map", "ai_credits=amount")
    report = told(inside, file, *said)
    assert counts(report) == {"new": 2, "zero": 1}
    assert report["columns"] == {"customer": "id", "amount": "ai_credits"}
    assert report["unread"] == ["email", "name", "created_at"]
    assert (report["lines"], report["customers"], report["change"]) == (3, 3, "112.5")
    assert_adds_up(database, report)
    assert balances(database) == {"52cc": 12_500_000, "9b1d": 100_000_000}
    again = told(inside, file)
    assert counts(again) == {"there": 2, "zero": 1}, "the obvious names are enough"
    assert again["change"] == "0"
    source = {"import": "import"}
    assert rows(database.superuser_url, NOTES, "9b1d") == [
        ("grant", 100_000_000, "Opening balance", "import:import", source)
    ]


def test_objects_of_a_redis(inside: Inside, database: Database):
    file = str(EXAMPLES / "redis.jsonl")
    report = told(inside, file, "--format", "redis-json")
    assert (report["asset"], report["change"]) == ("tokens", "1997")
    assert counts(report) == {"new": 2, "zero": 1}
    assert "transactions" in report["unread"]
    assert_adds_up(database, report, "tokens")
    assert balances(database) == {"alice": 1000, "test-user-id": 997}


@pytest.mark.parametrize("name", ["history.csv", "history.jsonl"])
def test_a_history(inside: Inside, database: Database, name: str):
    report = told(inside, str(EXAMPLES / name), "--source", "old-app")
    assert list(counts(report)) == ["new"]
    assert_adds_up(database, report)
    again = told(inside, str(EXAMPLES / name), "--source", "old-app")
    assert counts(again) == {"there": report["new"]}


def test_a_movement_of_a_history_keeps_its_words_and_its_time(inside: Inside, database: Database):
    told(inside, str(EXAMPLES / "history.csv"), "--source", "old-app")
    assert balances(database) == {"alice": 144_750_000, "bob": 20_000_000}
    [opened, pack, image, answer] = rows(database.superuser_url, NOTES, "alice")
    assert opened[:4] == ("grant", 50_000_000, "Opening balance", "import:old-app")
    assert pack == (
        "grant", 100_000_000, "Pack 100", "pi_3Q",
        {"import": "old-app", "happened_at": "2026-01-05T08:00:00Z"},
    )  # fmt: skip
    assert image[:4] == ("spend", -5_000_000, "One image", "img-1")
    assert answer[4]["happened_at"] == "2026-01-07T10:00:01Z"
    listed = inside("credits", "transactions", "--customer", "alice", "--json").json["items"]
    assert [each["reason"] for each in listed][-2:] == ["Pack 100", "Opening balance"]


def test_a_dry_run_says_the_same_and_changes_nothing(inside: Inside, database: Database):
    file = str(EXAMPLES / "history.csv")
    inside("credits", "grant", "--customer", "carol", "--amount", "1", "--reason", "gift")
    before = state(database)
    dry = told(inside, file, "--dry-run")
    assert state(database) == before
    real = told(inside, file)
    assert state(database) != before
    for report in (dry, real):
        for name in ("dry_run", "seconds", "lines_per_second"):
            del report[name]
    assert dry == real


def test_a_dry_run_does_not_make_books(inside_bare: Inside):
    file = write(inside_bare, "users.csv", "id,credits\na,5\n")
    ended = bring(inside_bare, file, "--dry-run")
    assert ended.code == 4
    assert "comptoir migrate" in ended.err


def test_a_person_reads_totals_and_the_first_faults(inside: Inside):
    lines = [f"u{n},{'x' if n >= 10 else n}" for n in range(35)]
    file = write(inside, "users.csv", "\n".join(["id,credits", *lines]))
    ended = bring(inside, file)
    assert ended.code == 5
    table = {
        line.rsplit(maxsplit=1)[0].strip(): line.split()[-1] for line in ended.out.splitlines()
    }
    assert table["lines"] == "35"
    assert table["imported"] == "9"
    assert table["zero, skipped"] == "1"
    assert table["invalid"] == "25"
    assert table["granted"] == "45"
    assert "Read: customer = id, amount = credits." in ended.out
    assert "lines/s" in ended.out
    assert "line 12 (u10): x is no amount" in ended.err
    assert ended.err.count(" is no amount") == 20
    assert "... and 5 more; --json lists them." in ended.err
    again = bring(inside, file, "--json")
    assert again.code == 5
    assert len(again.json["faults"]) == 25
    assert again.json["faults"][0]["code"] == "import-amount"


def test_in_french(inside: Inside):
    file = write(inside, "users.csv", "id,credits\na,1e3\nb,-2\nc,5\n")
    ended = bring(inside, file, "--dry-run", COMPTOIR_LOCALE="fr")
    assert "À blanc vers credits, livre live, source import : rien n'a été changé." in ended.out
    assert "ligne 2 (a) : 1e3 n'est pas un montant" in ended.err
    assert "ligne 3 (b) : -2 est négatif." in ended.err
    missing = bring(inside, write(inside, "odd.csv", "a,b\n1,2\n"), COMPTOIR_LOCALE="fr")
    assert "Aucune colonne n'est reconnue comme customer ; il y a : a, b." in missing.err


def test_a_changed_amount_is_a_conflict_and_changes_nothing(inside: Inside, database: Database):
    bring(inside, write(inside, "users.csv", "id,credits\na,5\nb,6\n"))
    changed = told(inside, write(inside, "users.csv", "id,credits\na,7\nb,6\nc,8\n"))
    assert counts(changed) == {"new": 1, "there": 1, "conflicts": 1}
    [fault] = changed["faults"]
    assert (fault["line"], fault["customer"], fault["trouble"]) == (2, "a", "conflict")
    assert "amount" in fault["detail"]
    assert balances(database) == {"a": 5_000_000, "b": 6_000_000, "c": 8_000_000}


def test_the_name_of_the_file_does_not_matter_and_the_source_does(
    inside: Inside, database: Database
):
    text = "id,credits\na,5\n"
    bring(inside, write(inside, "one.csv", text))
    assert counts(told(inside, write(inside, "two.csv", text))) == {"there": 1}
    assert counts(told(inside, "two.csv", "--source", "other")) == {"new": 1}
    assert balances(database) == {"a": 10_000_000}


def test_lines_that_were_added_are_imported_alone(inside: Inside, database: Database):
    text = "customer,kind,amount\na,grant,5\nb,grant,3\na,spend,1\n"
    bring(inside, write(inside, "h.csv", text))
    more = told(inside, write(inside, "h.csv", text + "a,spend,4\nb,spend,1\nc,grant,2\n"))
    assert counts(more) == {"new": 3, "there": 3}
    assert (more["granted"], more["spent"]) == ("2", "5")
    assert balances(database) == {"a": 0, "b": 2_000_000, "c": 2_000_000}


def test_a_customer_is_imported_whole_or_not_at_all(inside: Inside, database: Database):
    text = (
        "customer,kind,amount,balance\n"
        "a,grant,5,\nb,grant,5,\nc,grant,5,\nd,grant,5,\n"
        "a,spend,9,\nb,spend,x,\nc,spend,1,3\nd,spend,1,4\n"
    )
    ended = bring(inside, write(inside, "h.csv", text), "--json")
    assert ended.code == 5
    report = ended.json
    assert counts(report) == {
        "new": 2, "left_out": 4, "refused": 1, "invalid": 1, "mismatched": 1,
    }  # fmt: skip
    assert [(fault["line"], fault["customer"]) for fault in report["faults"]] == [
        (6, "a"), (7, "b"), (8, "c"),
    ]  # fmt: skip
    assert balances(database) == {"d": 4_000_000}
    assert_adds_up(database, report)


def test_what_was_refused_for_want_of_credits_may_come_again(inside: Inside, database: Database):
    """A spend is judged before the ledger sees it, for the ledger would remember the refusal."""
    file = write(inside, "h.csv", "customer,kind,amount\na,spend,5\n")
    assert counts(told(inside, file)) == {"refused": 1}
    inside("credits", "grant", "--customer", "a", "--amount", "5", "--reason", "late")
    assert counts(told(inside, file)) == {"new": 1}
    assert balances(database) == {"a": 0}


def test_what_the_ledger_alone_can_refuse_is_told(inside: Inside, database: Database):
    """More grants with a reference of their own than an account may have open lots."""
    lines = [f"a,grant,1,r{n}" for n in range(1_001)] + ["b,grant,1,r"]
    text = "\n".join(["customer,kind,amount,reference", *lines])
    report = told(inside, write(inside, "h.csv", text))
    assert report["refused"] == 1
    assert report["faults"][0]["code"] == "too-many-lots"
    assert report["lines"] == sum(counts(report).values())
    assert_adds_up(database, report)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no lines"),
        (b"id,credits\n", "no lines"),
        (b"id,credits\na,5\n\xe9,6\n", "Line 3 is not UTF-8"),
        (b"id,credits\na,5\nb,\x00\n", "Line 3 contains a NUL"),
        (b'id,credits\na,5\nb,"6\n', "begins on line 3"),
        (b"name,credits\na,5\n", "known to be the customer"),
        (b"id,credits,credits\na,5,5\n", "twice"),
        (b"id,credits\na," + b"5" * 1_100_000 + b"\n", "Line 2 is longer than"),
    ],
    ids=["empty", "heading", "latin1", "nul", "quotes", "column", "twice", "long"],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    inside: Inside, database: Database, raw: bytes, said: str
):
    ended = bring(inside, write(inside, "users.csv", raw))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert balances(database) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.csv",), "No such file"),
        (("folder.csv",), "not a regular file"),
        (("pipe.csv",), "not a regular file"),
        (("users.txt",), "--format"),
        (("users.csv", "--source", "My App"), "--source"),
        (("users.csv", "--source", ""), "--source"),
        (("users.csv", "--map", "id"), "--map id"),
        (("users.csv", "--map", "=amount"), "--map"),
        (("users.csv", "--map", "id=customer", "--map", "id=amount"), "--map id=amount"),
        (("users.csv", "--map", "id=client"), "client is not a field"),
        (("users.csv", "--map", "gone=amount"), "no column gone"),
        (("users.csv", "--asset", "stock"), "Stock"),
        (("users.csv", "--format", "jsonl"), "No line"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_asked_for_in_a_way_that_cannot_be(inside: Inside, arguments: tuple[str, ...], said: str):
    write(inside, "users.csv", "id,credits\na,5\n")
    write(inside, "users.txt", "id,credits\na,5\n")
    (inside.shell.folder / "folder.csv").mkdir()
    os.mkfifo(inside.shell.folder / "pipe.csv")
    ended = bring(inside, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_names_that_the_books_do_not_have(inside: Inside):
    file = write(inside, "users.csv", "id,credits\na,5\n")
    assert bring(inside, file, "--asset", "gold").code == 5
    assert bring(inside, file, "--book", "paper").code == 5


def test_the_books_are_apart(inside: Inside, database: Database):
    file = write(inside, "users.csv", "id,credits\na,5\n")
    assert counts(told(inside, file, "--book", "test")) == {"new": 1}
    assert counts(told(inside, file)) == {"new": 1}
    assert counts(told(inside, file, "--asset", "tokens")) == {"new": 1}


@pytest.mark.slow
def test_an_account_that_somebody_keeps_locked_breaks_it_off(inside: Inside, database: Database):
    bring(inside, write(inside, "users.csv", "id,credits\na,5\n"))
    file = write(inside, "more.csv", "customer,kind,amount\na,grant,1\nb,grant,2\n")
    with psycopg.connect(database.superuser_url) as foreign:
        foreign.execute("SELECT 1 FROM comptoir.accounts WHERE customer_id IS NOT NULL FOR UPDATE")
        ended = bring(inside, file)
    assert ended.code == 4
    assert "locked" in ended.err
    assert "Broken off after 1 new lines." in ended.err
    assert balances(database) == {"a": 5_000_000, "b": 2_000_000}
    assert counts(told(inside, file)) == {"new": 1, "there": 1}
    assert balances(database) == {"a": 6_000_000, "b": 2_000_000}


def test_as_a_process_of_its_own_into_books_that_are_not_there_yet(bare: Shell):
    (bare.folder / "users.csv").write_bytes(b"\xef\xbb\xbfid;credits\r\na;5\r\n")
    ended = bare("credits", "import", "users.csv", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["new"] == 1
    shown = bare("credits", "balance", "--customer", "a")
    assert "a has 5 credits" in shown.out
