"""Pages for people: the reference of the API, and what each problem means. No script, no CDN."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any, Final

import msgspec

from comptoir.web import shapes
from comptoir.web.call import Call
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.languages import LANGUAGES, Texts, pick
from comptoir.web.problems import title
from comptoir.web.remedies import remedies
from comptoir.web.replies import Header, Reply, encode
from comptoir.web.routing import PUBLIC, Operation, problem

HTML: Final = b"text/html; charset=utf-8"
CSS: Final = b"text/css; charset=utf-8"
_STYLE: Final = "/docs/style.css"
_LASTING: Final[Header] = (b"cache-control", b"public, max-age=3600")
_FRESH: Final[Header] = (b"cache-control", b"no-cache")

_ROLES: Final[dict[str, Texts]] = {
    "operator": ("operator", "opérateur"),
    "service": ("service", "service"),
    "customer": ("customer token", "jeton client"),
    "guest": ("guest without a key", "visiteur sans clé"),
}
_WORDS: Final[dict[str, Texts]] = {
    "heading": ("The API of Comptoir", "L'API de Comptoir"),
    "intro": (
        (
            "Send Authorization: Bearer KEY. Writes of the ledger carry an Idempotency-Key: a "
            "repeat has no second effect. The machine-readable form is"
        ),
        (
            "Envoyez Authorization: Bearer CLÉ. Les écritures portent une Idempotency-Key : une "
            "répétition n'a pas de second effet. La forme lisible par machine est"
        ),
    ),
    "roles": ("For", "Pour"),
    "everybody": ("everybody", "tous"),
    "query": ("Query", "Paramètres"),
    "required": ("required", "obligatoire"),
    "body": ("Body", "Corps"),
    "answers": ("Answers", "Réponses"),
    "fields": ("Fields of the body", "Champs du corps"),
    "problems": ("All problems", "Tous les problèmes"),
    "status": ("Status", "Statut"),
    "cause": ("Why it comes", "Pourquoi"),
    "fix": ("What to do", "Que faire"),
    "guide": ("Guide", "Guide"),
    "back": ("All of the API", "Toute l'API"),
}
SECTIONS: Final[dict[str, Texts]] = {
    "credits": ("Credits", "Crédits"),
    "ledger": ("Ledger", "Grand livre"),
    "assets": ("Assets", "Actifs"),
    "customers": ("Customers", "Clients"),
    "keys": ("Keys", "Clés"),
    "books": ("Books", "Livres"),
    "guards": ("Guards", "Garde-fous"),
    "jobs": ("Jobs", "Tâches"),
    "stock": ("Stock", "Stock"),
    "checkout": ("Checkout", "Commandes"),
    "payments": ("Payments", "Paiements"),
    "billing": ("Plans", "Abonnements"),
    "tokens": ("Tokens", "Jetons"),
    "hooks": ("Outgoing webhooks", "Webhooks sortants"),
    "stream": ("Streams", "Flux"),
    "operations": ("Operations", "Exploitation"),
}


def operations(
    document: Callable[[], dict[str, Any]], served: Sequence[Operation]
) -> tuple[Operation, ...]:
    """The pages, and the document that they are made of."""
    pages: dict[str, bytes] = {}

    async def openapi(_call: Call) -> Reply:
        if "json" not in pages:
            pages["json"] = encode(document())
        return Reply(200, pages["json"], headers=[_FRESH])

    async def docs(call: Call) -> Reply:
        language = call.language
        if language not in pages:
            pages[language] = _reference(document(), served, language)
        return _page(pages[language], language)

    return (
        _public("/openapi.json", openapi),
        _public("/docs", docs),
        _public(_STYLE, _style),
        _public("/problems", _all_problems),
        _public("/problems/{code}", _one_problem),
    )


def _public(path: str, handler: Any) -> Operation:  # noqa: ANN401  # handlers differ in what they take
    return Operation(
        method="GET",
        path=path,
        handler=handler,
        summary=("", ""),
        tag="docs",
        roles=PUBLIC,
        answer=shapes.Status,
    )


async def _style(_call: Call) -> Reply:
    return Reply(200, _CSS_TEXT, CSS, [_LASTING])


_CSS_TEXT: Final = resources.files("comptoir.web").joinpath("reference.css").read_bytes()


async def _all_problems(call: Call) -> Reply:
    language = call.language
    items = "".join(
        f'<li><a href="/problems/{code}"><code>{code}</code></a> '
        f"{PROBLEMS[code].status} · {escape(title(code, language))}</li>"
        for code in sorted(PROBLEMS)
    )
    heading = pick(_WORDS["problems"], language)
    return _page(_html(heading, f"<h1>{heading}</h1><ul>{items}</ul>", language), language)


async def _one_problem(call: Call) -> Reply:
    """What a problem means, in both languages, the reader's first."""
    code = call.part("code")
    if code not in PROBLEMS:
        return problem(call, "not-found", {})
    language = call.language
    parts = [f"<h1><code>{code}</code></h1>"]
    parts.append(f"<p>{pick(_WORDS['status'], language)} {PROBLEMS[code].status}</p>")
    parts += [_told(code, each) for each in sorted(LANGUAGES, key=lambda one: one != language)]
    parts.append(f'<p><a href="/docs">{pick(_WORDS["back"], language)}</a></p>')
    return _page(_html(code, "".join(parts), language), language)


