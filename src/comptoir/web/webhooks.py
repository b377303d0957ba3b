"""Where providers tell us what happens: the signature is checked, the event committed, then 200."""

from typing import Final

from comptoir.flows.receiving import BODY_BYTES
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.kit.limits import SECOND
from comptoir.web import shapes_money as shapes
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok
from comptoir.web.routing import PUBLIC, Operation

_RECEIVED: Final = {"received": True}


async def stripe(call: Call) -> Reply:
    """POST /api/webhooks/stripe."""
    desk = call.app.desk
    if not desk.is_configured:
        raise Unavailable("payments-not-configured", retry_after=60)
    length = call.headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > BODY_BYTES:
        raise ComptoirError("event-too-large")
    body = await call.body()
    if len(body) > BODY_BYTES:
        raise ComptoirError("event-too-large")
    header = call.headers.get(b"stripe-signature", b"").decode("latin-1")
    await desk.receive(body, header, call.now // SECOND)
    return ok(_RECEIVED)


async def checkout(call: Call) -> Reply:
    """POST /api/checkout/webhook: the address that shops of before have at Stripe."""
    return await stripe(call)


async def subscriptions(call: Call) -> Reply:
    """POST /api/billing/webhooks: the address that sellers of plans have at Stripe."""
    return await stripe(call)


_ADDRESSES: Final = (
    ("/api/webhooks/stripe", stripe),
    ("/api/checkout/webhook", checkout),
    ("/api/billing/webhooks", subscriptions),
)


PATHS: Final = tuple(path for path, _ in _ADDRESSES)
"""Where Stripe may send events: all three are one."""

OPERATIONS: Final = tuple(
    Operation(
        method="POST",
        path=path,
        handler=handler,
        summary=("Receive an event of Stripe's", "Recevoir un événement de Stripe"),
        tag="payments",
        roles=PUBLIC,
        answer=shapes.ReceivedShape,
        codes=("bad-signature", "event-unreadable", "event-too-large", "payments-not-configured"),
    )
    for path, handler in _ADDRESSES
)
