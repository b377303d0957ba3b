"""The OpenAPI 3.1 document, made of the operations themselves: nothing can be left out of it."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from comptoir.kit.limits import KEY_LENGTH
from comptoir.web import shapes
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.problems import detail, title
from comptoir.web.routing import EVERYBODY, Operation

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """
Credits, tokens and stock units: granted, held, spent, exactly once.

Every write of the ledger carries an `Idempotency-Key`: a repeat gets the stored answer, with
`Idempotent-Replayed: true`. Amounts are exact decimals, as a JSON integer or text; answers spell
them as text. Refusals are problem documents (RFC 9457) with a stable `code`, in English or French.
"""
_ANY: Final = ("bad-request", "validation-failed")
_BODY: Final = ("malformed-json", "payload-too-large", "unsupported-media-type")
_KEYED: Final = (
    "idempotency-key-missing",
    "request-in-flight",
    "overloaded",
    "account-busy",
    "books-moving",
    "outcome-unknown",
)
_STREAMS: Final = (
    "One event, of which the newest is the only one that counts. A comment comes every 15 seconds. "
    "The stream ends after about ten minutes, with its token, or with its server: open it again "
    "with `Last-Event-ID`."
)
_GUESTS: Final = ", and for guests, who send no key at all"
_FIGURES: Final = {"needed": "5", "available": "3", "field": "amount", "asset": "gems", "scale": 2,
                   "action": "ai.generate", "book": "live"}  # fmt: skip


_HOLD_LINKS: Final = ("credits_capture", "credits_release", "credits_renew", "credits_read_hold")
_LINKS: Final[dict[str, Schema]] = {
    "credits_hold": {
        each: {"operationId": each, "parameters": {"hold": "$response.body#/hold/id"}}
        for each in _HOLD_LINKS
    },
    **{
        each: {
            "credits_reverse": {
                "operationId": "credits_reverse",
                "requestBody": {
                    "movement": "$response.body#/movement/id",
                    "reason": "Given by mistake",
                },
            }
        }
        for each in ("credits_grant", "credits_spend")
    },
}
"""What an answer leads to."""


def document(operations: Sequence[Operation]) -> Schema:
    """The whole document."""
    schemas = _schemas(operations)
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(
            operation, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Comptoir", "version": version("comptoir"), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "ck_live_op_..., ck_live_svc_..., ck_test_... or ct_...",
                }
            },
        },
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Schema]:
    models: list[type[BaseModel]] = [shapes.ProblemShape]
    for each in operations:
        models += [model for model in (each.body, each.answer) if model is not None]
    unique = list(dict.fromkeys(models))
    _, found = models_json_schema(
        [(model, "validation") for model in unique], by_alias=True, ref_template=_REF
    )
    return {name: _settled(schema) for name, schema in found["$defs"].items()}


def _settled(schema: Schema) -> Schema:
    """What a key must say, though a customer token may leave it out, is required, and no null."""
    properties = schema.get("properties", {})
    asked = [name for name, of in properties.items() if of.get("x-required")]
    if not asked:
        return schema
    plain = {name: _without_null(properties[name]) for name in asked}
    for of in plain.values():
        del of["x-required"]
    required = [name for name in properties if name in {*asked, *schema.get("required", ())}]
    return schema | {"properties": properties | plain, "required": required}


def _ref(model: type[BaseModel]) -> Schema:
    name = model.__name__.replace("[", "_").replace("]", "_")
    return {"$ref": _REF.format(model=name)}


def _operation(operation: Operation, schemas: dict[str, Schema]) -> Schema:
    described: Schema = {
        "operationId": _id(operation),
        "summary": operation.summary[0],
        "tags": [operation.tag],
        "parameters": [*_parts(operation), *_query(operation), *_headers(operation)],
        "responses": _responses(operation),
        "security": _security(operation),
    }
    if operation.roles:
        told = "For: " + ", ".join(sorted(operation.roles)) + " keys"
        described["description"] = f"{told}{_GUESTS}." if operation.guests else f"{told}."
    if operation.body is not None:
        media: Schema = {"schema": _ref(operation.body)}
        if operation.ask is not None:
            media["example"] = operation.ask
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": media},
        }
    assert operation.answer.__name__.replace("[", "_").replace("]", "_") in schemas
    return described


def _security(operation: Operation) -> list[Schema]:
    if not operation.roles:
        return []
    return [{"key": []}, {}] if operation.guests else [{"key": []}]


def _id(operation: Operation) -> str:
    return f"{operation.tag}_{operation.handler.__name__}"


def _parts(operation: Operation) -> Iterable[Schema]:
    for name, schema in operation.parts.items():
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(operation: Operation) -> Iterable[Schema]:
    if operation.query is None:
        return
    found = operation.query.model_json_schema(by_alias=True)
    required = found.get("required", [])
    for name, schema in found["properties"].items():
        plain = _without_null(schema)
        is_required = plain.pop("x-required", False) or name in required
        told = plain.pop("description", None)
        parameter: Schema = {"name": name, "in": "query", "required": is_required, "schema": plain}
        yield parameter | ({"description": told} if told else {})


def _without_null(schema: Schema) -> Schema:
    """A parameter that is left out is absent; a query cannot say null."""
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    rest = {name: value for name, value in rest.items() if (name, value) != ("default", None)}
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            rest = choice | rest
    return rest


def _headers(operation: Operation) -> Iterable[Schema]:
    if operation.keyed or operation.may_be_keyed:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": operation.keyed,
            "description": "The same key never has a second effect.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": KEY_LENGTH,
                "pattern": r"^[!-~]([ -~]*[!-~])?$",
                "examples": ["order-1842-credits"],
            },
        }


def _codes(operation: Operation) -> list[str]:
    codes = [*_ANY]
    if operation.roles:
        codes += ["unauthorized", "database-down", "books-moved", "internal"]
    if operation.roles and operation.roles != EVERYBODY:
        codes.append("forbidden")
    if operation.body is not None:
        codes += _BODY
    if operation.keyed:
        codes += _KEYED
    if operation.may_be_keyed:
        codes += ("idempotency-key-missing", "idempotency-key-reused")
    return list(dict.fromkeys([*codes, *operation.codes]))


def _responses(operation: Operation) -> Schema:
    success: Schema = {
        "description": operation.summary[0],
        "content": _content(operation),
        "headers": {
            name: {"description": told, "schema": {"type": "string"}}
            for name, told in operation.headers.items()
        },
    }
    if _id(operation) in _LINKS:
        success["links"] = _LINKS[_id(operation)]
    responses: Schema = {str(operation.status): success}
    if "ETag" in operation.headers:
        responses["304"] = {"description": "Nothing has changed"}
    if operation.streams:
        responses["204"] = {"description": "Too many streams are open: poll instead"}
    by_status: dict[int, list[str]] = {}
    for code in _codes(operation):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _refusal(codes)
    return responses


def _content(operation: Operation) -> Schema:
    if not operation.streams:
        return {"application/json": {"schema": _ref(operation.answer)}}
    spelled = {"contentMediaType": "application/json", "contentSchema": _ref(operation.answer)}
    event: Schema = {
        "type": "object",
        "description": _STREAMS,
        "properties": {
            "event": {"const": operation.streams},
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "data": {"type": "string", **spelled},
        },
        "required": ["event", "id", "data"],
    }
    return {"text/event-stream": {"schema": event}}


def _refusal(codes: Sequence[str]) -> Schema:
    examples = {code: {"value": _example(code)} for code in codes}
    return {
        "description": " · ".join(f"`{code}`" for code in codes),
        "content": {
            "application/problem+json": {"schema": _ref(shapes.ProblemShape), "examples": examples}
        },
    }


def _example(code: str) -> Schema:
    return {
        "type": f"/problems/{code}",
        "title": title(code, "en"),
        "status": PROBLEMS[code].status,
        "code": code,
        "detail": detail(code, "en", _FIGURES),
        "instance": "/api/credits/spend",
    }
