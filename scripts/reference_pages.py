"""Pages of the site that are made of the program: errors, settings and routes.

`docs/conf.py` calls this before each build; nothing of it is committed.
"""

import re
from pathlib import Path
from typing import Final

from comptoir.app.variables import Variable, variables
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.complaints import FIELDS
from comptoir.web.guide import told
from comptoir.web.reference import SECTIONS
from comptoir.web.remedies import remedies
from comptoir.web.server import DOCUMENTED

_ERROR: Final = """\
---
orphan: true
---
# `{code}`: {title}

| | |
|---|---|
| HTTP status | {status} |
| Exit code of the command line | {exit} |
| Address on every server | `/problems/{code}` |

{english}
## Why it comes

{cause}

## What to do

{fix}

## En français : {title_fr}

{french}
**Pourquoi.** {cause_fr}

**Que faire.** {fix_fr}
"""
_ERRORS: Final = """\
# Errors

Every refusal is a problem document (RFC 9457), in English or in French: whatever `Accept-Language`
asks for. Decide by its `code`, which stays as it is; titles and details may change. A server says
the same at `/problems/CODE`.

| code | status | |
|---|---|---|
{rows}
"""
_SETTINGS: Final = """\
---
tocdepth: 1
---
# Settings

Comptoir reads its settings once, from the environment and from `.env.ENV.local`, `.env.local` and
`.env` of the working folder, where ENV is what `COMPTOIR_ENV` says: the first file that has a
variable wins, and a real variable wins over all files. An empty variable counts as unset.
`comptoir doctor` judges what is set.

{settings}"""
_SETTING: Final = """\
## `{name}`

{meaning}

*{meaning_fr}*

- Default: {default}
- Example: `{example}`
{limits}
"""
_ROUTES: Final = """\
# Routes

Fields, parameters and answers of each route stand on your own server: `/docs` for people,
`/openapi.json` for programs.

{sections}"""


def pages() -> dict[str, str]:
    """The text of each page, by its path below `docs/reference`."""
    errors = {f"errors/{code}.md": _error(code) for code in PROBLEMS}
    return errors | {"errors.md": _errors(), "settings.md": _settings(), "routes.md": _routes()}


def write(folder: Path) -> None:
    """Write the pages that are not there as they should be: the others need no new build."""
    wanted = pages()
    (folder / "errors").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("errors/*.md"):
        if old.relative_to(folder).as_posix() not in wanted:
            old.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _error(code: str) -> str:
    problem, remedy = PROBLEMS[code], remedies()[code]
    (title, title_fr), (detail, detail_fr) = problem.title, problem.detail
    return _ERROR.format(
        code=code,
        title=title,
        status=problem.status,
        exit=int(problem.exit),
        english=_detail(detail) + (_fields(0) if code == "validation-failed" else ""),
        cause=_plain(remedy.cause[0]),
        fix=_plain(remedy.fix[0]),
        title_fr=title_fr,
        french=_detail(detail_fr) + (_fields(1) if code == "validation-failed" else ""),
        cause_fr=_plain(remedy.cause[1]),
        fix_fr=_plain(remedy.fix[1]),
    )


def _detail(text: str) -> str:
    return f"> {_figures(text)}\n"


def _figures(text: str) -> str:
    """A text of the catalogue, whose figures stand in braces."""
    parts = re.split(r"(?<!\{)\{(\w+)\}", text)
    for at, part in enumerate(parts):
        plain = part.replace("{{", "{").replace("}}", "}")
        parts[at] = f"`{part}`" if at % 2 else _plain(plain)
    return "".join(parts)


def _plain(text: str) -> str:
    """Text as it is, in Markdown, but for what stands in backquotes."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_<>\[\]#|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _fields(language: int) -> str:
    """What may be wrong with one field."""
    kinds: dict[str, str] = {}
    for code, texts in FIELDS.values():
        kinds.setdefault(code, texts[language])
    rows = [f"| `{code}` | {_figures(text)} |" for code, text in sorted(kinds.items())]
    return "\n".join(["", "| `errors[].code` | |", "|---|---|", *rows, ""])


def _errors() -> str:
    rows = [
        f"| [`{code}`](errors/{code}.md) | {problem.status} | {problem.title[0]} |"
        for code, problem in sorted(PROBLEMS.items())
    ]
    return _ERRORS.format(rows="\n".join(rows))


def _settings() -> str:
    return _SETTINGS.format(
        settings="\n".join(
            _SETTING.format(
                name=each.name,
                meaning=_plain(told()[each.name]["meaning"]),
                meaning_fr=_plain(told()[each.name]["meaning_fr"]),
                default=_default(each),
                example=told()[each.name]["example"],
                limits=_limits(each),
            )
            for each in variables()
        )
    )


def _default(each: Variable) -> str:
    if each.default is None:
        return "unset"
    return f"`{each.default}`" if each.default else "empty"


def _limits(each: Variable) -> str:
    limits = (("Form", each.form), ("At least", each.least), ("At most", each.most))
    lines = [f"- {word}: `{limit}`\n" for word, limit in limits if limit is not None]
    return "".join([*lines, "- A secret: it is shown nowhere.\n" if each.is_secret else ""])


def _routes() -> str:
    sections: list[str] = []
    for tag in dict.fromkeys(each.tag for each in DOCUMENTED):
        rows = [
            f"| {each.method} | `{each.path}` | {each.summary[0]} | {each.summary[1]} "
            f"| {', '.join(sorted(each.roles)) or 'everybody'}"
            f"{', guests' if each.guests else ''} |"
            for each in DOCUMENTED
            if each.tag == tag
        ]
        head = ["| | | | en français | for |", "|---|---|---|---|---|"]
        sections += [f"## {SECTIONS[tag][0]} · {SECTIONS[tag][1]}", "", *head, *rows, ""]
    return _ROUTES.format(sections="\n".join(sections))
