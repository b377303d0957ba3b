"""The two components for pages of others: the module, its types, and where it lies for good."""

from typing import Final

from comptoir.web import assets, shapes
from comptoir.web.call import Call
from comptoir.web.replies import Reply, encode
from comptoir.web.routing import PUBLIC, Operation

_MODULE: Final = "embed.min.js"
"""What is made of embed.js, which is there to be read."""


async def _module(call: Call) -> Reply:
    """GET /embed.js."""
    return assets.reply(call, assets.assets()[_MODULE])


async def _types(call: Call) -> Reply:
    """GET /embed.d.ts."""
    return assets.reply(call, assets.assets()["embed.d.ts"])


async def _elements(call: Call) -> Reply:
    """GET /custom-elements.json."""
    return assets.reply(call, assets.assets()["custom-elements.json"])


async def _pinned(_call: Call) -> Reply:
    """GET /embed.json: the address that never changes, and what a page can insist on there."""
    found = assets.assets()[_MODULE]
    content = {"src": assets.address(_MODULE), "integrity": found.integrity}
    return Reply(200, encode(content), headers=[assets.FOR_NOW, assets.ANYWHERE])


OPERATIONS: Final = tuple(
    Operation(
        method="GET",
        path=path,
        handler=handler,
        summary=summary,
        tag="docs",
        roles=PUBLIC,
        answer=shapes.Status,
    )
    for path, handler, summary in (
        ("/embed.js", _module, ("Read the components", "Lire les composants")),
        ("/embed.d.ts", _types, ("Read their types", "Lire leurs types")),
        ("/custom-elements.json", _elements, ("Read what they take", "Lire leurs attributs")),
        ("/embed.json", _pinned, ("Read where they are for good", "Lire leur adresse durable")),
    )
)
