"""`comptoir trigger`: an event is made at the sandbox, delivered often, and its effect is said."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from comptoir.app import App
from comptoir.app.sandbox import is_sandbox
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.front import Asked, ask
from comptoir.cli.opening import book_of, reading, run_now
from comptoir.cli.playing import SCRIPTS, Order, Sandbox, Scene, Script, Type, sandbox_at
from comptoir.domains.payments.model import SOURCE
from comptoir.flows import purchase
from comptoir.flows.settling import EVENTS
from comptoir.kit.errors import Unavailable
from comptoir.store import inbox
from comptoir.store.inbox import Seen, State
from comptoir.store.pool import fetch
from comptoir.web import words_payments
from comptoir.web.api import reading as routes

TIMES: Final = 20
_DEADLINE: Final = 20.0
_POLL: Final = 0.05
_CHANCE: Final = 8
_BOOK: Final = "live"
_BALANCE: Final = next(each for each in routes.OPERATIONS if each.path == "/api/credits/balance")
_ENDED: Final = frozenset({State.DONE, State.IGNORED, State.ORPHAN, State.DEAD})
_GRANTS: Final = """
SELECT count(*)::integer FROM comptoir.notes n
JOIN comptoir.movements m
    ON m.book_id = n.book_id AND m.account_id = n.account_id AND m.version = n.version
WHERE n.book_id = %s AND n.reference = ANY(%s) AND m.kind IN ('purchase', 'allowance')"""

Randomness = Callable[[int], bytes]
TypeArgument = Annotated[Type, typer.Argument(metavar="TYPE", show_default=False)]


@dataclass(frozen=True, slots=True)
class How:
    """How often events are delivered, and in which order."""

    times: int
    shuffle: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it.

    Attributes:
        events: each that was delivered; None where it has not come.
        deliveries: how many there were, all in all.
        grants: how often credits were granted.
        change: of the balance, in credits.
        settled: nothing is under way any more.
    """

    scene: Scene
    events: Sequence[tuple[str, str, Seen | None]]
    deliveries: int
    grants: int
    change: Decimal
    balance: str
    status: str | None
    settled: bool


