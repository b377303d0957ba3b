"""What stands around a page of the guide: the way to all others, and to the pages before and after.

The text comes first and the rail after it: by keys and on a phone one reads before one chooses.
"""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Final

from comptoir.web import assets
from comptoir.web.guide import tree
from comptoir.web.guide.tree import Entry, Section
from comptoir.web.guide.words import CAPTIONS, TITLES, WORDS
from comptoir.web.languages import pick

_OTHERS: Final = (("routes", "/docs"), ("problems", "/problems"))


def inline(text: str) -> str:
    """Text whose backquotes mean code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def framed(name: str, content: str, language: str) -> str:
    """A whole page around its content, which is HTML."""
    heading = pick(WORDS["heading"], language)
    shown = heading if name == tree.INDEX else f"{_plain(name, language)} · {heading}"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(shown)}</title>"
        f'<link rel="stylesheet" href="{assets.address("guide.css")}"></head><body>'
        f"{_top(language)}"
        f'<div class="sheet"><main>{_note(name, language)}{content}{_turn(name, language)}</main>'
        f"{_rail(name, language)}</div></body></html>"
    )


def hello(language: str) -> str:
    """The first page: every page, and how it begins."""
    parts = [f"<h1>{escape(pick(WORDS['heading'], language))}</h1>"]
    parts.append(f'<p class="lead" lang="en">{_beginning(tree.INDEX)}</p>')
    for section in tree.sections():
        rows = "".join(_row(each, language) for each in section.entries)
        parts.append(f'<h2>{_caption(section, language)}</h2><ul class="list">{rows}</ul>')
    return "".join(parts)


def _row(entry: Entry, language: str) -> str:
    begins = _beginning(entry.name) if entry.name in tree.names() else ""
    told = f'<p lang="en">{begins}</p>' if begins else ""
    return f"<li>{_link(entry, language)}{told}</li>"


def _top(language: str) -> str:
    links = "".join(
        f'<a href="{address}">{escape(pick(WORDS[word], language))}</a>'
        for word, address in _OTHERS
    )
    return (
        f'<header class="top"><a class="brand" href="{tree.PREFIX}">Comptoir</a>'
        f'<nav aria-label="{escape(pick(WORDS["other"], language))}">{links}</nav>'
        f'<a class="jump" href="#pages">{escape(pick(WORDS["pages"], language))}</a></header>'
    )


def _note(name: str, language: str) -> str:
    """That guides are in English, for whoever reads something else."""
    if language != "fr" or name == tree.SETTINGS:
        return ""
    return f'<p class="note">{escape(pick(WORDS["english"], language))}</p>'


def _rail(name: str, language: str) -> str:
    parts = [f'<nav class="rail" id="pages" aria-label="{escape(pick(WORDS["pages"], language))}">']
    for section in tree.sections():
        rows = "".join(f"<li>{_link(each, language, name)}</li>" for each in section.entries)
        parts.append(f"<h2>{_caption(section, language)}</h2><ul>{rows}</ul>")
    return "".join([*parts, "</nav>"])


def _link(entry: Entry, language: str, here: str = "") -> str:
    now = ' aria-current="page"' if entry.name == here else ""
    if entry.name in TITLES:
        title = escape(pick(TITLES[entry.name], language))
        return f'<a href="{entry.address}"{now}>{title}</a>'
    return f'<a href="{entry.address}" lang="en"{now}>{_title(entry.name)}</a>'


def _turn(name: str, language: str) -> str:
    """The pages before and after this one, of those that are in the guide itself."""
    listed = [each for each in _everything() if each.address.startswith(tree.PREFIX)]
    at = next((at for at, each in enumerate(listed) if each.name == name), None)
    if at is None:
        return ""
    sides: list[str] = []
    for word, step in (("before", -1), ("after", 1)):
        if 0 <= at + step < len(listed):
            link = _link(listed[at + step], language)
            sides.append(f'<p class="{word}"><span>{pick(WORDS[word], language)}</span>{link}</p>')
    return f'<nav class="turn" aria-label="{pick(WORDS["turn"], language)}">{"".join(sides)}</nav>'


def _everything() -> Sequence[Entry]:
    return [each for section in tree.sections() for each in section.entries]


def _caption(section: Section, language: str) -> str:
    said = CAPTIONS.get(section.caption, (section.caption, section.caption))
    return escape(pick(said, language))


def _plain(name: str, language: str) -> str:
    from comptoir.web.guide.markdown import plain  # noqa: PLC0415  # slow to load

    return pick(TITLES[name], language) if name in TITLES else plain(tree.title_of(name))


@cache
def _title(name: str) -> str:
    from comptoir.web.guide.markdown import inline as of  # noqa: PLC0415  # slow to load

    return of(tree.title_of(name))


@cache
def _beginning(name: str) -> str:
    from comptoir.web.guide.markdown import beginning  # noqa: PLC0415  # slow to load

    return beginning(name)
