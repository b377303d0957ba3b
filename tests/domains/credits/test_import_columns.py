"""Which column is what, and what a line says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.domains.credits.imports.columns import choose
from comptoir.domains.credits.imports.model import Entry, Fault, Form, Import, Record, Verb
from comptoir.kit.errors import Invalid

SCALE = 6


def wanted(form: Form = Form.CSV, columns: dict[str, str] | None = None) -> Import:
    return Import("credits", "test", form, columns or {})


def parsed(
    cells: dict[str, object], form: Form = Form.CSV, scale: int = SCALE, **columns: str
) -> Entry | Fault:
    chosen = choose(tuple(cells), wanted(form, columns))
    return chosen.entry(Record(7, cells), scale)


def entry(cells: dict[str, object], form: Form = Form.CSV, **columns: str) -> Entry:
    found = parsed(cells, form, SCALE, **columns)
    assert isinstance(found, Entry), found
    return found


def wrong(cells: dict[str, object], form: Form = Form.CSV, scale: int = SCALE) -> str:
    found = parsed(cells, form, scale)
    assert isinstance(found, Fault), found
    assert found.line == 7
    return found.error.code


@pytest.mark.parametrize(
    "cells",
    [
        {"id": "a", "ai_credits": "5"},
        {"id": "a", "aiCredits": "5", "email": "x", "created_at": "never", "reason": "\x00"},
        {"customer": "a", "amount": "5"},
        {"id": "9", "user_id": "a", "credits": "5"},
        {"userId": "a", "tokenBalance": "5"},
        {"id": "a", "balance": "5"},
        {"id": "a", "ai_credits": "5", "balance": "17"},
    ],
    ids="-".join,
)
def test_obvious_names_of_opening_balances(cells: dict[str, object]):
    assert entry(cells) == Entry(7, Verb.OPENING, "a", 5_000_000)
    assert entry(cells, Form.JSONL) == Entry(7, Verb.OPENING, "a", 5_000_000)


def test_obvious_names_of_a_history():
    cells: dict[str, object] = {
        "id": "9",
        "customer_id": "a",
        "kind": "Spend",
        "amount": "0.25",
        "created_at": "2026-01-01",
        "description": "why",
        "reference": "r-1",
        "balance": "17",
    }
    assert entry(cells) == Entry(
        7, Verb.SPEND, "a", 250_000, "9", "why", "r-1", "2026-01-01T00:00:00Z", 17_000_000
    )


def test_columns_that_the_caller_explains():
    day = "2026-01-01"
    cells: dict[str, object] = {"id": "a", "n": "5", "type": "spend", "no": "9", "when": day}
    said = {"id": "customer", "n": "amount", "type": "kind", "no": "id", "when": "at"}
    assert entry(cells, Form.CSV, **said) == Entry(
        7, Verb.SPEND, "a", 5_000_000, "9", at="2026-01-01T00:00:00Z"
    )


def test_an_explained_column_is_nothing_else_as_well():
    found = entry({"id": "a", "kind": "grant", "amount": "5"}, id="customer")
    assert (found.customer, found.id) == ("a", None)


def test_a_redis_object_has_its_customer_in_the_key():
    cells: dict[str, object] = {"key": "a", "tokenBalance": "5", "kind": "user", "id": "x"}
    assert entry(cells, Form.REDIS).customer == "a"
    assert entry(cells, Form.REDIS, id="customer").customer == "x"


@pytest.mark.parametrize(
    ("names", "columns", "code"),
    [
        (("a", "b"), {}, "import-no-column"),
        (("id",), {}, "import-no-column"),
        (("id", "kind", "amount"), {}, "import-no-column"),
        (("id", "credits", "amount"), {}, "import-ambiguous"),
        (("user_id", "customer", "amount"), {}, "import-ambiguous"),
        (("id", "amount"), {"gone": "customer"}, "import-column"),
        (("id", "amount"), {"id": "client"}, "import-no-field"),
        (("id", "no", "amount"), {"id": "customer", "no": "customer"}, "import-ambiguous"),
    ],
)
def test_columns_that_cannot_be_told(names: tuple[str, ...], columns: dict[str, str], code: str):
    with pytest.raises(Invalid, match=code):
        choose(names, wanted(Form.CSV, columns))


def test_what_is_not_read_is_known():
    columns = choose(("id", "email", "ai_credits", ""), wanted())
    assert columns.read == {"customer": "id", "amount": "ai_credits"}
    assert columns.unread == ("email",)


def test_messages_list_a_few_columns_only():
    with pytest.raises(Invalid) as error:
        choose([f"c{n}" for n in range(200)], wanted())
    assert str(error.value.figures["columns"]).endswith("c19, …")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("-1", "import-negative"),
        ("-0.5", "import-negative"),
        ("-x", "import-negative"),
        ("+5", "import-amount"),
        ("1e3", "import-amount"),
        ("NaN", "import-amount"),
        ("inf", "import-amount"),
        ("1,5", "import-amount"),
        (" 5", "import-amount"),
        ("5.", "import-amount"),
        (".5", "import-amount"),
        ("05", "import-amount"),
        ("٣", "import-amount"),
        ("0.30000000000000004", "import-amount"),
        ("1000000000000", "import-amount"),
        ("x" * 100_000, "import-amount"),
        ("", "import-cell-empty"),
        (None, "import-cell-empty"),
        (True, "import-not-text"),
        (["5"], "import-not-text"),
        ({"n": "5"}, "import-not-text"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_amounts_that_no_books_accept(amount: object, code: str):
    assert wrong({"customer": "a", "amount": amount}) == code


def test_an_amount_has_the_decimals_of_its_asset():
    assert wrong({"customer": "a", "amount": "1.5"}, scale=0) == "amount-too-precise"


@pytest.mark.parametrize("amount", ["0", "0.0", "0.000000", "-0", "0.000000000000000"])
def test_zero_is_an_amount_that_moves_nothing(amount: str):
    assert entry({"customer": "a", "amount": amount}).units == 0


@pytest.mark.parametrize("final", ["-5", "x"])
def test_a_final_balance_is_an_amount_too(final: str):
    cells: dict[str, object] = {"customer": "a", "kind": "grant", "amount": "5", "balance": final}
    assert wrong(cells) in {"import-negative", "import-amount"}


@pytest.mark.parametrize(
    ("customer", "code"),
    [
        ("", "import-cell-empty"),
        ("x" * 129, "import-too-long"),
        ("a\nb", "import-not-printable"),
        ("a\n", "import-not-printable"),
        ("a\u200bb", "import-not-printable"),
        ("a\ud800", "import-not-printable"),
        (["a"], "import-not-text"),
    ],
    ids=repr,
)
def test_customers_that_cannot_be(customer: object, code: str):
    assert wrong({"customer": customer, "amount": "5"}) == code


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("kind", "transfer", "import-kind"),
        ("kind", "", "import-cell-empty"),
        ("id", "a\tb", "import-not-printable"),
        ("id", "x" * 129, "import-too-long"),
        ("reason", "x" * 501, "import-too-long"),
        ("reason", "a\x00b", "import-not-printable"),
        ("reference", "x" * 201, "import-too-long"),
        ("at", "yesterday", "import-time"),
        ("at", "2026-02-30", "import-time"),
        ("at", "0001-01-01T00:00:00+14:00", "import-time"),
        ("at", "2026-01-01T00:00:00." + "0" * 100_000, "import-time"),
    ],
    ids=lambda value: value[:20],
)
def test_other_fields_of_a_history(field: str, text: str, code: str):
    cells: dict[str, object] = {
        "customer": "a", "kind": "grant", "amount": "5", "id": "1", "reason": "", "reference": "",
        "at": "", "balance": "",
    }  # fmt: skip
    assert wrong(cells | {field: text}) == code


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-01-05T09:00:00+01:00", "2026-01-05T08:00:00Z"),
        ("2026-01-05T09:00:00.25Z", "2026-01-05T09:00:00.250000Z"),
        ("2026-01-05 09:00:00", "2026-01-05T09:00:00Z"),
        ("2026-01-05 09:00:00.123+00", "2026-01-05T09:00:00.123000Z"),
        ("2026-01-05", "2026-01-05T00:00:00Z"),
    ],
)
def test_times_are_told_in_utc(written: str, utc: str):
    cells: dict[str, object] = {"customer": "a", "kind": "grant", "amount": "5", "at": written}
    assert entry(cells).at == utc


def test_a_fault_names_the_customer_once_he_is_known():
    found = parsed({"customer": "a", "amount": "x"})
    assert isinstance(found, Fault)
    assert found.customer == "a"


def test_json_lines_may_lack_columns_that_the_first_has_not():
    columns = choose(("customer", "kind", "amount"), wanted(Form.JSONL))
    later = Record(2, {"customer": "a", "kind": "grant", "amount": "5", "reason": "why"})
    found = columns.entry(later, SCALE)
    assert isinstance(found, Entry)
    assert found.reason == "why"
    long = columns.entry(Record(3, {**later.cells, "reason": "x" * 501}), SCALE)
    assert isinstance(long, Fault)
    assert long.error.figures["column"] == "reason"


def test_a_json_line_that_says_one_thing_twice_is_not_guessed():
    columns = choose(("customer", "amount"), wanted(Form.JSONL))
    found = columns.entry(Record(2, {"customer": "a", "amount": "5", "credits": "6"}), SCALE)
    assert isinstance(found, Fault)
    assert found.error.code == "import-ambiguous"


def test_a_history_that_begins_late_is_not_taken_for_balances():
    columns = choose(("customer", "amount"), wanted(Form.JSONL))
    found = columns.entry(Record(2, {"customer": "a", "amount": "5", "kind": "spend"}), SCALE)
    assert isinstance(found, Fault)
    assert found.error.code == "import-kind-late"


SOME = st.text(max_size=12) | st.none() | st.booleans() | st.lists(st.integers(), max_size=2)


@given(
    st.dictionaries(
        st.sampled_from(["customer", "kind", "amount", "id", "at", "reason", "balance", "x"]), SOME
    ),
    st.sampled_from(Form),
)
def test_no_line_raises_anything_but_a_clear_refusal(cells: dict[str, object], form: Form):
    first = ("customer", "kind", "amount", "id", "at", "reason", "balance")
    columns = choose(("key", *first) if form is Form.REDIS else first, wanted(form))
    found = columns.entry(Record(1, cells), SCALE)
    assert isinstance(found, Entry | Fault)
