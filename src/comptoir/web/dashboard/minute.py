"""The demo's own pages: try to break it, the receipt, and what the newcomer does himself.

They are there beside the throw-away shop of `comptoir demo`; anywhere else nothing is found here.
"""

from typing import Final

from comptoir.app.demo import Demo, State
from comptoir.kit.errors import NotFound
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go, own_page
from comptoir.web.replies import Reply

_RECEIPT: Final = f"{HOME}/receipt"
_STEPS: Final = ("seed", "stampede", "deliveries", "receipt")
_NOTHING: Final = 204


def _demo(visit: Visit) -> Demo:
    demo = visit.call.app.demo
    if demo is None:
        raise NotFound("not-found")
    return demo


def _state(visit: Visit) -> State:
    return _demo(visit).state or State()


async def receipt(visit: Visit) -> Reply:
    """GET /dashboard/receipt: what the last race came to, or how far this one is."""
    return visit.page("receipt.html", state=_state(visit), steps=_STEPS)


async def live(visit: Visit) -> Reply:
    """GET /dashboard/receipt/live: the part that goes on by itself."""
    state = _state(visit)
    part = visit.page("receipt_live.html", state=state, steps=_STEPS)
    if not state.act:
        part.headers.append((b"hx-refresh", b"true"))  # the band and the page say so too
    return part


async def turn(visit: Visit) -> Reply:
    """GET /dashboard/turn: the newcomer's boxes, when there is one that the page has not ticked."""
    if visit.query.get("seen", "") == " ".join(_state(visit).seen):
        return Reply(_NOTHING, b"")
    return visit.page("minute_turn.html")


async def break_it(visit: Visit) -> Reply:
    """POST /dashboard/demo/break: a race, unless one is on, which is shown then."""
    await _demo(visit).ask("break")
    return go(_RECEIPT)


async def traffic(visit: Visit) -> Reply:
    """POST /dashboard/demo/traffic: stop it, or let it go on."""
    await _demo(visit).ask("stop" if visit.form.get("traffic") == "stop" else "move")
    return go(own_page(HOME, visit.form.get("next")))


OPERATIONS: Final = (
    reading(_RECEIPT, receipt),
    reading(f"{_RECEIPT}/live", live),
    reading(f"{HOME}/turn", turn),
    acting(f"{HOME}/demo/break", break_it),
    acting(f"{HOME}/demo/traffic", traffic),
)
