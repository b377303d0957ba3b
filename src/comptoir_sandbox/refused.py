"""Refusals in Stripe's shapes: an HTTP status and an error object."""

from collections.abc import Mapping
from typing import Any, Final

from comptoir_sandbox.objects import Object

INVALID: Final = "invalid_request_error"
CARD: Final = "card_error"
IDEMPOTENCY: Final = "idempotency_error"
API: Final = "api_error"

_DOCS: Final = "https://docs.stripe.com/error-codes/"


class Refused(Exception):
    """The request is refused.

    Attributes:
        status: of HTTP.
        body: what goes out under `error`.
    """

    def __init__(
        self, message: str, code: str | None = None, status: int = 400, **more: object
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Object = {"type": INVALID, "message": message}
        if code is not None:
            self.body |= {"code": code, "doc_url": _DOCS + code.replace("_", "-")}
        self.body |= more


def missing(param: str) -> Refused:
    """A parameter that must be there is not."""
    return Refused(f"Missing required param: {param}.", "parameter_missing", param=param)


def unknown(param: str) -> Refused:
    """A parameter that the call does not have."""
    return Refused(f"Received unknown parameter: {param}", "parameter_unknown", param=param)


def not_found(kind: str, id_: str, param: str = "id") -> Refused:
    """There is no such object."""
    return Refused(f"No such {kind}: '{id_}'", "resource_missing", 404, param=param)


def declined(message: str, code: str, **more: Any) -> Refused:  # noqa: ANN401  # JSON
    """The card said no."""
    return Refused(message, code, 402, type=CARD, **more)


def unexpected(what: str, state: str, **more: Any) -> Refused:  # noqa: ANN401  # JSON
    """The object is in a state in which that cannot be done."""
    code = f"{what}_unexpected_state"
    text = (
        f"You cannot do this to this {what.replace('_', ' ')} because it has a status of {state}."
    )
    return Refused(text, code, **more)


def by_url(method: str, path: str) -> Refused:
    """The address is none of ours."""
    return Refused(f"Unrecognized request URL ({method}: {path}).", status=404)


def body_of(error: Mapping[str, Any]) -> Object:
    """The whole body of an answer that refuses."""
    return {"error": dict(error)}
