"""The house rules that no tool knows, each tried on a bad sample too, so that it can fail."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "bench", "scripts")
FILE_LINES = 500
FUNCTION_LINES = 60
# Longer than the limit for now: "path::function" -> lines. A figure may only shrink.
RATCHET: dict[str, int] = {}
# A single long run of guard clauses is what makes it readable.
ANY_LENGTH = {"src/comptoir/ledger/apply.py"}
BANNED = {
    "common", "data", "helper", "info", "manager", "misc",
    "service", "transaction", "util", "wallet",
}  # fmt: skip
# PostgreSQL's own transaction; the role that the API calls service.
ALLOWED = {
    "src/comptoir/store/": {"transaction"},
    "src/comptoir/library/": {"transaction"},
    "src/comptoir/sync.py": {"transaction"},
    "tests/library/": {"transaction"},
    "src/comptoir/kit/actor.py": {"service"},
}
# Spelt so that this file does not find itself.
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b")
ELSEWHERE = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org"
    r"|(?<![\w.~-])/(?:work|root)/|/tmp/(?:lab|brief|home-|bash_jobs)|/opt/(?:pypi|wheels)"
)
LEFT_OUT = re.compile(r"# (?:noqa|pyright: ignore|type: ignore)")
EXCUSED = re.compile(
    r"# (?:noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|(?:pyright|type): ignore\[[\w, -]+\])"
    r"  # .*\w"
)
Rule = Callable[[str, ast.Module, list[str]], Iterator[str]]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTION))


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    rest = [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that the file makes, with its line; a name it only uses is someone else's."""
    for node in ast.walk(tree):
        if isinstance(node, (*FUNCTION, ast.ClassDef)):
            yield node.lineno, node.name
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        if isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def words(name: str) -> set[str]:
    """`TotalData` and `total_datas` both hold `data`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return {form for word in snake.split("_") for form in (word, word.removesuffix("s"))}


def short_file(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES}"


def short_functions(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    if path in ANY_LENGTH:
        return
    for function in functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        recorded = RATCHET.get(f"{path}::{function.name}", FUNCTION_LINES)
        if length > recorded:
            yield f"{path}:{function.lineno}: {function.name} has {length} lines, not {recorded}"


def says_what_it_is(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    if path.startswith("src/") and not ast.get_docstring(tree):
        yield f"{path}: no module docstring"


def own_words(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    allowed = {word for place, some in ALLOWED.items() if path.startswith(place) for word in some}
    for line, name in [(1, Path(path).stem), *definitions(tree)]:
        if found := words(name) & BANNED - allowed:
            yield f"{path}:{line}: {name}: not a word of this house: {', '.join(sorted(found))}"


def bounded_loops(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    for loop in (node for node in ast.walk(tree) if isinstance(node, ast.While)):
        beside = "".join(lines[max(loop.lineno - 2, 0) : loop.lineno])
        if isinstance(loop.test, ast.Constant) and "#" not in beside:
            yield f"{path}:{loop.lineno}: an endless loop names its bound in a comment beside it"


def no_network_inside(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    for function in functions(tree) if path.startswith("src/") else ():
        names = [parameter.arg for parameter in parameters(function.args)]
        first = next((name for name in names if name not in {"self", "cls"}), None)
        clients = [name for name in names if words(name) & {"client", "http"}]
        if first == "tx" and clients:
            yield f"{path}:{function.lineno}: {function.name} could call {clients[0]} inside tx"


def excused(path: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    """Whoever leaves out a check says on the line why; a comment above is lost in the next move."""
    for number, line in enumerate(lines if path.startswith("src/") else (), 1):
        if LEFT_OUT.search(line) and not EXCUSED.search(line):
            yield f"{path}:{number}: no reason behind {line.partition('# ')[2]}"


BAD: dict[Rule, str] = {
    short_file: "pass\n" * (FILE_LINES + 1),
    short_functions: "def long():\n" + "    pass\n" * FUNCTION_LINES,
    says_what_it_is: "import ast\n",
    own_words: "class UserData: ...\n",
    bounded_loops: "while True:\n    pass\n",
    no_network_inside: "async def pay(tx, *, stripe_client): ...\n",
    excused: "import slow  # n" + "oqa: PLC0415\n",
}


def tracked() -> list[str]:
    """What git holds or would hold: a new file is judged before its first commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


TEXTS = {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in tracked()}
SOURCES = {
    path: (ast.parse(text), text.splitlines())
    for path, text in TEXTS.items()
    if path.endswith(".py") and path.split("/", 1)[0] in FOLDERS
}


@pytest.mark.parametrize("rule", BAD, ids=lambda rule: rule.__name__)
def test_sources(rule: Rule):
    found = [fault for path, (tree, text) in SOURCES.items() for fault in rule(path, tree, text)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("rule", BAD, ids=lambda rule: rule.__name__)
def test_rule_finds_a_bad_sample(rule: Rule):
    text = BAD[rule]
    assert list(rule("src/comptoir/sample.py", ast.parse(text), text.splitlines()))


def test_ratchet_names_only_what_is_still_long():
    lengths = {
        f"{path}::{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path, (tree, _) in SOURCES.items()
        for function in functions(tree)
    }
    slack = [
        f"{name}: {lengths.get(name)}" for name, at in RATCHET.items() if lengths.get(name) != at
    ]
    assert not slack, f"lower or drop these entries: {slack}"


def test_every_package_says_what_it_owns():
    packages = [path for path in SOURCES if re.fullmatch(r"src/comptoir/.+/__init__\.py", path)]
    silent = [
        path
        for path in packages
        if str(Path(path).with_name("README.md")) not in TEXTS
        and not (ast.get_docstring(SOURCES[path][0]) or "").startswith("Owns")
    ]
    assert packages
    assert not silent, f"neither a README.md nor a docstring that begins with 'Owns': {silent}"


@pytest.mark.parametrize("pattern", [UNFINISHED, ELSEWHERE], ids=["unfinished", "elsewhere"])
def test_no_file_holds(pattern: re.Pattern[str]):
    found = [
        f"{path}:{number}: {match.group()}"
        for path, text in TEXTS.items()
        if "\0" not in text  # a picture may hold any letters
        for number, line in enumerate(text.splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert not found, "\n".join(["", *found])


def test_patterns_find_what_they_forbid():
    assert UNFINISHED.search("todo".upper())
    assert ELSEWHERE.search("pypi org".replace(" ", "."))
    assert ELSEWHERE.search(Path("/", "work", "main").as_posix())


def pins(path: str) -> dict[str, str]:
    """Name and markers -> version; a line of any other shape than a pin and its hashes fails."""
    joined = TEXTS[path].replace("\\\n", " ")
    shape = re.compile(r"([a-z0-9-]+)==(\S+)( ; [^#@]+?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*")
    matches = [(line, shape.fullmatch(line)) for line in joined.splitlines()]
    strange = [line[:80] for line, match in matches if not match]
    assert not strange, f"{path}: not a pin with hashes: {strange}"
    return {f"{match[1]}{match[3] or ''}": match[2] for _, match in matches if match}


def test_locks_hold_pins_with_hashes_and_agree():
    run_time, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert run_time
    assert run_time.items() <= development.items()
