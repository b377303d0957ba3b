"""Links that open a customer's own pages, for whoever serves him."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from comptoir.domains.identity.visitors import LINK_SECONDS, LINK_SECONDS_MAX
from comptoir.flows.inviting import Host, invite
from comptoir.store.pool import begin
from comptoir.web import shapes, wire
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok, write_time
from comptoir.web.routing import SERVERS, Operation


class PortalLinkBody(wire.Wire):
    """Whose pages, and for how long the link opens them."""

    customer: wire.Customer
    ttl_seconds: Annotated[int, Field(ge=1, le=LINK_SECONDS_MAX, examples=[900])] = LINK_SECONDS


class PortalLinkShape(BaseModel):
    """A link that opens a customer's own pages, once."""

    url: str
    customer: str
    expires_at: shapes.Moment


async def add_link(call: Call, body: PortalLinkBody) -> Reply:
    """POST /api/portal-links."""
    app, book = call.app, call.actor.book
    customer = await app.directory.customer(book, body.customer)
    host = Host(app.till, app.secret, app.randomness)
    async with begin(app.pool) as tx:
        url, until = await invite(tx, host, book, customer, body.ttl_seconds)
    content = {"url": url, "customer": body.customer, "expires_at": write_time(until)}
    return ok(content, (b"cache-control", b"no-store"), status=201)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/portal-links",
        handler=add_link,
        summary=(
            "Make a link to a customer's own pages",
            "Créer un lien vers l'espace d'un client",
        ),
        tag="customers",
        roles=SERVERS,
        body=PortalLinkBody,
        answer=PortalLinkShape,
        status=201,
        ask={"customer": "alice@example.com", "ttl_seconds": 900},
    ),
)
