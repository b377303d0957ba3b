"""The judge finds whatever must not be, by what callers were told and by the database alone."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from comptoir.app import Urls
from comptoir.cli.throwaway import Home
from comptoir.cli.torture import command
from comptoir.cli.torture.answers import Told
from comptoir.cli.torture.caller import Caller, Office, new_session
from comptoir.cli.torture.judge import Findings, Receipt, judge
from comptoir.cli.torture.notebook import Notebook
from comptoir.cli.torture.program import ARTICLES, opening, program
from comptoir.cli.torture.scene import Scene
from comptoir.cli.torture.site import Site
from comptoir.cli.torture.tally import Fault, Tally
from comptoir.kit.ids import request_id
from tests.cli.conftest import Inside
from tests.support.busy import copied
from tests.support.postgres import Cluster, Database
from tests.support.servers import LIVE, add_keys, serving

pytestmark = pytest.mark.pg
CALLERS = 4
JOBS = 60
SEED = 11

SEALS = {
    "movements": """book_id, account_id, version, contra_id, amount, posted, held, debt, filled,
        kind, at, request_id, lots, parts, hold_id, reverses""",
    "accounts": """book_id, id, asset_id, customer_id, name, bounded, posted, held, debt, floor,
        filled, version, lots_made, open_lots, next_expiry, at""",
}


@dataclass(frozen=True, slots=True)
class Day:
    """A day at the books: what the database holds, and what callers were told of it."""

    database: Database
    told: Path
    tally: Tally

    async def judged(self) -> Findings:
        return await judge(self.database.owner_url, self.told, self.tally)

    def change(self, statements: str) -> None:
        """Do what the ledger never would: no trigger and no constraint is in the way."""
        with psycopg.connect(self.database.superuser_url) as connection:
            for table, name in connection.execute(
                """SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
                WHERE connamespace = 'comptoir'::regnamespace AND contype = 'c'"""
            ).fetchall():
                connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
            connection.execute("SET session_replication_role = replica")
            connection.execute(statements.encode())

    def reseal(self, table: str) -> None:
        """Hide what was done to a table from those who look at seals alone."""
        self.change(
            f"UPDATE comptoir.{table} SET seal = hash_record_extended(ROW({SEALS[table]}), 0)"
        )

    def tell(self, *more: Told) -> "Day":
        """The same day, with callers who were told more than that."""
        path = self.told.with_name("more.csv")
        path.write_text(self.told.read_text() + "".join(each.row() for each in more))
        return replace(self, told=path)


@pytest.fixture(scope="module")
def finished(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A short day without any trouble."""
    folder = tmp_path_factory.mktemp("day")
    with cluster.database() as database:
        key = add_keys(database)[0]
        with serving(folder, database) as [server]:
            notebook, tally = Notebook(folder / "told.csv"), Tally()
            asyncio.run(work(key, server.url, notebook, tally))
            notebook.close()
        yield Day(database, notebook.path, tally)


async def work(key: str, url: str, notebook: Notebook, tally: Tally) -> None:
    async with new_session(key) as session:
        office = Office(session, [url], notebook, tally)
        callers = [Caller(office) for _ in range(CALLERS)]
        await callers[0].do(opening())
        async with asyncio.TaskGroup() as tasks:
            for number, caller in enumerate(callers):
                tasks.create_task(some(caller, number))


async def some(caller: Caller, number: int) -> None:
    for job in islice(program(SEED, number), JOBS):
        await caller.do(job)


@pytest.fixture
def day(finished: Day, tmp_path: Path) -> Iterator[Day]:
    """A copy of it, to do harm to."""
    told = tmp_path / "told.csv"
    told.write_bytes(finished.told.read_bytes())
    with copied(finished.database) as database:
        yield Day(database, told, finished.tally)


def figures(findings: Findings) -> tuple[int, int, int, bool]:
    found = findings.receipt
    return found.lost, found.doubled, found.oversold, found.balanced


