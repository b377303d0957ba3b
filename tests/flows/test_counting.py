"""Counts and deliveries from files: what they say is what there is, however often they come."""

import asyncio
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.domains.stock import count_queries, queries
from comptoir.domains.stock.counts.cells import EXPORTED, escaped, unescaped
from comptoir.domains.stock.counts.model import Form, Report
from comptoir.domains.stock.model import MovementType, OnRefund
from comptoir.flows import counting
from comptoir.flows.counting import File
from comptoir.flows.till import Till
from comptoir.kit.errors import Invalid, Unavailable
from comptoir.store.pool import begin
from tests.support import stall
from tests.support.shop import LIVE, Shop, together

pytestmark = pytest.mark.pg

HEADING = "product,size,name,price,currency,low_stock_threshold,stock\n"
STALL = f"{HEADING}TEE,M,Tee,2500,eur,2,5\nTEE,L,Tee,2500,eur,2,3\nCAP,U,Cap,1900,eur,,7\n"
SIGNS = st.sampled_from("aé=+-@' \t;,\"\n:ab")


def unseen(_name: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@contextmanager
def opened(text: str | bytes, key: str | None = None) -> Iterator[File]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "stock.csv")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with path.open("rb") as stream:
            yield File(stream, path.name, key)


async def carry(
    shop: Shop, text: str | bytes, key: str | None = None, till: Till | None = None
) -> Report:
    with opened(text, key) as file:
        return await counting.carry(till or shop.till, LIVE, file, unseen)


async def survey(shop: Shop, text: str | bytes) -> Report:
    with opened(text) as file:
        return await counting.survey(shop.till, LIVE, file, unseen)


async def exported(shop: Shop) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(EXPORTED)
    async for rows in counting.export(shop.till, LIVE):
        writer.writerows(rows)
    return text.getvalue()


async def state(shop: Shop) -> tuple[str, list[tuple[Any, ...]]]:
    """All that is sold, and every movement."""
    rows = shop.sql(
        "SELECT account_id, version, kind, amount, posted FROM comptoir.movements"
        " WHERE book_id = 1 ORDER BY 1, 2"
    )
    return await exported(shop), rows


def figures(report: Report) -> tuple[int, int, int, int, int, int]:
    return (
        report.new_products, report.changed_products, report.new_sizes, report.moved,
        report.same, len(report.faults),
    )  # fmt: skip


def refused(report: Report) -> list[tuple[int, str | None, str]]:
    return [
        (each.line, each.column, each.error.code)
        for each in sorted(report.faults, key=lambda each: each.line)
    ]


async def test_a_count_is_what_there_is(shop: Shop) -> None:
    report = await carry(shop, STALL)
    assert figures(report) == (2, 0, 3, 3, 0, 0)
    assert (report.up, report.down) == (15, 0)
    assert await stall.figures(shop) == (5, 0, 5)
    assert await stall.figures(shop, "CAP", "U") == (7, 0, 7)
    async with begin(shop.till.pool) as tx:
        [moved] = await queries.movements(tx, LIVE, ("TEE", "M"), None, 10)
        tee = await queries.product(tx, LIVE, "TEE")
    assert (moved.type, moved.quantity) == (MovementType.ADJUSTMENT, 5)
    assert moved.reason == "Import stock.csv"
    assert (tee.name, tee.amount, tee.currency) == ("Tee", 2500, "eur")
    assert [(each.size, each.low_at) for each in tee.sizes] == [("M", 2), ("L", 2)]
    fewer = await carry(shop, "product;size;stock\r\nTEE;M;1\r\nTEE;XL;4\r\n")
    assert figures(fewer) == (0, 0, 1, 2, 0, 0)
    assert (fewer.up, fewer.down) == (4, 4)
    assert await stall.figures(shop) == (1, 0, 1)
    assert await stall.figures(shop, "TEE", "L") == (3, 0, 3)
    await stall.agreed(shop)


async def test_an_export_changes_nothing_when_it_comes_back(shop: Shop) -> None:
    await carry(shop, STALL)
    await stall.put(shop, "MUG", {"=1+1": 4, "'=x": 1, ' M, "L"': 2}, on_refund=OnRefund.KEEP)
    await stall.order(shop, ("TEE", "M", 2))
    before = await state(shop)
    assert "TEE,M,Tee,2500,eur,2,5,2,3,restock\r\n" in before[0]
    assert "MUG,'=1+1,Mug" in before[0]
    for text in (before[0], "\ufeff" + before[0]):
        report = await carry(shop, text)
        assert figures(report) == (0, 0, 0, 0, 6, 0)
    assert await state(shop) == before
    await stall.agreed(shop)


