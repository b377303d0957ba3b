"""The catalogue of problems: complete, in both languages, and the same over HTTP."""

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Formatter

import pytest

import comptoir
from comptoir.domains.credits.refusals import CODES, code_of, is_kept
from comptoir.guards.redis.link import RedisDown
from comptoir.kit.errors import ComptoirError, Misuse
from comptoir.ledger.outcomes import STICKY, Outcome
from comptoir.web.catalogue import PROBLEMS, Exit
from comptoir.web.complaints import FIELDS
from comptoir.web.languages import negotiate
from comptoir.web.problems import document
from comptoir.web.remedies import remedies
from comptoir.web.server import DOCUMENTED
from tests.support.site import Site

SOURCE = Path(comptoir.__file__).parent
RAISING = {"PydanticCustomError", "field", *(
    each.__name__ for each in (ComptoirError, *ComptoirError.__subclasses__(), RedisDown)
    if each is not Misuse  # a program's fault, which no client of the API can commit
)}  # fmt: skip


AT_START = ("embedded-", "env-file-", "home-moved")
"""What is said before anything is served."""


def codes_in(path: Path) -> Iterator[str]:
    """Every literal code that a file raises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        arguments = node.args[1:] if called == "field" else node.args[:1]
        if called in RAISING:
            yield from (
                each.value
                for each in arguments[:1]
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def raised() -> set[str]:
    """What HTTP can meet: the command line and the library have words of their own."""
    doors = {"cli", "library"}
    below = [path for path in SOURCE.rglob("*.py") if not doors & {*path.parts}]
    found = {code for path in below for code in codes_in(path)}
    return {code for code in found if not code.startswith(AT_START)}


def test_the_scan_sees_codes() -> None:
    assert raised() >= {"unknown-asset", "amount-invalid", "overloaded", "cursor-invalid"}


def test_every_code_has_a_line() -> None:
    assert raised() - PROBLEMS.keys() - FIELDS.keys() == set()


def test_every_line_has_a_use() -> None:
    used = {code for path in SOURCE.rglob("*.py") for code in codes_in(path)}
    used |= {code for code in CODES.values() if code}
    used |= {"insufficient-tokens", "insufficient-stock", "internal", "shutting-down"}
    used |= {code for each in DOCUMENTED for code in each.codes}
    text = "".join(path.read_text() for path in SOURCE.glob("web/*.py") if "catal" not in path.name)
    assert {code for code in PROBLEMS if code not in used and f'"{code}"' not in text} == set()


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_code(outcome: Outcome) -> None:
    assert outcome in CODES
    is_success = outcome in (Outcome.CREATED, Outcome.EXISTS)
    for asset in ("credits", "tokens", "stock", "gems"):
        code = code_of(outcome, asset)
        assert (code is None) == is_success
        assert code is None or code in PROBLEMS


def test_codes_of_operations_are_in_the_catalogue() -> None:
    assert {code for each in DOCUMENTED for code in each.codes} <= PROBLEMS.keys()


@pytest.mark.parametrize("outcome", Outcome)
def test_only_stored_refusals_ask_for_a_new_key(outcome: Outcome) -> None:
    assert is_kept(outcome) == (outcome in STICKY and outcome is not Outcome.CREATED)
    code = CODES[outcome]
    if code is not None:
        stored = PROBLEMS[code].status in (402, 409)
        assert stored or not is_kept(outcome)


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_line(code: str) -> None:
    problem = PROBLEMS[code]
    assert re.fullmatch("[a-z]+(-[a-z0-9]+)*", code)
    assert 400 <= problem.status < 600
    assert isinstance(problem.exit, Exit)
    assert problem.exit is not Exit.DONE
    for texts in (problem.title, problem.detail):
        english, french = texts
        assert english
        assert french
        assert english != french
    holes = [{name for _, name, _, _ in Formatter().parse(text)} for text in problem.detail]
    assert holes[0] == holes[1]


@pytest.mark.parametrize("kind", FIELDS)
def test_a_line_of_a_field(kind: str) -> None:
    code, (english, french) = FIELDS[kind]
    assert re.fullmatch("[a-z]+(-[a-z]+)*", code)
    assert english != french
    holes = [{name for _, name, _, _ in Formatter().parse(text)} for text in (english, french)]
    assert holes[0] == holes[1]


def test_an_unknown_code_shows_nothing_of_itself() -> None:
    shown = document("no-such-code", "en", {"secret": "x"}, "/api")
    assert shown["code"] == "internal"
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("header", "default", "language"),
    [
        ("fr", "en", "fr"), ("en", "fr", "en"), ("fr-CA", "en", "fr"), ("FR", "en", "fr"),
        ("de", "fr", "fr"), ("de", "en", "en"), ("*", "fr", "fr"), ("", "fr", "fr"),
        ("fr;q=0.8, en;q=0.9", "fr", "en"), ("fr;q=0.9, en;q=0.9", "en", "fr"),
        ("de, fr;q=0.5", "en", "fr"), ("fr;q=0", "en", "en"), ("fr;q=x", "en", "en"),
        ("en;q=0, *", "fr", "fr"), ("fr;q=2", "en", "fr"), (", ,;", "en", "en"),
        ("fr" + "," * 2_000, "en", "en"), ("de;q=1,fr;level=1", "en", "fr"),
    ],
    ids=lambda value: str(value)[:24] or "empty",
)  # fmt: skip
def test_languages(header: str, default: str, language: str) -> None:
    assert negotiate(header, default) == language


def test_problems_in_french(site: Site) -> None:
    asked = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"}
    body = {"customer": "nobody-at-all", "amount": 5}
    refused = site.post("/api/credits/spend", body, headers=asked)
    assert refused.headers["content-language"] == "fr"
    assert refused.headers["vary"] == "Accept-Language"
    assert refused.json()["title"] == "Crédits insuffisants"
    assert refused.json()["detail"] == "5 requis, 0 disponibles."
    unit = {"customer": "stock:NONE:M", "amount": 5}
    stock = site.post("/api/credits/spend", unit, headers=asked)
    assert (stock.status_code, stock.json()["title"]) == (400, "Stock insuffisant")
    wrong = site.post("/api/credits/spend", {"customer": "x", "amount": "-1"}, headers=asked)
    assert wrong.json()["errors"][0]["message"].startswith("doit être un entier")


def test_problem_pages(site: Site) -> None:
    for language, word in (("fr", "Crédits insuffisants"), ("en", "Not enough credits")):
        page = site.http.get(
            f"{site.url}/problems/insufficient-credits", headers={"Accept-Language": language}
        )
        assert page.status_code == 200
        assert page.headers["content-language"] == language
        assert page.text.index(word) < page.text.index("{needed}")
    for told in (*remedies()["insufficient-credits"].cause, *remedies()["overloaded"].fix):
        code = "overloaded" if told in remedies()["overloaded"].fix else "insufficient-credits"
        assert escape(told) in site.http.get(f"{site.url}/problems/{code}").text
    shown = site.http.get(f"{site.url}/problems/database-down").text
    assert "<code>comptoir doctor</code>" in shown
    listed = site.http.get(f"{site.url}/problems").text
    assert all(f'href="/problems/{code}"' in listed for code in PROBLEMS)
    assert site.http.get(f"{site.url}/problems/none").json()["code"] == "not-found"