def texts(findings: Findings) -> set[str]:
    return {fault.text for fault in findings.faults}


async def test_a_day_without_trouble(day: Day):
    found = await day.judged()
    assert figures(found) == (0, 0, 0, True), found.faults
    assert found.faults == []
    assert found.receipt.is_clean
    tally = day.tally
    assert found.receipt.acknowledged == tally.acknowledged > CALLERS * JOBS // 2
    assert tally.refused > 0
    assert tally.replayed > 0
    assert tally.reused > 0
    kinds = {line.split(",")[5] for line in day.told.read_text().splitlines()}
    assert kinds >= {"grant", "spend", "capture", "transfer", "hold", "release"}


SPENT = """(SELECT account_id, version FROM comptoir.movements m
    WHERE book_id = 1 AND kind = 'spend'
    AND version = (SELECT max(version) FROM comptoir.movements o WHERE o.account_id = m.account_id)
    ORDER BY account_id LIMIT 1)"""
"""The last line of an account, a spend."""


async def test_a_movement_that_is_gone_is_lost(day: Day):
    day.change(f"DELETE FROM comptoir.movements WHERE (account_id, version) IN {SPENT}")
    found = await day.judged()
    assert figures(found) == (1, 0, 0, False)
    assert texts(found) == {"torture.fault.lost", "torture.fault.drift"}


@pytest.mark.parametrize("column", ["amount", "posted", "held", "debt"])
async def test_a_movement_with_another_figure_is_lost(day: Day, column: str):
    day.change(
        f"UPDATE comptoir.movements SET {column} = {column} + 1"
        f" WHERE (account_id, version) IN {SPENT}"
    )
    assert (await day.judged()).receipt.lost == 1


async def test_an_acknowledgement_without_anything_is_lost_though_the_books_balance(day: Day):
    """What a commit that was answered and not kept looks like."""
    dream = Told(request_id(LIVE, "never"), "created", 1, 25, 10**6, "spend", -5, 5, 0, 0)
    found = await day.tell(dream).judged()
    assert figures(found) == (1, 0, 0, True)
    [fault] = found.faults
    assert fault.figures == {"what": dream.id.hex(), "detail": "answer, line, movement"}


async def test_a_hold_that_is_gone_is_lost(day: Day):
    day.change(
        """DELETE FROM comptoir.holds WHERE id = (
            SELECT id FROM comptoir.holds ORDER BY id LIMIT 1)"""
    )
    found = await day.judged()
    assert (found.receipt.lost, found.receipt.balanced) == (1, False)
    assert any("hold" in str(fault.figures.get("detail")) for fault in found.faults)


async def test_a_refusal_that_is_forgotten_is_lost(day: Day):
    """A repeat with the same key would be decided anew."""
    day.change(
        """DELETE FROM comptoir.requests WHERE id = (
            SELECT id FROM comptoir.requests WHERE outcome = 'insufficient' ORDER BY id LIMIT 1)"""
    )
    assert figures(await day.judged()) == (1, 0, 0, True)


async def test_a_line_of_a_group_that_is_missing_is_lost(day: Day):
    """The answer tells of one line; the other one counts too."""
    day.change(
        """DELETE FROM comptoir.movements WHERE (account_id, version) IN (
            SELECT m.account_id, m.version FROM comptoir.movements m
            JOIN comptoir.accounts a ON a.id = m.account_id AND a.name IS NULL
            JOIN comptoir.movements o ON o.request_id = m.request_id
                AND o.account_id <> m.account_id AND o.kind = 'capture'
            ORDER BY m.request_id LIMIT 1)"""
    )
    found = await day.judged()
    assert found.receipt.lost == 1
    assert any(fault.figures.get("detail") == "line" for fault in found.faults)


