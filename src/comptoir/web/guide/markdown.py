"""Markdown to HTML, without raw HTML, styles or scripts; links lead to where a page is here."""

import posixpath
import re
import struct
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from comptoir.web.guide import tree

_WIDTH_AND_HEIGHT: Final = struct.Struct(">II")
_AT: Final = 16
"""Where a PNG says how wide and how high it is."""

_ELSEWHERE: Final = re.compile(r"[a-z]+://")


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("fence", _fence)
    reader.add_render_rule("code_block", _fence)
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    return reader


def rendered(name: str) -> str:
    """A page as HTML."""
    reader = _reader()
    tokens = reader.parse(tree.source(name))
    _number(tokens)
    _empty(tokens)
    for each in tokens:
        _align(each)
        for child in each.children or ():
            _lead(child, name)
    return reader.renderer.render(tokens, reader.options, {})


def inline(text: str) -> str:
    """A line of Markdown, without what it would lead to."""
    [outer] = _reader().parseInline(text)
    kept = [each for each in outer.children or () if not each.type.startswith("link_")]
    return _reader().renderer.render(kept, _reader().options, {})


def plain(text: str) -> str:
    """A line of Markdown as text alone."""
    return re.sub(r"<[^>]+>", "", inline(text))


def beginning(name: str) -> str:
    """The first paragraph of a page, without what it leads to."""
    tokens = _reader().parse(tree.source(name))
    at = next((at for at, each in enumerate(tokens) if each.type == "paragraph_open"), None)
    return "" if at is None else inline(tokens[at + 1].content)


def slug(text: str) -> str:
    """The name of a heading in addresses, as the site makes it."""
    kept = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return kept.replace(" ", "-")


def _number(tokens: Sequence[Token]) -> None:
    """Give each heading a name of its own, so that it can be linked to."""
    seen: dict[str, int] = {}
    for at, each in enumerate(tokens):
        if each.type != "heading_open":
            continue
        said = "".join(
            part.content
            for part in tokens[at + 1].children or ()
            if part.type in {"text", "code_inline"}
        )
        name = slug(said)
        seen[name] = seen.get(name, 0) + 1
        each.attrSet("id", name if seen[name] == 1 else f"{name}-{seen[name] - 1}")


def _empty(tokens: Sequence[Token]) -> None:
    """A column without a heading has an empty cell there, not a heading that says nothing."""
    for at, each in enumerate(tokens):
        if each.type == "th_open" and not tokens[at + 1].content:
            each.tag = tokens[at + 2].tag = "td"


def _align(cell: Token) -> None:
    """A column's alignment is a class: the policy lets no styles in."""
    style = str(cell.attrs.pop("style", ""))
    if style.endswith("right"):
        cell.attrSet("class", "r")


def _lead(child: Token, name: str) -> None:
    if child.type == "link_open":
        child.attrSet("href", leads_to(str(child.attrs["href"]), name))
    elif child.type == "image":
        path = _path(str(child.attrs["src"]), name)
        child.attrSet("src", f"{tree.PREFIX}/{path}")
        child.attrSet("loading", "lazy")
        for word, pixels in zip(("width", "height"), _size(path), strict=True):
            child.attrSet(word, str(pixels))


def leads_to(link: str, name: str) -> str:
    """Where a link on a page leads here: to another page, a part of one, or elsewhere."""
    target, _, part = link.partition("#")
    if not target or _ELSEWHERE.match(target) or not target.endswith(".md"):
        return link
    address = tree.address_of(_path(target, name).removesuffix(".md"))
    if address is None:
        return link
    return f"{address}#{part}" if part else address


def _path(link: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), link))


def _size(path: str) -> tuple[int, int]:
    """How wide and high a picture is, so that the page does not move when it comes."""
    with (tree.folder() / path).open("rb") as picture:
        return _WIDTH_AND_HEIGHT.unpack(picture.read(_AT + _WIDTH_AND_HEIGHT.size)[_AT:])


def _fence(_to: object, tokens: Sequence[Token], at: int, *_: object) -> str:
    """Code in a box that scrolls, by keys too. What only Sphinx understands is left out."""
    if tokens[at].info.startswith("{"):
        return ""
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'


def _table_open(*_: object) -> str:
    return '<div class="wide" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"
