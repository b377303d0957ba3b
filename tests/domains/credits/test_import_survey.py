"""What an import would do: judged on the file itself and on what the books know."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.domains.credits.imports.asking import Keyed, Keys
from comptoir.domains.credits.imports.columns import Columns
from comptoir.domains.credits.imports.model import (
    Entry,
    Fault,
    Form,
    Import,
    Report,
    Trouble,
    Verb,
)
from comptoir.domains.credits.imports.survey import Books, Known, Survey
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import BALANCE_MAX, IMPORT_FAULTS
from comptoir.ledger.outcomes import Outcome

WANTED = Import("tokens", "old", Form.CSV)
COLUMNS = Columns({}, {"customer": "customer", "amount": "amount"}, ())
NOTHING = Books({}, {})


def opening(line: int, customer: str, units: int, **more: object) -> Entry:
    return replace(Entry(line, Verb.OPENING, customer, units), **more)


def grant(line: int, customer: str, units: int, **more: object) -> Entry:
    return replace(Entry(line, Verb.GRANT, customer, units), **more)


def spend(line: int, customer: str, units: int, **more: object) -> Entry:
    return replace(Entry(line, Verb.SPEND, customer, units), **more)


def keyed(*entries: Entry, wanted: Import = WANTED, book: int = 1) -> list[Keyed]:
    return Keys(book, wanted).give(entries)


def judged(*entries: Entry, books: Books = NOTHING) -> Report:
    survey = Survey(0)
    for each in keyed(*entries):
        survey.judge(each, books)
    survey.close()
    return survey.report(COLUMNS)


def known(*entries: Entry, outcome: Outcome = Outcome.CREATED) -> dict[bytes, Known]:
    return {each.id: Known(each.mark, outcome) for each in keyed(*entries)}


def codes(report: Report) -> list[tuple[int, str, str]]:
    return [(f.line, f.trouble.value, f.error.code) for f in report.faults.shown]


def figures(report: Report) -> tuple[int, int, int, int]:
    return report.new, report.there, report.zero, report.left_out


def test_new_lines_are_counted_and_summed():
    report = judged(opening(1, "a", 5), opening(2, "b", 0), grant(3, "a", 2), spend(4, "a", 4))
    assert figures(report) == (3, 0, 1, 0)
    assert (report.lines, report.customers, report.granted, report.spent) == (4, 2, 7, 4)
    assert report.is_clean


def test_what_was_imported_before_is_there():
    before = (opening(1, "a", 5), grant(2, "a", 2))
    report = judged(*before, spend(3, "a", 7), books=Books(known(*before), {"a": 7}))
    assert figures(report) == (1, 2, 0, 0)


@pytest.mark.parametrize("units", [6, 4, 0])
def test_another_amount_under_a_known_line_is_a_conflict(units: int):
    report = judged(opening(9, "a", units), books=Books(known(opening(1, "a", 5)), {"a": 5}))
    assert codes(report) == [(9, "conflict", "import-conflict")]
    assert report.faults.shown[0].error.figures == {"field": "amount"}
    assert figures(report) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (spend(1, "a", 5), "op"),
        (grant(1, "a", 5, reason="why"), "reason"),
        (grant(1, "a", 5, reference="r"), "reference"),
        (grant(1, "a", 5, at="2026-01-01T00:00:00Z"), "metadata"),
    ],
)
def test_a_line_is_the_same_in_every_field(changed: Entry, field: str):
    report = judged(changed, books=Books(known(grant(1, "a", 5)), {"a": 5}))
    assert report.faults.shown[0].error.figures == {"field": field}


def test_lines_without_an_id_go_by_their_place_among_the_customers():
    """Lines of others between them change nothing; one taken out shows, and nothing is doubled."""
    lines = (grant(1, "a", 5), grant(2, "a", 6), grant(3, "a", 7))
    books = Books(known(*lines), {"a": 18})
    among = judged(lines[0], grant(2, "b", 1), replace(lines[1], line=3), lines[2], books=books)
    assert figures(among) == (1, 3, 0, 0)
    without = judged(lines[0], lines[2], books=books)
    assert codes(without) == [(3, "conflict", "import-conflict")]


def test_lines_with_an_id_go_by_it_in_any_order():
    lines = (grant(1, "a", 5, id="x"), grant(2, "a", 6, id="y"))
    report = judged(lines[1], lines[0], books=Books(known(*lines), {}))
    assert figures(report) == (0, 2, 0, 0)


def test_ids_of_lines_customers_and_places_never_meet():
    entries = (
        opening(1, "a", 1), opening(2, "id:7", 1), grant(3, "a", 1, id="7"), grant(4, "a", 1),
        grant(5, "1:a", 1), grant(6, "b", 1, id="nth:1:a"), opening(7, "opening:a", 1),
    )  # fmt: skip
    ids = {each.id for each in keyed(*entries)}
    elsewhere = {
        each.id
        for source, asset, book in (
            ("new", "tokens", 1),
            ("old", "credits", 1),
            ("old", "tokens", 2),
        )
        for each in keyed(*entries, wanted=Import(asset, source, Form.CSV), book=book)
    }
    assert len(ids) == len(entries)
    assert len(elsewhere) == 3 * len(entries)
    assert not ids & elsewhere


def test_a_customer_stands_in_a_file_once():
    report = judged(opening(1, "a", 5), opening(2, "b", 5), opening(3, "a", 5))
    assert codes(report) == [(3, "invalid", "import-customer-twice")]
    assert report.faults.shown[0].error.figures == {"first": 1}
    assert figures(report) == (1, 0, 0, 1), "the first line of the customer is left out too"


def test_an_id_stands_in_a_file_once():
    report = judged(grant(1, "a", 5, id="x"), grant(2, "b", 5, id="x"))
    assert codes(report) == [(2, "invalid", "import-id-twice")]
    assert figures(report) == (1, 0, 0, 0)


def test_a_spend_needs_what_the_books_and_the_file_give_before_it():
    report = judged(grant(1, "a", 2), spend(2, "a", 5), books=Books({}, {"a": 3}))
    assert figures(report) == (2, 0, 0, 0)
    early = judged(spend(1, "a", 5), grant(2, "a", 2), books=Books({}, {"a": 3}))
    assert codes(early) == [(1, "refused", "import-insufficient")]
    assert early.faults.shown[0].error.figures == {"needed": "5", "available": "3"}
    assert figures(early) == (0, 0, 0, 1)


def test_a_balance_has_a_limit():
    report = judged(grant(1, "a", 1), books=Books({}, {"a": BALANCE_MAX}))
    assert codes(report) == [(1, "refused", "balance-limit")]


def test_what_was_refused_before_is_refused_still():
    lines = (spend(1, "a", 5),)
    books = Books(known(*lines, outcome=Outcome.INSUFFICIENT), {"a": 50})
    assert codes(judged(*lines, books=books)) == [(1, "refused", "import-refused")]


def test_a_history_must_come_to_the_balance_that_it_gives():
    good = (opening(1, "a", 5), spend(2, "a", 2, final=3))
    bad = (opening(3, "b", 5), spend(4, "b", 2, final=4))
    report = judged(*good, *bad)
    assert codes(report) == [(4, "mismatch", "import-mismatch")]
    assert report.faults.shown[0].error.figures == {"total": "3", "final": "4"}
    assert report.faults.shown[0].customer == "b"
    assert figures(report) == (2, 0, 0, 2)
    assert (report.granted, report.spent) == (5, 2)


def test_of_running_balances_the_last_counts():
    report = judged(opening(1, "a", 5, final=5), spend(2, "a", 2, final=3))
    assert report.is_clean


def test_the_balance_counts_what_was_imported_before():
    before = (opening(1, "a", 5),)
    report = judged(*before, grant(2, "a", 2, final=7), books=Books(known(*before), {"a": 1}))
    assert report.is_clean


def test_a_line_that_makes_no_sense_leaves_its_customer_out():
    survey = Survey(0)
    [good, other] = keyed(grant(1, "a", 5), grant(2, "b", 5))
    survey.judge(good, NOTHING)
    survey.judge(other, NOTHING)
    survey.unreadable(Fault(3, Trouble.INVALID, Invalid("import-amount", value="x"), "a"))
    survey.unreadable(Fault(4, Trouble.INVALID, Invalid("import-json")))
    survey.close()
    report = survey.report(COLUMNS)
    assert figures(report) == (1, 0, 0, 1)
    assert report.lines == 4


def test_faults_are_all_counted_and_the_first_kept():
    survey = Survey(0)
    for line in range(IMPORT_FAULTS + 5):
        survey.unreadable(Fault(line, Trouble.INVALID, Invalid("import-json")))
    assert survey.faults.total == IMPORT_FAULTS + 5
    assert len(survey.faults.shown) == IMPORT_FAULTS


def test_notes_say_where_a_movement_comes_from():
    [first, line, own] = keyed(
        opening(1, "a", 5),
        grant(2, "a", 5, reason="Pack", at="2026-01-01T00:00:00Z"),
        opening(3, "b", 5, reason="Solde", reference="r-1"),
    )
    assert (first.note.reason, first.note.reference) == ("Opening balance", "import:old")
    assert (own.note.reason, own.note.reference) == ("Solde", "r-1")
    assert (line.note.reason, line.note.reference) == ("Pack", None)
    assert line.note.metadata == '{"happened_at":"2026-01-01T00:00:00Z","import":"old"}'


LINES = st.lists(
    st.tuples(
        st.sampled_from(Verb), st.sampled_from("abc"), st.integers(0, 4),
        st.none() | st.sampled_from("xyz"), st.none() | st.integers(0, 6),
    ),
    max_size=12,
)  # fmt: skip


def entries_of(drawn: Sequence[tuple[Verb, str, int, str | None, int | None]]) -> list[Entry]:
    return [
        Entry(line, verb, customer, units, None if verb is Verb.OPENING else id_, final=final)
        for line, (verb, customer, units, id_, final) in enumerate(drawn, 1)
    ]


@given(LINES, LINES, st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)))
def test_every_line_counts_once_and_no_faulty_customer_is_imported(
    before: list[tuple[Verb, str, int, str | None, int | None]],
    now: list[tuple[Verb, str, int, str | None, int | None]],
    available: dict[str, int],
):
    books = Books(known(*(each for each in entries_of(before) if each.units)), available)
    entries = entries_of(now)
    report = judged(*entries, books=books)
    counts = report.faults.counts
    of_lines = report.faults.total - counts[Trouble.MISMATCH]
    assert report.lines == len(entries) == sum(figures(report)) + of_lines
    faulty = {fault.customer for fault in report.faults.shown}
    fresh = [
        each.entry
        for each in keyed(*entries)
        if each.entry.customer not in faulty and each.id not in books.known
    ]
    assert report.granted - report.spent == sum(each.signed for each in fresh)
    assert report.new == sum(each.units > 0 for each in fresh)
    for customer in set("abc") - faulty:
        have = available.get(customer, 0)
        for each in fresh:
            have += each.signed if each.customer == customer else 0
            assert have >= 0, "no spend is imported that the ledger would refuse"
