"""Asking as the HTTP API would be asked, without a network: same checks, same answers, same words.

A command fills in a route's own body or query and calls the route's own handler as an operator, so
that the command line cannot drift away from the API.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from comptoir.app import App
from comptoir.kit.actor import Actor, Role
from comptoir.web.auth import Doorman
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.routing import Operation

_ERROR = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a route.

    Attributes:
        operation: the route.
        fields: its body or query; None where nothing was said.
        key: the idempotency key, for routes that need one or take one.
        parts: the parts of its path.
    """

    operation: Operation
    fields: Mapping[str, object]
    key: str = ""
    parts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Answered:
    """What a route said: a status and a JSON object."""

    status: int
    body: dict[str, Any]

    @property
    def refusal(self) -> str | None:
        """The code of the problem; None for success."""
        return str(self.body["code"]) if self.status >= _ERROR else None


async def ask(app: App, book: int, locale: str, asked: Asked) -> Answered:
    """Ask a route as an operator of a book.

    Raises:
        ComptoirError: the route refuses, as it does over HTTP.
        Unfit: a field is not what it must be.
    """
    operation = asked.operation
    said = {name: value for name, value in asked.fields.items() if value is not None}
    headers = [(b"accept-language", locale.encode())]
    is_keyed = operation.keyed or (operation.may_be_keyed and bool(asked.key))
    if is_keyed:
        headers.append((b"idempotency-key", asked.key.encode(errors="surrogateescape")))
    query = urlencode(said) if operation.query is not None else ""
    scope = {
        "type": "http",
        "method": operation.method,
        "path": operation.path,
        "path_params": asked.parts,
        "query_string": query.encode(),
        "headers": headers,
    }
    call = Call(scope, _nothing_more, app, Doorman(app))
    call.actor = Actor(Role.OPERATOR, book, "command line")
    if is_keyed:
        call.key = call.idempotency_key()
    if operation.query is not None:
        reply = await operation.handler(call, call.query(operation.query))
    elif operation.body is not None:
        try:
            body = operation.body.model_validate(said)
        except ValidationError as error:
            raise Unfit.of(error) from None
        reply = await operation.handler(call, body)
    else:
        reply = await operation.handler(call)
    return Answered(reply.status, json.loads(reply.body))


async def _nothing_more() -> dict[str, object]:
    return {"type": "http.disconnect"}
