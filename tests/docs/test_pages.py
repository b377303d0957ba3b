"""The tutorial and the guides are run as they stand, block after block, and print what they say."""

import ast
import asyncio
import inspect
import io
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, redirect_stdout
from decimal import Decimal
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from comptoir import Comptoir
from scripts import reference_pages
from tests.support.postgres import Cluster, Database

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("tutorial/*.md"), *DOCS.glob("guides/*.md")])
SHELL = DOCS / "guides" / "operations.md"
SELLING = DOCS / "guides" / "sell-credits.md"
STOCK = DOCS / "guides" / "sell-limited-stock.md"
LIVE = DOCS / "guides" / "live-balances.md"
BADGE = DOCS / "guides" / "badge.md"
POLICY = DOCS / "guides" / "strict-csp.md"
OWN_TESTS = {SHELL, SELLING, STOCK, LIVE, BADGE, POLICY}
"""They have tests of their own, for they are written for a shell, or for a browser."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KINDS = {"python", "text", "sh", "toml", "json", "ini", "html", "ts"}


def named(page: Path) -> str:
    return str(page.relative_to(DOCS))


@pytest.fixture
def shop(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Database]:
    with cluster.database() as database:
        monkeypatch.setenv("DATABASE_URL", database.url)
        monkeypatch.chdir(tmp_path)
        yield database


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """What stands in fences: the kind, the text, and the line it begins in."""
    text = page.read_text()
    return [
        (found[1], found[2], text[: found.start()].count("\n") + 2)
        for found in BLOCK.finditer(text)
    ]


def compiled(page: Path, text: str, line: int) -> CodeType:
    """A block whose awaits stand at the top, as in an interpreter, with the page's line numbers."""
    tree = ast.increment_lineno(ast.parse(text), line - 1)
    return compile(tree, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def run(code: CodeType, names: dict[str, Any]) -> None:
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


@contextmanager
def opened(runner: asyncio.Runner) -> Iterator[Comptoir]:
    """The books that are open where a page does not open its own."""
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(Comptoir.open()))
    runner.run(stack.aclose())


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_TESTS], ids=named)
def test_pages_do_what_they_say(page: Path, shop: Database) -> None:
    names: dict[str, Any] = {"Decimal": Decimal, "DATABASE_URL": shop.url}
    printed, ran = io.StringIO(), 0
    with asyncio.Runner() as runner, opened(runner) as books:
        for kind, text, line in blocks(page):
            if kind == "text":
                assert printed.getvalue() == text, f"{page.name}:{line}"
                printed = io.StringIO()
            if kind != "python":
                continue
            code = compiled(page, text, line)
            ran += 1
            with redirect_stdout(printed):
                if code.co_flags & inspect.CO_COROUTINE:
                    names["books"] = books  # whatever a block before has opened and closed
                    runner.run(run(code, names))
                else:
                    exec(code, names)
    assert ran


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_fences_are_of_a_kind_that_is_looked_at(page: Path) -> None:
    found = blocks(page)
    assert {kind for kind, _, _ in found} <= KINDS
    assert page.read_text().count("```") == 2 * len(found)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    made = {(DOCS / "reference" / name).resolve() for name in reference_pages.pages()}
    here = {link: (page.parent / link).resolve() for link in links if "://" not in link}
    assert [link for link, path in here.items() if path not in made and not path.exists()] == []
