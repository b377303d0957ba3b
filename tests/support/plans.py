"""What PostgreSQL means to do with a statement, whatever its parameters are."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import psycopg

SMALL: Final = {"books", "assets", "plans", "alembic_version", "earnings_until"}
"""Tables of a page or two, which are quicker read than looked up in."""

_VERB: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s|%s")
_WHOLE_BOOK: Final = re.compile(r"\(?book_id = [^ ]+\)?")
"""A look-up by nothing but the book reads as much as no look-up at all."""

Node = dict[str, Any]


def statements(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The statements of a module by their names; of several under one name, each with a number."""
    short = module.__name__.removeprefix("comptoir.")
    for name, value in vars(module).items():
        texts = value if isinstance(value, tuple) else (value,)
        for number, text in enumerate(texts):
            if isinstance(text, str) and _VERB.match(text):
                more = f".{number}" if len(texts) > 1 else ""
                yield f"{short}.{name.strip('_')}{more}", text


def numbered(text: str) -> str:
    """A statement with numbered parameters, one for each name or place."""
    seen: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1] or f"place {len(seen)}"
        return f"${seen.setdefault(name, len(seen) + 1)}"

    return _PARAMETER.sub(number, text)


def plan(connection: psycopg.Connection, text: str) -> list[Node]:
    """The nodes of the plan that a prepared statement has whatever its parameters are."""
    explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered(text)}"
    found: Any = connection.execute(explain.encode()).fetchone()
    return list(_nodes(found[0][0]["Plan"]))


def reads_as_a_whole(node: Node) -> bool:
    """Whether a node reads all rows of a table, or of a table's book."""
    if node.get("Relation Name") in SMALL:
        return False
    if node["Node Type"] == "Seq Scan":
        return True
    if node["Node Type"] not in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}:
        return False
    return _WHOLE_BOOK.fullmatch(node.get("Index Cond", "book_id = x")) is not None


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
