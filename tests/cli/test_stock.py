"""`comptoir stock`: what is sold is shown, moved, counted from files and written to them."""

import csv
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir import Item
from comptoir.sync import Comptoir
from tests.cli.conftest import Inside
from tests.support.postgres import Database

pytestmark = pytest.mark.pg

HEADING = "product,size,name,price,currency,low_stock_threshold,stock"
STALL = f"{HEADING}\nTEE,M,Tee,2500,eur,2,5\nTEE,L,Tee,2500,eur,2,1\nCAP,U,Cap,1900,eur,0,7\n"


def written(inside: Inside, text: str, name: str = "stock.csv") -> str:
    path = Path(inside.shell.folder, name)
    path.write_bytes(text.encode())
    return str(path)


def stocks(inside: Inside, *more: str) -> dict[str, int]:
    items = inside("stock", "list", "--json", *more).json["items"]
    return {
        f"{each['product']} {size['size']}": size["stock"]
        for each in items
        for size in each["sizes"]
    }


def put(inside: Inside, *more: str) -> Any:  # noqa: ANN401
    said = ("--name", "Tee", "--price", "2500", "--currency", "eur", "--size", "M:5", "--size", "L")
    return inside("stock", "put", "TEE", *said, *more)


def test_put_move_and_show(inside: Inside):
    made = put(inside, "--json", "--idempotency-key", "tee").json
    assert made["price"] == {"amount": 2500, "currency": "eur"}
    assert [(each["size"], each["low_stock_threshold"]) for each in made["sizes"]] == [
        ("M", 5), ("L", 0),
    ]  # fmt: skip
    assert put(inside, "--json", "--idempotency-key", "tee").json == made
    moved = inside(
        "stock", "move", "TEE", "M", "7", "--reason", "Delivery", "--reference", "BL-1",
        "--idempotency-key", "one", "--json",
    )  # fmt: skip
    again = inside(
        "stock", "move", "TEE", "M", "7", "--reason", "Delivery", "--reference", "BL-1",
        "--idempotency-key", "one", "--json",
    ).json  # fmt: skip
    assert again == moved.json | {"replayed": True}
    assert moved.json["movement"] | {"id": "", "date": ""} == {
        "id": "", "product": "TEE", "size": "M", "type": "restock", "quantity": 7,
        "stock_before": 0, "stock_after": 7, "reason": "Delivery", "reference": "BL-1",
        "order_reference": None, "date": "",
    }  # fmt: skip
    torn = inside("stock", "move", "TEE", "M", "-2", "--type", "adjustment", "--reason", "Torn")
    assert (torn.code, torn.out) == (0, "TEE M: -2, from 7 to 5.\n")
    assert "Idempotency-Key: " in torn.err
    shown = inside("stock", "list").out.splitlines()
    assert shown[0].split() == [
        "product", "size", "name", "price", "stock", "reserved", "available", "level",
    ]  # fmt: skip
    assert shown[1].split() == ["TEE", "M", "Tee", "25.00", "EUR", "5", "0", "5", "low"]
    newest, oldest = inside("stock", "movements", "--product", "TEE", "--json").json["items"]
    assert (newest["quantity"], newest["type"], oldest["id"]) == (
        -2, "adjustment", moved.json["movement"]["id"],
    )  # fmt: skip
    assert len(inside("stock", "movements", "--limit", "1", "--json").json["items"]) == 1
    assert inside("stock", "movements", "--size", "L", "--json").json["items"] == []
    french = inside("stock", "movements", COMPTOIR_LOCALE="fr").out
    assert "réception" in french
    assert "Delivery" in french
    assert inside("stock", "list", "--book", "test", "--json").json["items"] == []


