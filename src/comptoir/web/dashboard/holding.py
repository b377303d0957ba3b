"""Giving back what a hold has set aside, from whichever page it is seen."""

from comptoir.domains.credits import overview
from comptoir.domains.credits.model import Op
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import parse_hold
from comptoir.store.pool import begin_brief
from comptoir.web.api.asking import asked
from comptoir.web.api.credits import ReleaseBody
from comptoir.web.dashboard.deeds import ReasonForm, decide, deed, fit, refused_by_ledger
from comptoir.web.dashboard.visits import Visit
from comptoir.web.replies import Reply


async def let_go(visit: Visit, customer: str | None = None) -> Reply | None:
    """Release the hold of a form; returns the page that refuses it, None when it is done.

    Args:
        visit: with its form.
        customer: whose it has to be; None for any customer's.

    Raises:
        NotFound: there is no such hold of a customer's.
        ComptoirError: nobody can decide now.
    """
    app, book, hold = visit.call.app, visit.book, visit.form.get("hold", "")
    reason = fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason
    async with begin_brief(app.pool) as tx:
        number = await overview.account_of_hold(tx, book, parse_hold(hold) or b"")
        whose = None if number is None else (await overview.whose(tx, book, number))[0]
    if whose is None or customer not in {None, whose}:
        raise NotFound("hold-not-found")
    ask = asked(Op.RELEASE, visit.key, fit(ReleaseBody, {"reason": reason}), hold=hold)
    built, answer = await decide(visit, ask, deed(visit, "release", hold, reason, account=number))
    return None if answer.line is not None else refused_by_ledger(visit, built, answer)
