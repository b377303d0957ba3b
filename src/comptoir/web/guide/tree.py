"""Where the guide's files are, which of them are pages, and in which order people find them.

The order is that of `index.md`, from which the site is made too: there is one list.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PREFIX: Final = "/docs/guide"
INDEX: Final = "index"
SETTINGS: Final = "reference/settings"
_MADE: Final = {
    "reference/routes": "/docs",
    "reference/errors": "/problems",
    SETTINGS: f"{PREFIX}/{SETTINGS}",
}
"""Pages of the site that a server makes of itself, and where it has them."""

_NOT_HERE: Final = {"reference/library", "pictures/pages"}
"""The site has them alone: what is made of Python's documentation strings (`help(comptoir)` says
the same), and pictures of pages that a server shows anyway."""

_LIST: Final = re.compile(
    r"^```\{toctree\}\n:caption: (?P<caption>.+?)\n(?P<names>.*?)^```", re.DOTALL | re.MULTILINE
)
_HEADING: Final = re.compile(r"^# (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place that people can go to.

    Attributes:
        name: of the page, as `guides/holds`.
        title: its heading, in Markdown.
        address: where it is on this server.
    """

    name: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Section:
    """Pages that stand together, and what stands above them."""

    caption: str
    entries: tuple[Entry, ...]


@cache
def folder() -> Path:
    """Where the files are: in the package, or in the work tree that it is run from."""
    package = Path(__file__).parent
    shipped = package / "pages"
    return shipped if shipped.is_dir() else package.parents[3] / "docs"


@cache
def names() -> frozenset[str]:
    """Every page that was written by hand, by its name."""
    found = {each.relative_to(folder()).as_posix() for each in folder().glob("*/*.md")}
    written = {name.removesuffix(".md") for name in found} - _MADE.keys() - _NOT_HERE
    return frozenset(written)


@cache
def images() -> frozenset[str]:
    """Every picture, by its path."""
    return frozenset(each.relative_to(folder()).as_posix() for each in folder().glob("*/*.png"))


@cache
def source(name: str) -> str:
    """The text of a page, or of the index."""
    return (folder() / f"{name}.md").read_text(encoding="utf-8")


def address_of(name: str) -> str | None:
    """Where a page is, however it is made; None for one that this server does not have."""
    if name.startswith("reference/errors/"):
        return f"/problems/{name.rpartition('/')[2]}"
    if name in _MADE:
        return _MADE[name]
    return f"{PREFIX}/{name}" if name in names() else None


def title_of(name: str) -> str:
    """The heading of a page, in Markdown."""
    found = _HEADING.search(source(name))
    return found[1] if found else name


@cache
def sections() -> tuple[Section, ...]:
    """What the index lists, without what is not here."""
    found = _LIST.finditer(source(INDEX))
    return tuple(Section(each["caption"], _entries(each["names"].split())) for each in found)


def _entries(listed: list[str]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for name in listed:
        address = address_of(name)
        if address is not None:
            title = title_of(name) if name in names() else name.rpartition("/")[2].capitalize()
            entries.append(Entry(name, title, address))
    return tuple(entries)