@pytest.mark.parametrize("shift", ["+ interval '1 hour'", "- interval '1 hour'"])
async def test_a_line_with_the_time_of_a_wrong_clock_is_lost(day: Day, shift: str):
    day.change(
        f"UPDATE comptoir.movements SET at = at {shift} WHERE (account_id, version) IN {SPENT}"
    )
    day.reseal("movements")
    found = await day.judged()
    assert found.receipt.lost == 1
    assert any(fault.figures.get("detail") == "time" for fault in found.faults)


async def test_whoever_was_never_answered_is_lost(day: Day):
    day.tally.blame(Fault("lost", "torture.fault.unanswered", {"keys": "k"}))
    try:
        assert figures(await day.judged()) == (1, 0, 0, True)
    finally:
        day.tally.found.clear()
        day.tally.faults.clear()


async def test_an_unanswered_request_that_happened_once_is_not_doubled(day: Day):
    lines = day.told.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if ",spend,-" in line)
    id_ = lines[at].split(",")[0]
    assert sum(line.startswith(id_) for line in lines) == 1
    lines[at] = f"{id_},unknown,1,,,,,,,,,\n"
    day.told.write_text("".join(lines))
    assert figures(await day.judged()) == (0, 0, 0, True)


DOUBLE = f"""
INSERT INTO comptoir.movements SELECT book_id, account_id, version + 1, contra_id, amount,
    posted + amount, held, debt, filled, kind, at, request_id, lots, parts, hold_id, reverses, 0
FROM comptoir.movements WHERE (account_id, version) IN {SPENT}"""


async def test_a_movement_that_is_there_twice_is_doubled(day: Day):
    day.change(DOUBLE)
    found = await day.judged()
    assert figures(found) == (0, 1, 0, False)
    assert "torture.fault.doubled" in texts(found)


async def test_a_refused_request_that_moved_is_doubled(day: Day):
    lines = day.told.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if ",spend,-" in line)
    lines[at] = f"{lines[at].split(',')[0]},exceeds_hold,0,,,,,,,,,\n"
    day.told.write_text("".join(lines))
    assert figures(await day.judged()) == (0, 1, 0, True)


async def test_a_movement_that_nobody_asked_for_is_doubled(day: Day):
    lines = day.told.read_text().splitlines(keepends=True)
    del lines[next(n for n, line in enumerate(lines) if ",spend,-" in line)]
    day.told.write_text("".join(lines))
    assert figures(await day.judged()) == (0, 1, 0, True)


async def test_a_movement_without_a_request_is_doubled(day: Day):
    day.change(
        f"UPDATE comptoir.movements SET request_id = NULL WHERE (account_id, version) IN {SPENT}"
    )
    found = await day.judged()
    assert (found.receipt.lost, found.receipt.doubled) == (1, 1)


def oversell(day: Day, units: int) -> None:
    """Sell so many units of an article that are not there, with every seal in place."""
    article = ARTICLES[0]
    day.change(
        f"""WITH left_over AS (
            SELECT a.*, a.posted + {units} AS sold FROM comptoir.accounts a
            WHERE name = '{article}' AND book_id = {LIVE}
        ), line AS (
            INSERT INTO comptoir.movements SELECT m.book_id, m.account_id, l.version + 1,
                m.contra_id, -l.sold, -{units}, 0, 0, m.filled, 'spend', l.at, m.request_id,
                '{{}}', '{{}}', NULL, NULL, 0
            FROM left_over l JOIN comptoir.movements m ON m.account_id = l.id AND m.version = 1
        )
        UPDATE comptoir.accounts SET posted = -{units}, version = version + 1
        WHERE name = '{article}' AND book_id = {LIVE}"""
    )
    day.reseal("movements")
    day.reseal("accounts")


async def test_units_that_were_sold_and_not_there_are_oversold(day: Day):
    held = """SELECT held FROM comptoir.accounts WHERE name = %s"""
    with psycopg.connect(day.database.owner_url) as connection:
        assert connection.execute(held, (ARTICLES[0],)).fetchone() == (0,), "holds were ended"
    oversell(day, 3)
    found = await day.judged()
    assert (found.receipt.oversold, found.receipt.balanced) == (3, False)
    [fault] = [each for each in found.faults if each.number == "oversold"]
    assert fault.figures["what"] == ARTICLES[0]


