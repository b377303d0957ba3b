"""The TypeScript client's types and methods, made of the OpenAPI document.

    python scripts/typescript_client.py

writes `clients/typescript/src/types.ts` and `client.ts`; `core.ts` beside them is written by hand.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from comptoir.app import App
from comptoir.web.server import create_app

FOLDER: Final = Path(__file__).parents[1] / "clients" / "typescript" / "src"
Schema = dict[str, Any]

# What Stripe calls, signed by Stripe; and streams, which have no one answer.
NOT_FOR_CLIENTS: Final = frozenset(
    {
        "payments_stripe",
        "payments_checkout",
        "payments_subscriptions",
        "stream_balances",
        "stream_changes",
    }
)
# Every request of a batch has a key of its own.
OWN_KEYS: Final = frozenset({"ledger_batch"})
# A refusal that says: nothing is decided, or the answer is lost; the same request may come again.
PASSING: Final = frozenset({
    "account-busy", "books-arriving", "books-moving", "database-down", "outcome-unknown",
    "overloaded", "provider-busy", "provider-down", "rate-limited", "redis-down",
    "request-in-flight", "shutting-down",
})  # fmt: skip

_MOST_VALUES: Final = 40
"""An enum with more, such as all time zones, is a string to whoever reads it."""
_WIDTH: Final = 100
_HEAD: Final = (
    "// Made by scripts/typescript_client.py of the OpenAPI document: change that, not this.\n"
)
_SCALARS: Final = {"string": "string", "integer": "number", "number": "number",
                   "boolean": "boolean", "null": "null"}  # fmt: skip
_LISTED: Final = re.compile(r"Listed_(\w+)_")
_IMPORTS: Final = """\
import { caller, part } from "./core.js";
import type { Call, Keyed, MayBeKeyed, Options, Settings } from "./core.js";
import type * as t from "./types.js";
"""
_METHOD: Final = """
  /**
{about}
   */
{head} {{
    return this.#call({{
{fields}
    }}, options);
  }}
"""
_GROUP: Final = """
export class {name} {{
  readonly #call: Call;

  constructor(call: Call) {{
    this.#call = call;
  }}
{methods}}}
"""
_CLIENT: Final = """
/** All routes, by what they are about. */
export class Comptoir {{
{members}

