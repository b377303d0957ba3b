"""From bytes to records: whatever a file holds, a record or one clear fault comes out."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.domains.credits.imports.model import Fault, Form, Record
from comptoir.domains.credits.imports.reading import Lines, records, shown
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import IMPORT_COLUMNS, IMPORT_LINE_BYTES


class Endless(io.RawIOBase):
    """A line that never ends; counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # pyright: ignore[reportArgumentType]
        view[:] = b"x" * len(view)
        self.taken += len(view)
        return len(view)


def read(raw: bytes, form: Form = Form.CSV, most: int = 1_000) -> list[Record | Fault]:
    return list(records(Lines(io.BytesIO(raw)), form, most))


def cells(raw: bytes, form: Form = Form.CSV) -> list[tuple[int, dict[str, object]]]:
    found = read(raw, form)
    assert all(isinstance(each, Record) for each in found), found
    return [(each.line, dict(each.cells)) for each in found if isinstance(each, Record)]


def fault(raw: bytes, form: Form) -> tuple[int, str]:
    [found] = [each for each in read(raw, form) if isinstance(each, Fault)]
    return found.line, found.error.code


def refused(raw: bytes, form: Form = Form.CSV, most: int = 1_000) -> tuple[str, object]:
    with pytest.raises(Invalid) as error:
        read(raw, form, most)
    return error.value.code, error.value.figures.get("line")


@pytest.mark.parametrize(
    "raw",
    [
        b"id,n\na,1\nb,2\n",
        b"id,n\r\na,1\r\nb,2\r\n",
        b"\xef\xbb\xbfid,n\na,1\nb,2",
        b'"id","n"\n"a","1"\n"b","2"\n',
        b"id;n\na;1\nb;2\n",
        b"id\tn\na\t1\nb\t2\n",
        b" id , n \na,1\nb,2\n",
    ],
    ids=["unix", "windows", "bom", "quotes", "semicolons", "tabs", "spaced-heading"],
)
def test_csv_in_every_spelling(raw: bytes):
    assert cells(raw) == [(2, {"id": "a", "n": "1"}), (3, {"id": "b", "n": "2"})]


def test_lines_are_numbered_as_an_editor_numbers_them():
    raw = b'\n\nid,n\n\na,"one\ntwo, ""three"""\n\nb,2\n'
    assert cells(raw) == [(5, {"id": "a", "n": 'one\ntwo, "three"'}), (8, {"id": "b", "n": "2"})]


def test_a_row_of_another_width_is_a_fault_of_its_line():
    found = read(b"id,n\na\nb,2\nc,3,4\n")
    kinds = [(each.line, isinstance(each, Fault)) for each in found]
    assert kinds == [(2, True), (3, False), (4, True)]
    [first, _, last] = found
    assert isinstance(first, Fault)
    assert isinstance(last, Fault)
    assert first.error.figures == {"wanted": 2, "found": 1}
    assert last.error.figures == {"wanted": 2, "found": 3}


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"", "import-empty", None),
        (b"\n\n", "import-empty", None),
        (b"id,n\n", "import-empty", None),
        (b"id,n\na,1\nb,\xe9\n", "import-encoding", 3),
        (b"\xff\xfei\x00d\x00", "import-encoding", 1),
        (b"id,n\na,1\x00\n", "import-nul", 2),
        (b'id,n\na,1\nb,"2\nc,3\n', "import-quotes", 3),
        (b'id,n\na,"1"2\n', "import-quotes", 2),
        (b'id,n\na,"' + b"x" * 200_000 + b'"\n', "import-quotes", 2),
        (b"id,n\na," + b"x" * IMPORT_LINE_BYTES + b"\n", "import-line-too-long", 2),
        (b"id,n,id\na,1,b\n", "import-column-twice", None),
        (b"n," * IMPORT_COLUMNS + b"n\n", "import-too-many-columns", None),
        (b'id\n"' + b"x" * 1_000 + b"\n" * IMPORT_LINE_BYTES, "import-quotes", 2),
        (b"id\na\nb\nc\n", "import-too-many-lines", None),
    ],
)
def test_files_that_cannot_be_read_on(raw: bytes, code: str, line: int | None):
    assert refused(raw, most=2 if code == "import-too-many-lines" else 1_000) == (code, line)


def test_a_line_without_end_is_not_read_to_its_end():
    endless = Endless()
    with pytest.raises(Invalid, match="import-line-too-long"):
        list(records(Lines(io.BufferedReader(endless)), Form.JSONL))
    assert endless.taken < 2 * IMPORT_LINE_BYTES


def test_numbers_of_json_stay_as_they_are_written():
    raw = b'{"a": 0.30000000000000004, "b": 1e3, "c": 5, "d": "x", "e": null, "f": 12.50}\n'
    wanted = {"a": "0.30000000000000004", "b": "1e3", "c": "5", "d": "x", "e": None, "f": "12.50"}
    assert cells(raw, Form.JSONL) == [(1, wanted)]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1]",
        b"5",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1} {"b": 2}',
        b"[" * 100_000,
        b'{"a": ' + b'{"a": ' * 50_000,
    ],
    ids=["open", "list", "number", "nan", "inf", "twice", "two", "deep-list", "deep-object"],
)
def test_what_is_not_one_object_is_a_fault_of_its_line(raw: bytes):
    assert fault(b'{"n": 1}\n\n' + raw + b'\n{"n": 2}\n', Form.JSONL) == (3, "import-json")


@pytest.mark.parametrize(
    ("key", "customer"),
    [
        ("user:alice", "alice"),
        ("alice", "alice"),
        ("users:alice:stats", "alice"),
        ("stats:user:alice", "alice"),
        ("user-stats:shop:7", "shop:7"),
        ("user:stats", "stats"),
        ("test-user-id", "test-user-id"),
    ],
)
def test_the_customer_of_a_key(key: str, customer: str):
    line = json.dumps({"key": key, "value": {"tokenBalance": 5}}).encode()
    assert cells(line, Form.REDIS) == [(1, {"tokenBalance": "5", "key": customer})]


def test_the_value_of_a_key_may_be_the_text_that_redis_holds():
    line = json.dumps({"key": "user:a", "value": json.dumps({"tokenBalance": 5})}).encode()
    assert cells(line, Form.REDIS) == [(1, {"tokenBalance": "5", "key": "a"})]


@pytest.mark.parametrize(
    "dumped",
    [{"key": "a"}, {"key": [5], "value": {}}, {"key": "a", "value": [1]}, {"value": {}}, {}],
    ids=str,
)
def test_what_is_no_dumped_object(dumped: object):
    assert fault(json.dumps(dumped).encode(), Form.REDIS) == (1, "import-redis")


def test_a_value_that_is_no_json():
    assert fault(b'{"key": "a", "value": "not json"}', Form.REDIS) == (1, "import-json")


@given(st.binary(max_size=300), st.sampled_from(Form))
def test_no_bytes_raise_anything_but_a_clear_refusal(raw: bytes, form: Form):
    try:
        found = read(raw, form)
    except Invalid:
        return
    assert found


def test_what_is_shown_is_short_and_printable():
    assert shown("a\x1b[31m\ud800" + "x" * 100) == "a?[31m?" + "x" * 32 + "…"
