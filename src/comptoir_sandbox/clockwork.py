"""What happens because time passes: debits arrive, sessions expire, subscriptions renew."""

from collections.abc import Callable
from heapq import heappop
from typing import Final

from comptoir_sandbox import customers, intents, refunds, sessions, subscriptions
from comptoir_sandbox.objects import Object
from comptoir_sandbox.world import Request, World


def tick(world: World) -> None:
    """Let happen whatever is due."""
    while world.due and world.due[0][0] <= world.now():
        _, id_ = heappop(world.due)
        found = world.objects.get(id_)
        if found is not None and not found.get("deleted"):
            world.request = Request()
            _LOOKS[found["object"]](world, found)


def shift(world: World, seconds: int) -> None:
    """Move the clock on, and let happen what is due then."""
    world.shift += seconds
    tick(world)


def advance(world: World, clock: Object, to: int) -> Object:
    """Move a test clock on: its customers' subscriptions follow, each thing at its moment."""
    customers.check_advance(clock, to)
    clock |= {"status": "advancing", "status_details": {"advancing": {"target_frozen_time": to}}}
    world.emit("test_helpers.test_clock.advancing", clock)
    while clock["frozen_time"] < to:
        clock["frozen_time"] = min(_next_due(world, clock), to)
        for found in list(world.all("subscription")):
            if found["test_clock"] == clock["id"]:
                subscriptions.tick(world, found)
    clock |= {"status": "ready", "status_details": {}}
    world.changed(clock)
    world.emit("test_helpers.test_clock.ready", clock)
    return clock


def _next_due(world: World, clock: Object) -> int:
    dues = [
        due
        for found in world.all("subscription")
        if found["test_clock"] == clock["id"]
        for due in subscriptions.dues(world, found)
        if due > clock["frozen_time"]
    ]
    return min(dues, default=2**62)


def decided(world: World, intent: Object) -> None:
    """Something was decided of an intent: its invoice, subscription and session follow."""
    subscriptions.settle_intent(world, intent)
    sessions.settle_intent(world, intent)


def _intent(world: World, found: Object) -> None:
    if found["status"] != "processing":
        return
    intents.come_or_fail(world, found, comes=world.notes[found["id"]]["comes"])
    decided(world, found)


def _refund(world: World, found: Object) -> None:
    note = world.note(found["id"])
    if note.pop("settles_at", None) is not None and found["status"] in {"pending", "succeeded"}:
        refunds.settle(world, found, comes=note["comes"])


def _subscription(world: World, found: Object) -> None:
    if found["test_clock"] is None:
        subscriptions.tick(world, found)


_LOOKS: Final[dict[str, Callable[[World, Object], None]]] = {
    "payment_intent": _intent,
    "refund": _refund,
    "checkout.session": sessions.tick,
    "subscription": _subscription,
}