async def test_units_that_were_promised_and_not_there_are_oversold(day: Day):
    """Callers who were told that they have one count as much as lines of the journal."""
    with psycopg.connect(day.database.owner_url) as connection:
        row = connection.execute(
            "SELECT id, posted FROM comptoir.accounts WHERE name = %s", (ARTICLES[1],)
        ).fetchone()
    assert row is not None
    account, left = row
    dream = Told(request_id(LIVE, "never"), "created", 1, account, 10**6, "spend", -left - 2)
    found = await day.tell(dream).judged()
    assert (found.receipt.oversold, found.receipt.balanced) == (2, True)


async def test_an_account_that_fell_below_its_floor_counts_as_oversold(day: Day):
    day.change(
        f"UPDATE comptoir.movements SET held = posted + 1 WHERE (account_id, version) IN {SPENT}"
    )
    found = await day.judged()
    assert found.receipt.oversold == 1


async def test_books_that_do_not_balance(day: Day):
    day.change(f"UPDATE comptoir.accounts SET filled = filled + 1 WHERE name = '{ARTICLES[0]}'")
    found = await day.judged()
    assert figures(found) == (0, 0, 0, False)
    assert texts(found) == {"torture.fault.drift"}


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({}, 0),
        ({"lost": 1}, 3),
        ({"doubled": 1}, 3),
        ({"oversold": 1}, 3),
        ({"balanced": False}, 3),
    ],
    ids=["clean", "lost", "doubled", "oversold", "unbalanced"],
)
def test_the_last_line_and_the_exit_code(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, other: dict[str, int], code: int
):
    receipt = replace(Receipt(9, 0, 0, 0, 7, balanced=True), **other)

    async def play(scene: Scene) -> None:
        scene.findings = Findings(receipt, [])

    ended = played(inside, monkeypatch, play, "--json")
    assert ended.code == (3 if other else 0)
    assert json.loads(ended.out) == {
        "acknowledged": 9, "lost": 0, "doubled": 0, "oversold": 0, "kills": 7, "balanced": True
    } | other  # fmt: skip
    assert list(json.loads(ended.out)) == [
        "acknowledged", "lost", "doubled", "oversold", "kills", "balanced"
    ]  # fmt: skip


def test_every_finding_ends_the_command_with_code_3(
    day: Day, inside: Inside, monkeypatch: pytest.MonkeyPatch
):
    """A loss, a double and an oversold article in real books, through the command."""
    day.change(DOUBLE)
    oversell(day, 2)
    dream = Told(request_id(LIVE, "never"), "created", 1, 25, 10**6, "spend", -5, 5, 0, 0)
    dreamt = day.tell(dream)

    async def play(scene: Scene) -> None:
        scene.findings = await judge(day.database.owner_url, dreamt.told, day.tally)

    ended = played(inside, monkeypatch, play)
    assert ended.code == 3
    last = json.loads(ended.out.splitlines()[-1])
    assert last["lost"] >= 1
    assert last["doubled"] >= 1
    assert (last["oversold"], last["balanced"]) == (2, False)
    assert all(word in ended.err for word in ("Lost: ", "Doubled: ", "Oversold: ", "Not balanced"))


def played(inside: Inside, monkeypatch: pytest.MonkeyPatch, play: object, *arguments: str):
    @asynccontextmanager
    async def raised(*_: str | None) -> AsyncGenerator[Site]:
        yield Site(Home(Path(), "en", 1), Urls("", ""), "key", [], [])

    monkeypatch.setattr(command, "raised", raised)
    monkeypatch.setattr(Scene, "play", play)
    return inside("torture", "--seed", "1", *arguments)
