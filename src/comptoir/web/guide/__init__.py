"""Owns the guide of this version, at `/docs/guide`. Does not decide what it says: `docs/` does.

Each page is made once in a process, when somebody first asks for it.
"""

import asyncio
import gzip
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from importlib import resources
from typing import Final

from comptoir.app.variables import Variable, variables
from comptoir.web import assets, shapes
from comptoir.web.call import Call
from comptoir.web.guide import tree
from comptoir.web.guide.frame import framed, hello, inline
from comptoir.web.guide.words import TITLES, WORDS
from comptoir.web.languages import pick
from comptoir.web.replies import Header, Reply
from comptoir.web.routing import PUBLIC, Operation, problem

_HTML: Final = b"text/html; charset=utf-8"
_PNG: Final = b"image/png"
_POLICY: Final[Header] = (
    b"content-security-policy",
    (
        b"default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; "
        b"base-uri 'none'; form-action 'none'"
    ),
)
_ZIPPED: Final[Header] = (b"content-encoding", b"gzip")


async def _home(call: Call) -> Reply:
    """GET /docs/guide."""
    return await _sent(call, tree.INDEX)


async def _page(call: Call) -> Reply:
    """GET /docs/guide/{section}/{name}: a page, or a picture of one."""
    name = f"{call.part('section')}/{call.part('name')}"
    if name in tree.images():
        return Reply(200, _picture(name), _PNG, [assets.FOR_NOW])
    if name not in tree.names() and name != tree.SETTINGS:
        return problem(call, "not-found", {})
    return await _sent(call, name)


async def _sent(call: Call, name: str) -> Reply:
    content, zipped = await asyncio.to_thread(_made, name, call.language)
    headers = [
        (b"content-language", call.language.encode()),
        (b"vary", b"Accept-Language, Accept-Encoding"),
        assets.FOR_NOW,
        _POLICY,
    ]
    if b"gzip" in call.headers.get(b"accept-encoding", b""):
        return Reply(200, zipped, _HTML, [*headers, _ZIPPED])
    return Reply(200, content, _HTML, headers)


@cache
def _made(name: str, language: str) -> tuple[bytes, bytes]:
    """A page as it goes out, and the same compressed."""
    content = _BODIES.get(name, _written)(name, language)
    page = framed(name, content, language).encode()
    return page, gzip.compress(page, 9, mtime=0)


@cache
def _picture(name: str) -> bytes:
    return (tree.folder() / name).read_bytes()


def _written(name: str, _language: str) -> str:
    from comptoir.web.guide.markdown import rendered  # noqa: PLC0415  # slow to load

    return f'<article lang="en">{rendered(name)}</article>'


def _index(_name: str, language: str) -> str:
    return hello(language)


def _settings(name: str, language: str) -> str:
    parts = [f"<h1>{pick(TITLES[name], language)}</h1>"]
    intro = escape(pick(WORDS["settings.intro"], language))
    parts.append(f"<p>{intro} <code>comptoir doctor</code>.</p>")
    parts += [_setting(each, language) for each in variables()]
    return "".join(parts)


def _setting(each: Variable, language: str) -> str:
    said = told()[each.name]
    meaning = said["meaning_fr"] if language == "fr" else said["meaning"]
    lines = [
        (word, value)
        for word, value in (
            ("example", said["example"]),
            ("form", each.form),
            ("least", each.least),
            ("most", each.most),
        )
        if value is not None
    ]
    rows = "".join(
        f"<dt>{pick(WORDS[word], language)}</dt><dd><code>{escape(value)}</code></dd>"
        for word, value in lines
    )
    return (
        f'<h2 id="{each.name}"><code>{each.name}</code></h2><p>{inline(meaning)}</p>'
        f"<dl><dt>{pick(WORDS['default'], language)}</dt><dd>{_default(each, language)}</dd>"
        f"{rows}</dl>"
        + (f"<p>{escape(pick(WORDS['secret'], language))}</p>" if each.is_secret else "")
    )


def _default(each: Variable, language: str) -> str:
    if each.default is None:
        return pick(WORDS["unset"], language)
    if not each.default:
        return pick(WORDS["empty"], language)
    return f"<code>{escape(each.default)}</code>"


@cache
def told() -> Mapping[str, Mapping[str, str]]:
    """What is said of each variable: meaning, meaning_fr, example."""
    text = resources.files("comptoir.web").joinpath("settings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_BODIES: Final[Mapping[str, Callable[[str, str], str]]] = {
    tree.INDEX: _index,
    tree.SETTINGS: _settings,
}
"""Pages that are not as somebody has written them."""

OPERATIONS: Final = tuple(
    Operation(
        method="GET",
        path=path,
        handler=handler,
        summary=("Read the guide", "Lire le guide"),
        tag="docs",
        roles=PUBLIC,
        answer=shapes.Status,
    )
    for path, handler in ((tree.PREFIX, _home), (f"{tree.PREFIX}/{{section}}/{{name}}", _page))
)