async def test_a_dry_run_says_what_a_run_does_and_changes_nothing(shop: Shop) -> None:
    await carry(shop, STALL)
    text = f"{HEADING}TEE,M,Tee,2600,eur,2,9\nTEE,S,,,,1,1\nTEE,L,,,,,3\nMUG,U,,,,,2\n"
    before = await state(shop)
    dry = await survey(shop, text)
    assert await state(shop) == before
    assert figures(dry) == (0, 1, 1, 2, 1, 1)
    done = await carry(shop, text)
    assert figures(done) == figures(dry)
    assert done.changes == dry.changes
    assert refused(done) == refused(dry) == [(5, "name", "count-new-product")]
    delivery = "product,size,delivered\nTEE,M,9\n"
    before = await state(shop)
    assert (await survey(shop, delivery)).up == 9
    assert await state(shop) == before
    await carry(shop, delivery)
    assert (await survey(shop, delivery)).up == 0


async def test_a_delivery_comes_once(shop: Shop) -> None:
    await carry(shop, STALL)
    text = "product,size,delivered\nTEE,M,2\nTEE,L,0\nCAP,U,1\n"
    first = await carry(shop, text)
    assert (first.form, first.up, first.moved, first.same) == (Form.DELIVERY, 3, 2, 1)
    again = await carry(shop, "\ufeff" + text.replace(",", ";").replace("\n", "\r\n"))
    assert (again.up, again.moved, again.same) == (0, 0, 3)
    assert await stall.figures(shop) == (7, 0, 7)
    another = await carry(shop, text, "the second van")
    assert another.up == 3
    async with begin(shop.till.pool) as tx:
        moved = await queries.movements(tx, LIVE, ("TEE", "M"), None, 1)
    assert (moved[0].type, moved[0].quantity) == (MovementType.RESTOCK, 2)
    other = await carry(shop, "product,size,delivered\nTEE,M,5\n", "the second van")
    assert refused(other) == [(2, None, "idempotency-key-reused")]
    assert await stall.figures(shop) == (9, 0, 9)
    await stall.agreed(shop)


async def test_a_delivery_with_a_fault_is_refused_as_a_whole(shop: Shop) -> None:
    """Whoever corrects the file and imports it again has nothing twice."""
    await carry(shop, STALL)
    before = await state(shop)
    report = await carry(shop, "product,size,delivered\nTEE,M,2\nCAP,U,x\nMUG,U,1\n")
    assert refused(report) == [(3, "delivered", "count-number"), (4, "name", "count-new-product")]
    assert (report.moved, report.left_out) == (0, 1)
    assert await state(shop) == before


@pytest.mark.parametrize("column", ["stock", "delivered"])
@pytest.mark.parametrize("after", [0, 1])
async def test_a_crash_in_the_middle(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, column: str, after: int
) -> None:
    """Run again, it is as if it had run once."""
    monkeypatch.setattr(counting, "TOGETHER", 3)
    lines = [f"P{no // 2},S{no % 2},Name {no // 2},100,eur,{no + 1}" for no in range(12)]
    text = "\n".join([f"product,size,name,price,currency,{column}", *lines])
    rounds = 0

    def crashing(_name: str, _done: int, _total: int) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == after + 2:
            raise KeyboardInterrupt

    with opened(text) as file, pytest.raises(KeyboardInterrupt):
        await counting.carry(shop.till, LIVE, file, crashing)
    [(moved,)] = shop.sql("SELECT count(*) FROM comptoir.movements WHERE book_id = 1")
    assert 0 < moved < 12
    report = await carry(shop, text)
    assert (report.moved, report.same) == (12 - moved, moved)
    for no in range(12):
        assert await stall.figures(shop, f"P{no // 2}", f"S{no % 2}") == (no + 1, 0, no + 1)
    await stall.agreed(shop)


async def test_a_delivery_whose_database_goes_away(shop: Shop) -> None:
    await carry(shop, STALL)
    calls = 0

    async def failing(*asked: Any) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        is_lost = calls == 2
        answers = await shop.till.submit(*asked)
        if is_lost:
            raise Unavailable("database-down")
        return answers

    text = "product,size,delivered\nTEE,M,2\nTEE,L,4\nCAP,U,1\n"
    with pytest.raises(Unavailable):
        await carry(shop, text, till=replace(shop.till, submit=failing))
    await carry(shop, text)
    assert await stall.figures(shop) == (7, 0, 7)
    assert await stall.figures(shop, "TEE", "L") == (7, 0, 7)
    assert await stall.figures(shop, "CAP", "U") == (8, 0, 8)


