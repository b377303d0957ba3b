"""`comptoir doctor`: everything that is looked at, one line each, with what to do about it."""

from collections.abc import Iterator
from typing import Annotated, Final

import psycopg
import typer
from psycopg import Connection

from comptoir.app import Urls, located
from comptoir.app.sandbox import at_sandbox
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.doctor.findings import FINDINGS
from comptoir.cli.doctor.line import State
from comptoir.cli.doctor.machine import machine, remembered
from comptoir.cli.doctor.money import ANSWERS, selling, stripe
from comptoir.cli.doctor.neighbours import neighbours
from comptoir.cli.failures import explain
from comptoir.config import Environment, Settings
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.store.checkup import (
    Finding,
    check_pooler,
    check_schema,
    check_server,
    same_database,
)
from comptoir.store.copying import connect
from comptoir.store.embedded import has_cluster
from comptoir.web.languages import pick

_ENVIRONMENT: Final = "SELECT value FROM comptoir.settings WHERE name = 'environment'"
_STATES: Final = {
    State.OK: "doctor.ok",
    State.WARNING: "doctor.warning",
    State.FAILED: "doctor.failed",
}
_WIDTH: Final = 13
_REVISIONS: Final = frozenset({"revision", "revision-grown"})

# What the embedded database is refused for is a finding; the database itself is looked at as well.
_ALL_THE_SAME: Final = {"env": Environment.DEVELOPMENT, "stripe_secret_key": None}


def doctor(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Look at the database, the home and the settings; change nothing."""
    desk = desk_of(ctx)
    findings = list(_all(desk, desk.settings()))
    failed = any(FINDINGS[each.code].state is State.FAILED for each in findings)
    if as_json:
        print_json({"healthy": not failed, "checks": [_shown(desk, each) for each in findings]})
    else:
        _report(desk, findings)
    return Exit.DEPENDENCY if failed else Exit.DONE


def _all(desk: Desk, settings: Settings) -> Iterator[Finding]:
    yield from machine(settings)
    yield from neighbours(desk.say, settings)
    money = at_sandbox(settings)
    found = stripe(money)
    yield from found
    answers = any(each.code in ANSWERS for each in found)
    if settings.database_url is None:
        if not has_cluster(settings.home_folder):
            yield Finding("database", "database-none", {"home": settings.home_folder})
            return
        settings = settings.model_copy(update=_ALL_THE_SAME)
    try:
        with located(settings) as urls:
            there = list(_database(desk, urls))
            yield from there
            if answers and any(each.code in _REVISIONS for each in there):
                yield from selling(money, urls)
    except ComptoirError as error:
        yield Finding("database", "database-away", {"reason": explain(desk.say, error)[0]})
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        yield Finding("database", "database-broken", {"reason": reason})


def _database(desk: Desk, urls: Urls) -> Iterator[Finding]:
    with _reached(urls.app) as app, _reached(urls.owner) as owner:
        yield Finding("database", "database")
        yield same_database(app, owner)
        yield from check_server(app, desk.clock)
        found = list(check_schema(app))
        yield from found
        if any(each.code == "revision" for each in found):
            row = app.execute(_ENVIRONMENT).fetchone()
            yield remembered(desk.settings(), row[0] if row is not None else None)
    yield from check_pooler(urls.app, urls.owner)


def _reached(url: str) -> Connection:
    """A connection, with the reason in its error if there is none."""
    try:
        return connect(url)
    except Unavailable as error:
        cause = error.__cause__
        raise cause if isinstance(cause, psycopg.Error) else error from None


def _shown(desk: Desk, finding: Finding) -> dict[str, object]:
    line = FINDINGS[finding.code]
    fix = pick(line.fix, desk.say.locale).format_map(finding.figures)
    return {
        "check": finding.check,
        "state": line.state,
        "code": finding.code,
        "detail": pick(line.found, desk.say.locale).format_map(finding.figures),
        "fix": fix or None,
    }


def _report(desk: Desk, findings: list[Finding]) -> None:
    for each in findings:
        shown = _shown(desk, each)
        state = desk.say(_STATES[FINDINGS[each.code].state])
        print(f"{state:{_WIDTH}}{shown['detail']}")
        if shown["fix"]:
            print(f"{'':{_WIDTH}}{desk.say('doctor.fix', fix=shown['fix'])}")
    states = [FINDINGS[each.code].state for each in findings]
    desk.tell(
        "doctor.sum",
        checks=desk.say.number(len(states)),
        failed=desk.say.number(states.count(State.FAILED)),
        warnings=desk.say.number(states.count(State.WARNING)),
    )