def test_what_is_refused_says_why_and_how(inside: Inside):
    put(inside)
    move = ("stock", "move", "TEE", "M")
    short = inside(*move, "-1", "--type", "adjustment", "--reason", "Stolen")
    assert (short.code, short.out) == (5, "")
    assert "available" in short.err
    inside(*move, "1", "--reason", "x", "--idempotency-key", "one")
    reused = inside(*move, "2", "--reason", "x", "--idempotency-key", "one")
    assert reused.code in (2, 5)
    assert stocks(inside) == {"TEE M": 1, "TEE L": 0}
    for wrong in [
        ("stock", "put", "TEE", "--name", "x", "--price", "25.00", "--size", "M"),
        ("stock", "put", "TEE", "--name", "x", "--price", "0", "--size", "M"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1", "--size", "M:1.5"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1", "--size", ":1"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1", "--size", "M:x"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1", "--size", "M", "--size", "M:2"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1", "--size", "M", "--currency", "zzz"),
        ("stock", "put", "T E", "--name", "x", "--price", "1", "--size", "M"),
        ("stock", "put", "TEE", "--name", "x", "--price", "1"),
        (*move, "1.5", "--reason", "x"),
        (*move, str(2**40), "--reason", "x"),
        (*move, "1", "--type", "sale", "--reason", "x"),
        (*move, "1"),
        ("stock", "orders", "--status", "lost"),
        ("stock", "movements", "--limit", "0"),
        ("stock", "import"),
    ]:
        ended = inside(*wrong)
        assert (ended.code, ended.out) == (2, ""), (wrong, ended)
        assert ended.err, wrong
        assert "internal" not in ended.err, wrong
    assert stocks(inside) == {"TEE M": 1, "TEE L": 0}
    down = inside("stock", "list", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert down.code == 4


def test_orders_and_what_expires(inside: Inside, database: Database):
    put(inside)
    inside("stock", "move", "TEE", "M", "3", "--reason", "Delivery")
    with Comptoir.open(database.url) as books:
        books.stock.reserve([Item("TEE", "M", 2)], reference="call")
    [tee] = inside("stock", "list", "--json").json["items"]
    assert (tee["sizes"][0]["reserved_stock"], tee["sizes"][0]["available_stock"]) == (2, 1)
    none = {"examined": 0, "released": 0, "captured": 0, "kept": 0}
    assert inside("stock", "expire", "--json").json == none
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("UPDATE comptoir.orders SET expires_at = now() - interval '1 minute'")
    ended = inside("stock", "expire")
    assert ended.out == "1 examined: 1 released, 0 paid meanwhile, 0 kept.\n"
    assert inside("stock", "expire", "--json").json == none
    assert inside("stock", "orders", "--json").json == {"items": []}
    assert inside("stock", "orders", "--status", "paid", "--customer", "bob").code == 0


def test_a_count_is_imported_shown_and_exported(inside: Inside):
    count = written(inside, STALL)
    dry = inside("stock", "import", count, "--dry-run")
    assert dry.code == 0
    assert "TEE M: 0 -> 5" in dry.out
    assert stocks(inside) == {}
    done = inside("stock", "import", count, "--json")
    assert done.code == 0
    said = {"form": "count", "lines": 3, "new_products": 2, "moved": 3, "added": 13}
    assert done.json | said == done.json
    assert stocks(inside) == {"TEE M": 5, "TEE L": 1, "CAP U": 7}
    assert inside("stock", "movements", "--json").json["items"][0]["reason"] == "Import stock.csv"
    printed = inside("stock", "export").out
    assert printed.splitlines()[0] == f"{HEADING},reserved,available,on_refund"
    path = Path(inside.shell.folder, "all.csv")
    ended = inside("stock", "export", str(path))
    assert (ended.code, ended.out) == (0, "")
    assert path.read_text() == printed
    again = inside("stock", "import", str(path), "--json").json
    assert (again["moved"], again["unchanged"], again["changed_products"]) == (0, 3, 0)
    assert sorted(each.name for each in path.parent.glob("*.csv*")) == ["all.csv", "stock.csv"]
    assert stocks(inside, "--book", "test") == {}


def test_refused_lines_are_said_in_words_and_as_a_file(inside: Inside):
    inside("stock", "import", written(inside, STALL))
    text = f"{HEADING}\nTEE,M,,,,,1.5\nTEE,L,=1+1,,,,2\nCAP,U,,,,,9\n"
    bad = Path(inside.shell.folder, "bad.csv")
    ended = inside("stock", "import", written(inside, text), "--refused", str(bad))
    assert ended.code == 5
    assert "line 2: stock is 1.5; it must be a whole number from 0 to" in ended.err
    assert stocks(inside) == {"TEE M": 5, "TEE L": 1, "CAP U": 9}
    with bad.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["line"], row["field"], row["product"]) for row in rows] == [
        ("2", "stock", "TEE"), ("3", "name", "TEE"),
    ]  # fmt: skip
    assert rows[1]["name"] == "'=1+1", "a spreadsheet must not reckon it"
    bad.write_text(bad.read_text().replace("1.5,", "4,", 1))
    mended = inside("stock", "import", str(bad))
    assert mended.code == 0, mended.err
    assert stocks(inside) == {"TEE M": 4, "TEE L": 2, "CAP U": 9}
    french = inside("stock", "import", written(inside, text), COMPTOIR_LOCALE="fr")
    assert "il faut un nombre entier" in french.err


def test_a_delivery_is_imported_once(inside: Inside):
    inside("stock", "import", written(inside, STALL))
    path = written(inside, "product;size;delivered\r\nTEE;M;2\r\n", "van.csv")
    first = inside("stock", "import", path, "--json").json
    assert (first["form"], first["added"], first["changes"]) == (
        "delivery", 2,
        [{"product": "TEE", "size": "M", "stock_before": 5, "stock_after": 7}],
    )  # fmt: skip
    assert inside("stock", "import", path, "--json").json["unchanged"] == 1
    assert stocks(inside)["TEE M"] == 7
    inside("stock", "import", path, "--idempotency-key", "second van")
    inside("stock", "import", path, "--idempotency-key", "second van")
    assert stocks(inside)["TEE M"] == 9
    faulty = written(inside, "product,size,delivered\nTEE,M,2\nTEE,L,x\n", "van.csv")
    ended = inside("stock", "import", faulty)
    assert ended.code == 5
    assert "left out as a whole" in ended.err
    assert stocks(inside)["TEE M"] == 9


@pytest.mark.parametrize("text", ["", "product,size\nTEE,M\n", 'product,size,stock\nTEE,"M,1\n'])
def test_files_that_cannot_be_are_a_matter_of_usage(inside: Inside, text: str):
    ended = inside("stock", "import", written(inside, text))
    assert (ended.code, ended.out) == (2, "")
    assert inside("stock", "import", "nowhere.csv").code == 2
