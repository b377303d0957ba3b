"""What pages for operators are written with: templates that trust nothing, every text twice."""

import ast
import re
from pathlib import Path

import pytest

from comptoir import flows
from comptoir.web.dashboard import pages
from comptoir.web.dashboard.facts import facts
from comptoir.web.dashboard.look import Look
from comptoir.web.dashboard.texts import PARTS, TEXTS

FOLDER = Path(pages.__file__).parent
SHARED = FOLDER.parent / "pages"
TEMPLATES = {
    path.name: path.read_text()
    for folder in (FOLDER, SHARED)
    for path in (folder / "templates").glob("*.html")
}


def test_templates_trust_nothing() -> None:
    bad = re.compile(r"\|\s*safe|hx-on|js:|<style|\sstyle=|<script(?! src)|\son[a-z]+=|autoescape")
    for name, text in TEMPLATES.items():
        assert not bad.search(text), name
    for sample in (
        "{{ x | safe }}",
        '<p style="a">',
        "<script>x",
        ' onclick="x"',
        'hx-on:click="x"',
    ):
        assert bad.search(sample)


def test_every_text_is_used_and_in_both_languages() -> None:
    sources = "".join(path.read_text() for path in FOLDER.glob("*.py") if "texts" not in path.name)
    said = "".join(TEMPLATES.values()) + sources.replace('"', "'")
    made = set(re.findall(r"'([a-z]+[.-])' ~", said))
    made |= {"done.", "need.", "fact."}
    assert sum(map(len, PARTS)) == len(TEXTS), "two parts have a text of one name"
    for key, texts in TEXTS.items():
        assert all(texts), key
        assert f"'{key}'" in said or key.startswith(tuple(made)), key
    asked = set(re.findall(r"\bt\('([a-z0-9.-]+)'[,)]", said))
    assert asked - set(TEXTS) == set()
    assert len(asked) > 60


def test_every_figure_of_a_case_has_a_name() -> None:
    calls = [
        each
        for path in Path(flows.__file__).parent.rglob("*.py")
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.Call) and getattr(each.func, "attr", "") == "open_case"
    ]
    said = {word.arg for call in calls for word in call.keywords if word.arg}
    assert len(said) > 15
    assert [name for name in sorted(said) if f"fact.{name}" not in TEXTS] == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", [("Amount", "79.00 EUR"), ("Real money", "no"), ("Number", "—"), ("x", "1")]),
        ("fr", [("Montant", "79,00 EUR"), ("Argent réel", "non"), ("Numéro", "—"), ("x", "1")]),
    ],
)
def test_figures_of_a_case_are_told_in_words(language: str, told: list[tuple[str, str]]) -> None:
    figures = {"amount": 7900, "currency": "eur", "livemode": False, "number": None, "x": 1}
    assert facts(Look(language, "auto", "/"), figures) == told
    assert facts(Look("en", "auto", "/"), {"amount": 5}) == [("Amount", "5")]
