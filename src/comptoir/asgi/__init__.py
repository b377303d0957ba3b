"""Owns the doors for any ASGI application: the guards around its routes, as pure middleware.

Does not decide anything: every rule lives below.

::

    from comptoir import RateLimit
    from comptoir.asgi import Books, Credits, Idempotency, RateLimits

    app = Credits(app, {"POST /api/ai/generate": "ai.generate"}, customer=who)
    app = Idempotency(app, required=["/api/payments"])
    app = RateLimits(app, [RateLimit("api", 10, 10)])
    app = Books(app)
"""

from comptoir.asgi.books import Books
from comptoir.asgi.credits import Credits, charge_of
from comptoir.asgi.idempotency import Idempotency, claim_of, principal
from comptoir.asgi.limits import RateLimits, client_address
from comptoir.library.around import Charge, books_of

__all__ = [
    "Books",
    "Charge",
    "Credits",
    "Idempotency",
    "RateLimits",
    "books_of",
    "charge_of",
    "claim_of",
    "client_address",
    "principal",
]
