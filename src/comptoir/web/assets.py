"""Files for browsers, from inside of the package, at addresses that change when they do.

What lies at an address never changes, so that a browser asks for it once. Each file is also kept
compressed; an address without its digest, as a page elsewhere names it, is good for a few minutes.
"""

import gzip
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, sha384
from importlib import resources
from typing import Final

from comptoir.kit.errors import NotFound
from comptoir.web import shapes
from comptoir.web.call import Call
from comptoir.web.replies import Header, Reply
from comptoir.web.routing import PUBLIC, Operation

PREFIX: Final = "/static"
_KINDS: Final = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "json": b"application/json",
    "svg": b"image/svg+xml",
    "png": b"image/png",
    "txt": b"text/plain; charset=utf-8",
    "ts": b"text/plain; charset=utf-8",
}
_FOR_EVER: Final[Header] = (b"cache-control", b"public, max-age=31536000, immutable")
FOR_NOW: Final[Header] = (b"cache-control", b"public, max-age=300")
ANYWHERE: Final[Header] = (b"access-control-allow-origin", b"*")
_VARY: Final[Header] = (b"vary", b"Accept-Encoding")
_ZIPPED: Final[Header] = (b"content-encoding", b"gzip")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, as it goes out.

    Attributes:
        digest: the beginning of its SHA-256: a part of its address.
        integrity: what a page elsewhere can insist on, as the `integrity` attribute has it.
    """

    name: str
    content: bytes
    zipped: bytes
    digest: str
    integrity: str

    @property
    def kind(self) -> bytes:
        """Its media type."""
        return _KINDS[self.name.rpartition(".")[2]]


@cache
def assets() -> dict[str, Asset]:
    """Every file, by its name."""
    folder = resources.files("comptoir.web.static")
    found: dict[str, Asset] = {}
    for each in folder.iterdir():
        if each.is_file() and each.name.rpartition(".")[2] in _KINDS:
            content = each.read_bytes()
            found[each.name] = Asset(
                each.name,
                content,
                gzip.compress(content, 9, mtime=0),
                sha256(content).hexdigest()[:8],
                f"sha384-{b64encode(sha384(content).digest()).decode()}",
            )
    return found


def address(name: str) -> str:
    """Where a file is, for good."""
    return f"{PREFIX}/{assets()[name].digest}/{name}"


async def _serve(call: Call) -> Reply:
    """GET /static/{digest}/{name}."""
    found = assets().get(call.part("name"))
    if found is None or found.digest != call.part("digest"):
        raise NotFound("not-found")
    return reply(call, found, _FOR_EVER)


def reply(call: Call, of: Asset, lasting: Header = FOR_NOW) -> Reply:
    """A file as an answer, compressed for whoever takes that, and open to pages elsewhere."""
    headers = [lasting, ANYWHERE, _VARY]
    if b"gzip" not in call.headers.get(b"accept-encoding", b"") or len(of.zipped) >= len(
        of.content
    ):
        return Reply(200, of.content, of.kind, headers)
    return Reply(200, of.zipped, of.kind, [*headers, _ZIPPED])


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=f"{PREFIX}/{{digest}}/{{name}}",
        handler=_serve,
        summary=("Read a file for browsers", "Lire un fichier pour navigateurs"),
        tag="docs",
        roles=PUBLIC,
        answer=shapes.Status,
    ),
)