def _told(code: str, language: str) -> str:
    """What a problem is, why it comes and what to do, in one language."""
    remedy = remedies()[code]
    return (
        f'<section lang="{language}"><h2>{escape(title(code, language))}</h2>'
        f"<p>{_inline(pick(PROBLEMS[code].detail, language))}</p>"
        f"<h3>{pick(_WORDS['cause'], language)}</h3><p>{_inline(pick(remedy.cause, language))}</p>"
        f"<h3>{pick(_WORDS['fix'], language)}</h3><p>{_inline(pick(remedy.fix, language))}</p>"
        "</section>"
    )


def _inline(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _page(content: bytes, language: str) -> Reply:
    headers = [(b"content-language", language.encode()), (b"vary", b"Accept-Language"), _FRESH]
    return Reply(200, content, HTML, headers)


def page(heading: str, content: str, language: str) -> Reply:
    """A page in the manner of all of them; both texts are HTML."""
    return _page(_html(heading, f"<h1>{heading}</h1>{content}", language), language)


def _html(heading: str, content: str, language: str) -> bytes:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(heading)} · Comptoir</title><link rel="stylesheet" href="{_STYLE}">'
        f"</head><body><main>{content}</main></body></html>"
    ).encode()


def _reference(document: dict[str, Any], served: Sequence[Operation], language: str) -> bytes:
    heading = pick(_WORDS["heading"], language)
    parts = [f"<h1>{heading}</h1><p>{escape(pick(_WORDS['intro'], language))} "]
    parts.append('<a href="/openapi.json">/openapi.json</a>.</p>')
    parts.append(f'<p><a href="/docs/guide">{pick(_WORDS["guide"], language)}</a></p>')
    for tag in dict.fromkeys(each.tag for each in served):
        parts.append(f"<h2>{escape(pick(SECTIONS[tag], language))}</h2>")
        for each in (one for one in served if one.tag == tag):
            described = document["paths"][each.path][each.method.lower()]
            parts.append(_operation(each, described, document, language))
    parts.append(f'<p><a href="/problems">{pick(_WORDS["problems"], language)}</a></p>')
    return _html(heading, "".join(parts), language)


def _operation(
    operation: Operation, described: dict[str, Any], document: dict[str, Any], language: str
) -> str:
    admitted = [*sorted(operation.roles), *(["guest"] if operation.guests else [])]
    roles = [pick(_ROLES[role], language) for role in admitted]
    who = ", ".join(roles) or pick(_WORDS["everybody"], language)
    return (
        f'<details><summary><b class="{operation.method.lower()}">{operation.method}</b> '
        f"<code>{escape(operation.path)}</code> <span>"
        f"{escape(pick(operation.summary, language))}</span></summary>"
        f"<p>{pick(_WORDS['roles'], language)}: {escape(who)}</p>"
        f"{_parameters(described['parameters'], language)}"
        f"{_body(operation, document, language)}"
        f"<h3>{pick(_WORDS['answers'], language)}</h3><ul>"
        + "".join(_answer(status, each) for status, each in described["responses"].items())
        + "</ul></details>"
    )


def _parameters(parameters: Iterable[dict[str, Any]], language: str) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
        f"<td>{escape(_kind(each['schema']))}</td>"
        f"<td>{pick(_WORDS['required'], language) if each['required'] else ''}</td></tr>"
        for each in parameters
    ]
    if not rows:
        return ""
    return f"<h3>{pick(_WORDS['query'], language)}</h3><table>{''.join(rows)}</table>"


def _body(operation: Operation, document: dict[str, Any], language: str) -> str:
    if operation.body is None:
        return ""
    parts = [f"<h3>{pick(_WORDS['body'], language)}</h3>"]
    if operation.ask is not None:
        shown = msgspec.json.format(encode(operation.ask), indent=2).decode()
        parts.append(f"<pre>{escape(shown)}</pre>")
    schema = document["components"]["schemas"][operation.body.__name__]
    fields: dict[str, Any] = {}
    for shape in schema.get("oneOf", [schema]):
        fields |= shape["properties"]
    rows = [
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(kind))}</td></tr>"
        for name, kind in fields.items()
    ]
    parts.append(f"<h4>{pick(_WORDS['fields'], language)}</h4><table>{''.join(rows)}</table>")
    return "".join(parts)


def _kind(schema: dict[str, Any]) -> str:
    """The type of a field in a few words."""
    if "enum" in schema:
        few = [str(each) for each in schema["enum"][:14]]
        return " | ".join(few) + (" | …" if len(schema["enum"]) > len(few) else "")
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"] if each != {"type": "null"}]
        return " | ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    span = [str(schema[edge]) for edge in ("minimum", "maximum") if edge in schema]
    length = f", ≤ {schema['maxLength']}" if "maxLength" in schema else ""
    return str(schema.get("type", "")) + (f" {' – '.join(span)}" if span else "") + length


def _answer(status: str, response: dict[str, Any]) -> str:
    told = escape(response["description"]).replace("`", "")
    links = [
        f'<a href="/problems/{code}"><code>{code}</code></a>'
        for code in told.split(" · ")
        if code in PROBLEMS
    ]
    return f"<li><b>{status}</b> {' · '.join(links) or told}</li>"