def trigger(
    ctx: typer.Context,
    type_: TypeArgument,
    customer: Annotated[str, typer.Option("--customer", metavar="ID", help="option.customer")],
    pack: Annotated[str, typer.Option("--pack", metavar="PACK", help="option.pack")] = "100",
    plan: Annotated[
        str, typer.Option("--plan", metavar="PLAN", help="option.trigger-plan")
    ] = "pro",
    times: Annotated[
        int, typer.Option("--times", metavar="N", min=1, max=TIMES, help="option.times")
    ] = 1,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="option.shuffle")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Make an event happen at the sandbox, and say what it has done."""
    desk = desk_of(ctx)
    script = SCRIPTS[type_]
    outcome = run_now(_trigger(desk, script, (customer, pack, plan), How(times, shuffle)))
    verdict = _verdict(script, outcome)
    if as_json:
        print_json(_shown(type_, verdict, outcome))
    else:
        _tell(desk, type_, verdict, outcome)
    return verdict


async def _trigger(desk: Desk, script: Script, wanted: tuple[str, str, str], how: How) -> Outcome:
    async with reading(desk.settings()) as app:
        settings = app.settings
        if not is_sandbox(settings) or settings.stripe_api_base is None:
            raise Unavailable("trigger-without-sandbox")
        order = Order(await book_of(app, _BOOK), *wanted, f"trigger:{app.new_id()}")
        async with sandbox_at(settings.stripe_api_base) as sandbox:
            before = Decimal(await _balance(app, order, desk.say.locale))
            scene = Scene(app, sandbox, order)
            async with _in_order(sandbox, how):
                since = int((await sandbox.ask())["now"])
                await script.play(scene)
                events = await _events(scene, since)
                again = await _deliver(sandbox, events, how, desk.randomness)
                return await _await(script, scene, (events, len(events) + again, before), desk)


@asynccontextmanager
async def _in_order(sandbox: Sandbox, how: How) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        if how.shuffle:
            await stack.enter_async_context(sandbox.shuffling())
        yield


async def _events(scene: Scene, since: int) -> list[tuple[str, str]]:
    """The events that this has made and that we want to be told of: id and type, oldest first."""
    found: list[tuple[str, str]] = []
    async for each in scene.app.till.provider.events({"created": {"gte": since}}):
        text = json.dumps(each, default=str)
        if each["type"] in EVENTS and any(name in text for name in scene.names):
            found.append((str(each["id"]), str(each["type"])))
    return found[::-1]


async def _deliver(
    sandbox: Sandbox, events: Sequence[tuple[str, str]], how: How, randomness: Randomness
) -> int:
    """Deliver events again, as often as asked for beside the first time; returns how often."""
    again = [id_ for id_, _ in events for _ in range(how.times - 1)]
    if how.shuffle:
        again.sort(key=lambda _: randomness(_CHANCE))
    made = 0
    for id_ in again:
        made += (await sandbox.turn("deliver", event=id_))["deliveries"]
    return made


async def _await(
    script: Script,
    scene: Scene,
    so_far: tuple[Sequence[tuple[str, str]], int, Decimal],
    desk: Desk,
) -> Outcome:
    """Wait until all that was delivered is handled; or say what there is after a while."""
    events, deliveries, before = so_far
    loop = asyncio.get_running_loop()
    end = loop.time() + _DEADLINE
    while True:  # bounded by the deadline
        outcome = await _outcome(scene, events, deliveries, before, desk.say.locale)
        fits = outcome.settled and _is_right(script, outcome)
        if fits or loop.time() > end:
            return outcome
        await asyncio.sleep(_POLL)


async def _outcome(
    scene: Scene, events: Sequence[tuple[str, str]], deliveries: int, before: Decimal, locale: str
) -> Outcome:
    app, order = scene.app, scene.order
    waiting = (await scene.sandbox.ask())["waiting"]
    seen = [
        (id_, type_, await inbox.find(app.pool, order.book, SOURCE, id_)) for id_, type_ in events
    ]
    [(grants,)] = await fetch(app.pool, _GRANTS, (order.book, list(scene.references)))
    status = None
    if scene.begun is not None:
        status = (await purchase.state(app.till, order.book, scene.begun.id)).status
    balance = await _balance(app, order, locale)
    ended = all(each is not None and each.state in _ENDED for _, _, each in seen)
    return Outcome(
        scene, seen, deliveries, grants, Decimal(balance) - before, balance, status,
        settled=ended and not waiting,
    )  # fmt: skip


async def _balance(app: App, order: Order, locale: str) -> str:
    asked = Asked(_BALANCE, {"customer": order.customer})
    return str((await ask(app, order.book, locale, asked)).body["balance"])


def _is_right(script: Script, outcome: Outcome) -> bool:
    is_there = outcome.change > 0 if script.stays else outcome.change == 0
    return is_there and (outcome.grants, outcome.status) == (script.grants, script.status)


def _verdict(script: Script, outcome: Outcome) -> Exit:
    if not outcome.settled:
        return Exit.DEPENDENCY
    return Exit.DONE if _is_right(script, outcome) else Exit.NOT_BALANCED


_VERDICTS: Final = {
    Exit.DONE: "trigger.right",
    Exit.NOT_BALANCED: "trigger.wrong",
    Exit.DEPENDENCY: "trigger.unsettled",
}
_TIMES: Final = {0: "trigger.not-granted", 1: "trigger.granted-once"}


def _tell(desk: Desk, type_: str, verdict: Exit, outcome: Outcome) -> None:
    locale = desk.say.locale
    rows: list[tuple[str, ...]] = []
    for id_, name, each in outcome.events:
        state = desk.say("trigger.not-come") if each is None else each.state.value
        done = "" if each is None else words_payments.effects(each.effects, locale)
        rows.append((id_, name, state, done))
    desk.table([f"column.event-{name}" for name in ("id", "type", "state", "effect")], rows)
    desk.tell(
        "trigger.delivered", type=type_, events=desk.say.number(len(rows)),
        deliveries=desk.say.number(outcome.deliveries),
    )  # fmt: skip
    desk.tell(_TIMES.get(outcome.grants, "trigger.granted-often"), times=outcome.grants)
    desk.tell(
        "trigger.balance", customer=outcome.scene.order.customer, balance=outcome.balance,
        change=f"{outcome.change:+f}",
    )  # fmt: skip
    desk.tell(_VERDICTS[verdict])


def _shown(type_: str, verdict: Exit, outcome: Outcome) -> dict[str, Any]:
    begun = outcome.scene.begun
    return {
        "type": type_,
        "purchase": None if begun is None else str(begun.id),
        "status": outcome.status,
        "events": [
            {"id": id_, "type": name, "state": None if each is None else each.state.value}
            for id_, name, each in outcome.events
        ],
        "deliveries": outcome.deliveries,
        "grants": outcome.grants,
        "change": f"{outcome.change:f}",
        "balance": outcome.balance,
        "settled": outcome.settled,
        "right": verdict is Exit.DONE,
    }