  constructor(said: Settings) {{
    const call = caller(said);
{made}
  }}
}}
"""


def document() -> Schema:
    """The OpenAPI document; no database is needed for it."""
    return create_app(_nothing).openapi()


@asynccontextmanager
async def _nothing() -> AsyncGenerator[App]:
    raise AssertionError("the document is made without a database")
    yield


def written(document: Schema) -> dict[str, str]:
    """The text of each file, by its name."""
    return {"types.ts": _types(document), "client.ts": _client(document)}


def _types(document: Schema) -> str:
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    asked = _asked(document)
    parts = [_HEAD, _codes(document), _listed(schemas)]
    names = [_name(name) for name in schemas if not _LISTED.fullmatch(name)]
    assert len(set(names)) == len(names), "two schemas have one name"
    for name, schema in schemas.items():
        if not _LISTED.fullmatch(name) and name != "ProblemShape":
            parts.append(_declared(name, schema, name in asked))
    for operation, said in _operations(document):
        query = [each for each in said["parameters"] if each["in"] == "query"]
        if query:
            parts.append(_query(operation, query))
    return "\n".join(parts)


def _codes(document: Schema) -> str:
    answers = [
        answer["content"]["application/problem+json"]
        for verbs in document["paths"].values()
        for operation in verbs.values()
        for answer in operation["responses"].values()
        if "application/problem+json" in answer.get("content", {})
    ]
    codes = sorted({code for answer in answers for code in answer["examples"]} | PASSING)
    passing = ", ".join(f'"{code}"' for code in sorted(PASSING))
    return (
        "/** What a refusal is called, for ever. New ones may come. */\n"
        "export type ProblemCode =\n"
        + "\n".join(f'  | "{code}"' for code in codes)
        + "\n  | (string & {});\n\n"
        "/** A problem document (RFC 9457), with fields of its own for some codes. */\n"
        "export interface Problem {\n"
        "  readonly type: string;\n  readonly title: string;\n  readonly status: number;\n"
        "  readonly code: ProblemCode;\n  readonly detail: string;\n  readonly instance: string;\n"
        "  readonly [field: string]: unknown;\n}\n\n"
        "/** Refusals after which the same request may be sent again, with the same key. */\n"
        f"export const PASSING: ReadonlySet<string> = new Set([\n{_filled(passing)}\n]);\n"
    )


def _filled(text: str) -> str:
    lines, line = [], " "
    for word in text.split(" "):
        if len(line) + len(word) > _WIDTH - 2:
            lines.append(line)
            line = " "
        line += f" {word}"
    return "\n".join([*lines, line])


def _listed(schemas: Mapping[str, Schema]) -> str:
    shapes = [set(schemas[name]["properties"]) for name in schemas if _LISTED.fullmatch(name)]
    assert all(shape == {"items", "next_cursor"} for shape in shapes)
    return (
        "/** One page of a list; `next_cursor` is null on the last. */\n"
        "export interface Listed<Item> {\n"
        "  readonly items: Item[];\n  readonly next_cursor: string | null;\n}\n"
    )


def _asked(document: Schema) -> set[str]:
    """The schemas that requests are made of: they know all of their values."""
    schemas = document["components"]["schemas"]
    bodies = [said["requestBody"] for _, said in _operations(document) if "requestBody" in said]
    waiting, found = _references(bodies), set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _references(schemas[name]) - found
    return found


def _references(schema: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))


def _name(schema: str) -> str:
    if listed := _LISTED.fullmatch(schema):
        return f"Listed<{_name(listed[1])}>"
    return schema.removesuffix("Shape")


def _declared(name: str, schema: Schema, is_asked: bool) -> str:  # noqa: FBT001
    about = _comment(schema.get("description", ""), "")
    if "properties" in schema and "oneOf" not in schema:
        return f"{about}export interface {_name(name)} {_object(schema, is_asked, '')}\n"
    return f"{about}export type {_name(name)} = {_type(schema, is_asked, '')};\n"


def _comment(text: str, indent: str) -> str:
    plain = " ".join(text.split()).replace("*/", "* /")
    return f"{indent}/** {plain} */\n" if plain else ""


def _object(schema: Schema, is_asked: bool, indent: str) -> str:  # noqa: FBT001
    inner = indent + "  "
    lines: list[str] = []
    for name, of in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        lines.append(_comment(of.get("description", ""), inner).rstrip("\n"))
        lines.append(f"{inner}{_property(name)}{mark}: {_type(of, is_asked, inner)};")
    return "\n".join(["{", *(line for line in lines if line), indent + "}"])


def _property(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def _type(schema: Schema, is_asked: bool, indent: str = "") -> str:  # noqa: FBT001
    """The type; that of an answer is open, as new values may come."""
    if "$ref" in schema:
        return _name(schema["$ref"].rsplit("/", 1)[-1])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            kinds = dict.fromkeys(_type(each, is_asked, indent) for each in schema[choice])
            return " | ".join(sorted(kinds, key=lambda kind: kind == "null"))
    if "const" in schema or len(schema.get("enum", ())) in range(1, _MOST_VALUES):
        values = [json.dumps(each) for each in schema.get("enum", [schema.get("const")])]
        is_open = not is_asked and schema.get("type") == "string" and "const" not in schema
        values += ["(string & {})"] if is_open else []
        one = " | ".join(values)
        between = f"\n{indent}  | "
        return one if len(one) < _WIDTH - 30 else between + between.join(values)
    return _plain(schema, is_asked, indent)


def _plain(schema: Schema, is_asked: bool, indent: str) -> str:  # noqa: FBT001
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema.get("items", {}), is_asked, indent)
        return f"({item})[]" if " " in item and not item.startswith("{") else f"{item}[]"
    if kind == "object" and "properties" in schema:
        return _object(schema, is_asked, indent)
    if kind == "object":
        more = schema.get("additionalProperties")
        value = _type(more, is_asked, indent) if isinstance(more, dict) else "unknown"
        return f"Record<string, {value}>"
    return _SCALARS[kind] if isinstance(kind, str) else "unknown"


def _query(operation: str, parameters: Iterable[Schema]) -> str:
    fields = {
        each["name"]: each["schema"] | {"description": each.get("description", "")}
        for each in parameters
    }
    required = [each["name"] for each in parameters if each["required"]]
    shape = {"properties": fields, "required": required}
    return f"export interface {_pascal(operation)}Query {_object(shape, True, '')}\n"  # noqa: FBT003


def _operations(document: Schema) -> list[tuple[str, Schema]]:
    """The id and the description of each operation that a client calls."""
    return [
        (operation["operationId"], operation | {"verb": verb.upper(), "path": path})
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if operation["operationId"] not in NOT_FOR_CLIENTS
    ]


def _pascal(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


def method_name(tag: str, operation: str) -> str:
    """`keys_add_key` is `keys.add`, `jobs_jobs` is `jobs.list`, and `jobs_job` is `jobs.get`."""
    words = operation.removeprefix(f"{tag}_")
    one = tag.removesuffix("s")
    if words in (tag, "listed"):
        return "list"
    if words == one:
        return "get"
    words = words.removesuffix(f"_{one}")
    first, *rest = words.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _client(document: Schema) -> str:
    groups: dict[str, dict[str, str]] = {}
    for operation, said in _operations(document):
        tag = said["tags"][0]
        name, methods = method_name(tag, operation), groups.setdefault(tag, {})
        assert name not in methods, f"two methods are called {tag}.{name}"
        methods[name] = _method(name, operation, said)
    classes = [
        _GROUP.format(name=_pascal(tag), methods="".join(methods.values()))
        for tag, methods in groups.items()
    ]
    client = _CLIENT.format(
        members="\n".join(f"  readonly {tag}: {_pascal(tag)};" for tag in groups),
        made="\n".join(f"    this.{tag} = new {_pascal(tag)}(call);" for tag in groups),
    )
    text = "".join([*classes, client])
    return f"{_HEAD}\n{_IMPORTS}{text}"


def _method(name: str, operation: str, said: Schema) -> str:
    places = {each["in"]: [] for each in said["parameters"]} | {"path": list[Schema]()}
    for each in said["parameters"]:
        places[each["in"]].append(each)
    parts = [each["name"] for each in places["path"]]
    parameters = [f"{part}: string" for part in parts]
    key = _keyed(places.get("header", ()))
    fields = [f'method: "{said["verb"]}",', f"path: {_path(said['path'], parts)},"]
    body = said.get("requestBody")
    if body is not None:
        model = f"t.{_name(body['content']['application/json']['schema']['$ref'].rsplit('/')[-1])}"
        must_say = body["required"] or key == "must"
        parameters.append(f"body: {model}" + ("" if must_say else " = {}"))
        fields.append("body,")
    if "query" in places:
        default = "" if any(each["required"] for each in places["query"]) else " = {}"
        parameters.append(f"query: t.{_pascal(operation)}Query{default}")
        fields.append("query,")
    if key == "may":
        fields.append("makesKey: true,")
    if operation in OWN_KEYS:
        fields.append("repeats: true,")
    kind = {"must": "Keyed", "may": "MayBeKeyed = {}", "none": "Options = {}"}[key]
    parameters.append(f"options: {kind}")
    about = [said["summary"] + ".", f"{said['verb']} {said['path']}", said.get("description", "")]
    return _METHOD.format(
        about="\n".join(f"   * {line}" for line in about if line),
        head=_head(name, parameters, _answer(said)),
        fields="\n".join(f"      {field}" for field in fields),
    )


def _head(name: str, parameters: Iterable[str], answer: str) -> str:
    line = f"  {name}({', '.join(parameters)}): Promise<{answer}>"
    if len(line) <= _WIDTH - 2:
        return line
    rows = "".join(f"    {each},\n" for each in parameters)
    return f"  {name}(\n{rows}  ): Promise<{answer}>"


def _keyed(headers: Iterable[Schema]) -> str:
    for each in headers:
        return "must" if each["required"] else "may"
    return "none"


def _path(path: str, parts: Iterable[str]) -> str:
    if not parts:
        return json.dumps(path)
    return "`" + re.sub(r"\{(\w+)\}", r"${part(\1)}", path) + "`"


def _answer(said: Schema) -> str:
    [shape] = [
        answer["content"]["application/json"]["schema"]["$ref"].rsplit("/")[-1]
        for status, answer in said["responses"].items()
        if status.startswith("2")
    ]
    return re.sub(r"\b(?=[A-Z])", "t.", _name(shape))


if __name__ == "__main__":
    for file, text in written(document()).items():
        (FOLDER / file).write_text(text, encoding="utf-8")
        print(FOLDER / file)
