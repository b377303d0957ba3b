"""What operators do here: with a reason, once for a form, and with a line in the audit.

A deed of the ledger's carries its line as a companion: both are in one commit, or neither.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from comptoir.domains.credits import deciding
from comptoir.domains.credits.commands import Built
from comptoir.domains.credits.model import Ask
from comptoir.domains.credits.refusals import code_of
from comptoir.domains.identity import sql_operators as sql
from comptoir.domains.identity.operators import Deed
from comptoir.flows.till import Till
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store.commit import Companion
from comptoir.store.door import Door
from comptoir.web import wire
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.visits import Visit
from comptoir.web.outcomes import figures
from comptoir.web.pages.visits import refused_page
from comptoir.web.refusing import Reading, problem
from comptoir.web.replies import Reply

B = TypeVar("B", bound=BaseModel)
_NO_FIGURES: Final[Mapping[str, object]] = {}


class ReasonForm(wire.Wire):
    """Why something is done."""

    reason: wire.Reason


def fit(model: type[B], fields: Mapping[str, object]) -> B:
    """What a form says, as strict as a body of the API.

    Raises:
        Unfit: a field is wrong.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise Unfit.of(error) from None


def deed(
    visit: Visit,
    action: str,
    subject: str,
    reason: str | None,
    *,
    account: int | None = None,
    said: Mapping[str, object] = _NO_FIGURES,
) -> Deed:
    """The line of what a form does.

    Raises:
        Unfit: the form has no key.
    """
    return Deed(
        visit.book, visit.key, visit.call.actor.name, visit.session.id, action, subject, reason,
        account, said,
    )  # fmt: skip


def _beside(of: Deed) -> Companion:
    return Companion(sql.NOTE, of.row)


async def decide(visit: Visit, ask: Ask, of: Deed) -> tuple[Built, Answer]:
    """Let the ledger decide, with the line of the audit in the same commit.

    Raises:
        ComptoirError: a name is not known, or nobody can decide now.
    """
    app, book = visit.call.app, visit.book
    batch = await app.batch(book)
    submit = partial(batch.submit, companions=[_beside(of)])
    door = Door(book, app.directory, submit, batch.submit_each)
    return await deciding.decide(door, lambda asset, action: app.price(book, asset, action), ask)


def till_of(visit: Visit, of: Deed) -> Till:
    """What journeys with goods need, whose commits have the line of the audit in them."""
    till = visit.call.app.till

    async def submit(book: int, chain: Chain, companions: Any) -> list[Answer]:  # noqa: ANN401  # as Till has it
        return await till.submit(book, chain, [*companions, _beside(of)])

    return replace(till, submit=submit)


def refused_by_ledger(visit: Visit, built: Built, answer: Answer) -> Reply:
    """Why the ledger did nothing."""
    code = code_of(answer.outcome, built.asset.code)
    assert code is not None, "success has a line"
    reader = Reading(visit.look.language, visit.look.path, visit.call.now)
    return refused_page(visit.look, problem(reader, code, figures(answer, built.asset)))