async def test_counts_side_by_side_and_beside_sales(shop: Shop) -> None:
    """Both count the same: nobody adds what the other has added already."""
    await carry(shop, STALL)
    count = "product,size,stock\nTEE,M,40\nTEE,L,40\nCAP,U,40\n"
    orders = [stall.order(shop, customer=f"buyer {no}") for no in range(3)]
    await together(carry(shop, count), *orders, carry(shop, count), carry(shop, count))
    assert await stall.figures(shop) == (40, 3, 37)
    assert await stall.figures(shop, "CAP", "U") == (40, 0, 40)
    await stall.agreed(shop)


async def test_nothing_moves_between_the_look_and_the_count(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await carry(shop, STALL)
    look = count_queries.lock_counts
    async with asyncio.TaskGroup() as tasks:

        async def looked(*asked: Any) -> Any:  # noqa: ANN401
            found = await look(*asked)
            other = tasks.create_task(stall.move(shop, 3))
            done, _ = await asyncio.wait([other], timeout=0.3)
            assert not done, "it waits until the count is done"
            return found

        monkeypatch.setattr(count_queries, "lock_counts", looked)
        await carry(shop, "product,size,stock\nTEE,M,40\n")
    async with begin(shop.till.pool) as tx:
        moved = await queries.movements(tx, LIVE, ("TEE", "M"), None, 2)
    assert [(each.quantity, each.after) for each in moved] == [(3, 43), (35, 40)]


async def test_deliveries_side_by_side(shop: Shop) -> None:
    await carry(shop, STALL)
    text = "product,size,delivered\nTEE,M,2\nTEE,L,4\nCAP,U,1\n"
    await together(*(carry(shop, text) for _ in range(4)))
    assert await stall.figures(shop) == (7, 0, 7)
    assert await stall.figures(shop, "TEE", "L") == (7, 0, 7)
    await stall.agreed(shop)


async def test_a_count_below_what_is_reserved(shop: Shop) -> None:
    await carry(shop, STALL)
    await stall.order(shop, ("TEE", "M", 3))
    text = "product,size,price,stock\nTEE,M,2600,2\nTEE,L,,9\n"
    for run in (survey, carry):
        report = await run(shop, text)
        [fault] = report.faults
        assert (fault.line, fault.column, fault.error.code) == (2, "stock", "insufficient-stock")
        assert fault.error.figures == {
            "product": "TEE", "size": "M", "wanted": 3, "available": 2, "counted": 2,
            "reserved": 3,
        }  # fmt: skip
    assert await stall.figures(shop) == (5, 3, 2)
    assert await stall.figures(shop, "TEE", "L") == (9, 0, 9)
    async with begin(shop.till.pool) as tx:
        assert (await queries.product(tx, LIVE, "TEE")).amount == 2500, "a refused line says it"
    assert figures(await carry(shop, "product,size,stock\nTEE,M,3\n"))[3:] == (1, 0, 0)
    await stall.agreed(shop)


HOSTILE = [
    ("TEE,M,,,,,1.5", "stock", "count-number"),
    ("TEE,M,,,,,-1", "stock", "count-number"),
    (f"TEE,M,,,,,{2**40}", "stock", "count-number"),
    ("TEE,M,,,,,+5", "stock", "count-number"),
    ("TEE,M,,,,,٣", "stock", "count-number"),
    ("TEE,M,,,,,1e3", "stock", "count-number"),
    ("TEE,M,,,,,", "stock", "import-cell-empty"),
    ("TEE,M,,25.00,eur,,5", "price", "count-number"),
    ("TEE,M,,0,eur,,5", "price", "count-number"),
    ("TEE,M,,2500,zzz,,5", "currency", "count-currency"),
    ("TEE,M,,,,-1,5", "low_stock_threshold", "count-number"),
    (",M,,,,,5", "product", "import-cell-empty"),
    ("TEE,,,,,,5", "size", "import-cell-empty"),
    ("TE E,M,,,,,5", "product", "count-product"),
    ("TEE,M:L,,,,,5", "size", "count-size"),
    (f"TEE,{'M' * 41},,,,,5", "size", "count-size"),
    ("TEE,=1+1,,,,,5", "size", "count-formula"),
    ("TEE,M,=HYPERLINK(1),,,,5", "name", "count-formula"),
    ("TEE,M,@x,,,,5", "name", "count-formula"),
    (f"TEE,M,{'x' * 201},,,,5", "name", "import-too-long"),
    ("TEE,M,a\x07b,,,,5", "name", "import-not-printable"),
    ("TEE,M,5", None, "import-cells"),
    ("NEW,M,,,,,5", "name", "count-new-product"),
    ("NEW,M,New,100,,,5", "currency", "count-new-product"),
]


async def test_hostile_lines_are_refused_one_by_one(shop: Shop) -> None:
    """Each alone between lines that fit, so that none spoils another."""
    await carry(shop, STALL)
    for number, (line, column, code) in enumerate(HOSTILE):
        text = f"{HEADING}TEE,L,,,,,{number}\n{line}\nCAP,U,,,,,{number}\n"
        report = await carry(shop, text)
        assert refused(report) == [(3, column, code)], line
        assert report.lines == 3
        assert await stall.figures(shop, "CAP", "U") == (number, 0, number)
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_lines_that_contradict_one_another(shop: Shop) -> None:
    """Nobody can say which is right: none of them counts."""
    await carry(shop, STALL)
    text = "TEE,M,,,,,1\nTEE,M,,,,,x\nCAP,U,Cap,1900,eur,,1\nCAP,V,Cap,2000,eur,,1\nTEE,L,,,,,8\n"
    report = await carry(shop, HEADING + text)
    assert refused(report) == [
        (2, "size", "count-twice"), (3, "stock", "count-number"),
        (4, "price", "count-terms-differ"), (5, "price", "count-terms-differ"),
    ]  # fmt: skip
    assert await stall.figures(shop) == (5, 0, 5)
    assert await stall.figures(shop, "CAP", "U") == (7, 0, 7)
    assert await stall.figures(shop, "TEE", "L") == (8, 0, 8)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "import-empty"),
        ("product,size\nTEE,M\n", "count-column-missing"),
        ("product,size,stock,delivered\nTEE,M,1,1\n", "count-or-delivery"),
        ("product,size,stock,Stock\nTEE,M,1,1\n", "import-column-twice"),
        ('product,size,stock\nTEE,"M,1\n', "import-quotes"),
        ("product,size,stock\nTEE,M\0,1\n", "import-nul"),
        ("product,size,stock\nTEE,É,1\n".encode("latin-1"), "import-encoding"),
        (b"product,size,stock\n" + b" " * (21 * 1024 * 1024), "count-file-too-large"),
        ("product,size,stock\n" + "A,B,1\n" * 100_001, "import-too-many-lines"),
    ],
)
async def test_files_that_cannot_be(shop: Shop, text: str | bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        await carry(shop, text)
    assert caught.value.code == code


@given(st.text(SIGNS, max_size=8))
def test_what_is_escaped_comes_back(text: str) -> None:
    cell = escaped(text)
    assert unescaped(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


PLACES = st.tuples(st.sampled_from(["TEE", "CAP"]), st.sampled_from(["M", "L"]))
COUNTS = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["-1", "x", "1.5", ""]))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.lists(st.lists(st.tuples(PLACES, COUNTS), max_size=6), min_size=1, max_size=3))
async def test_what_the_files_say_is_what_there_is(
    shop: Shop, files: list[list[tuple[tuple[str, str], str]]]
) -> None:
    expected: dict[tuple[str, str], int] = {}
    for row in csv.DictReader(io.StringIO(await exported(shop))):
        expected[row["product"], row["size"]] = int(row["stock"])
    for lines in files:
        said = "".join(
            f"{product},{size},{product.title()},100,eur,{count}\n"
            for (product, size), count in lines
        )
        if not lines:
            continue
        report = await carry(shop, f"product,size,name,price,currency,stock\n{said}")
        places = [place for place, _ in lines]
        good = [
            (place, int(count))
            for place, count in lines
            if count.isdigit() and places.count(place) == 1
        ]
        expected |= dict(good)
        assert len(report.faults) == len(lines) - len(good)
        assert report.moved + report.same == len(good)
    there = {
        (row["product"], row["size"]): int(row["stock"])
        for row in csv.DictReader(io.StringIO(await exported(shop)))
    }
    assert there == expected
    await stall.agreed(shop)
