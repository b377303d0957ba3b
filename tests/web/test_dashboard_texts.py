"""What pages for operators are written with: templates that trust nothing, every text twice."""

import re
from pathlib import Path

from comptoir.web.dashboard import pages
from comptoir.web.dashboard.texts import PARTS, TEXTS

FOLDER = Path(pages.__file__).parent
TEMPLATES = {path.name: path.read_text() for path in (FOLDER / "templates").glob("*.html")}


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
    made |= {"done.", "need."}
    assert sum(map(len, PARTS)) == len(TEXTS), "two parts have a text of one name"
    for key, texts in TEXTS.items():
        assert all(texts), key
        assert f"'{key}'" in said or key.startswith(tuple(made)), key
    asked = set(re.findall(r"\bt\('([a-z0-9.-]+)'[,)]", said))
    assert asked - set(TEXTS) == set()
    assert len(asked) > 60
