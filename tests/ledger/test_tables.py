"""The tables on the pure core, and that a table can fail."""

import pytest

from comptoir.ledger.outcomes import Outcome
from tests.support.core import CoreDriver
from tests.support.tables import Case, Need, cases, parse, play

CASES = cases()
WRONG = {
    "outcome": "spend s1 alice 1 -> created",
    "figure": "spend s1 alice 1 -> insufficient needed=2",
    "late": "spend s1 alice 1 -> insufficient late",
    "again": "spend s1 alice 1 -> insufficient again",
    "field": "grant g1 alice 2 -> exists_different:priority",
    "balance": "balance alice 1 0",
    "lots": "lots alice 1",
    "state": "state h1 open 1",
    "journal": "journal alice grant:1",
    "paid": "paid alice 1",
}


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_table(case: Case):
    await play(case, CoreDriver())


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
async def test_a_wrong_line_fails(line: str):
    good = """
        == case
        account alice
        grant g1 alice 1 paid=1 -> created
        hold h1 alice 1 ttl=60 -> created
        capture c1 h1 -> created
    """
    text = "\n".join(each.strip() for each in good.splitlines())
    [case] = parse("sample", text)
    await play(case, CoreDriver())
    [case] = parse("sample", f"{text}\n{line}")
    with pytest.raises(AssertionError, match="sample:8"):
        await play(case, CoreDriver())


@pytest.mark.parametrize(
    "line", ["grant g1 alice", "grant g1 alice 1", "    spend s1 alice 1 -> created", "x"]
)
def test_a_line_that_means_nothing_fails(line: str):
    with pytest.raises(AssertionError):
        parse("sample", f"== case\naccount alice\n{line}")


def test_every_outcome_is_in_the_tables():
    seen = {row.outcome for case in CASES for row in case.rows}
    assert seen == {outcome.value for outcome in Outcome}


def test_http_can_run_most_of_the_tables():
    plain = [case for case in CASES if not case.needs]
    assert sum(len(case.rows) for case in plain) >= 150
    assert {need for case in CASES for need in case.needs} == set(Need)
