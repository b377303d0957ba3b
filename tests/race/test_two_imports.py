"""Two imports of the same lines at the same moment."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from comptoir.app import Urls, open_app
from comptoir.config import Settings
from comptoir.domains.credits.imports.carrying import Place, Surveyed, carry, survey
from comptoir.domains.credits.imports.model import Form, Import, Trouble
from comptoir.kit.errors import Invalid
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Grant, Spend
from comptoir.store.crowd import open_accounts
from tests.support.batches import assert_verified
from tests.support.imports import History, balances, ended, importing
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.race]
LIVE = 1
NUMBERS = count()


class Nobody:
    """Does not watch."""

    def checked(self, bytes_read: int) -> None: ...

    def carried(self, bytes_read: int, lines: int) -> None: ...


async def move(where: Place, verb: type[Grant | Spend], customer: str, units: int) -> None:
    """A movement that is nobody's import."""
    asset = await where.door.directory.asset(LIVE, "tokens")
    accounts = await open_accounts(where.pool, LIVE, asset, [customer])
    contra = asset.issuer if verb is Grant else asset.revenue
    id_ = request_id(LIVE, f"{verb.op}-{units}-{next(NUMBERS)}")
    [answer] = await where.door.submit(
        (verb(id_, fingerprint(()), accounts[customer], contra, units),)
    )
    assert answer.outcome is Outcome.CREATED


@asynccontextmanager
async def place(database: Database, folder: Path) -> AsyncGenerator[Place]:
    settings = Settings.throw_away(folder, "en")
    async with open_app(settings, Urls(database.app_url, database.owner_url)) as app:
        yield Place(await app.door(LIVE), app.pool)


async def judged(where: Place, file: Path) -> Surveyed:
    wanted = Import("tokens", "import", Form.CSV)
    stream = file.open("rb")
    return await survey(where, wanted, stream, Nobody())


@pytest.mark.parametrize("order", ["same", "opposite"])
async def test_who_both_found_every_line_new_import_each_once(
    tmp_path: Path, database: Database, order: str
):
    history = History(400)
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    history.write(files[0])
    history.write(files[1], backwards=order == "opposite")
    async with place(database, tmp_path) as one, place(database, tmp_path) as two:
        found = [await judged(one, files[0]), await judged(two, files[1])]
        assert [each.report.new for each in found] == [history.lines] * 2
        reports = await asyncio.gather(
            carry(one, found[0], Nobody()), carry(two, found[1], Nobody())
        )
    for each in found:
        each.stream.close()
    assert balances(database) == history.balances
    assert_verified(database)
    assert sum(report.new for report in reports) == history.lines
    assert sum(report.granted - report.spent for report in reports) == 5 * history.customers
    for report in reports:
        assert report.is_clean
        assert report.new + report.there == history.lines


async def test_who_is_late_finds_nothing_left(tmp_path: Path, database: Database):
    """What it judged to be new has been imported meanwhile."""
    history, file = History(3), tmp_path / "history.csv"
    history.write(file)
    async with place(database, tmp_path) as one, place(database, tmp_path) as two:
        found = [await judged(one, file), await judged(two, file)]
        await carry(one, found[0], Nobody())
        late = await carry(two, found[1], Nobody())
    for each in found:
        each.stream.close()
    assert (late.new, late.there, late.granted, late.spent) == (0, history.lines, 0, 0)
    assert balances(database) == history.balances


async def test_who_has_spent_meanwhile_is_left_as_he_is(tmp_path: Path, database: Database):
    """The ledger never sees the line, so that it remembers no refusal of it."""
    file = tmp_path / "history.csv"
    file.write_text("customer,kind,amount\na,spend,3\na,spend,1\nb,grant,2\n")
    async with place(database, tmp_path) as here:
        await move(here, Grant, "a", 4)
        found = await judged(here, file)
        assert found.report.new == 3
        await move(here, Spend, "a", 2)
        late = await carry(here, found, Nobody())
        found.stream.close()
        assert (late.new, late.left_out, late.faults.counts[Trouble.REFUSED]) == (1, 1, 1)
        assert balances(database) == {"a": (2, 2), "b": (2, 1)}
        await move(here, Grant, "a", 2)
        again = await judged(here, file)
        done = await carry(here, again, Nobody())
        again.stream.close()
    assert (done.new, done.there, done.is_clean) == (2, 1, True)
    assert balances(database) == {"a": (0, 5), "b": (2, 1)}
    assert_verified(database)


async def test_a_file_that_changes_after_it_was_judged_is_not_carried(
    tmp_path: Path, database: Database
):
    file = tmp_path / "users.csv"
    file.write_text("id,credits\na,5\n")
    async with place(database, tmp_path) as here:
        found = await judged(here, file)
        with file.open("a") as more:
            more.write("b,5\n")
        with pytest.raises(Invalid, match="import-file-changed"):
            await carry(here, found, Nobody())
        found.stream.close()
    assert balances(database) == {}


@pytest.mark.slow
def test_as_processes(tmp_path: Path, database: Database):
    history, file = History(200), tmp_path / "history.csv"
    history.write(file)
    with importing(database, file) as one, importing(database, file) as two:
        reports = [ended(one), ended(two)]
    assert balances(database) == history.balances
    assert_verified(database)
    assert sum(report["new"] for report in reports) == history.lines
