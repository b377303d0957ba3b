"""The jobs that Comptoir does by itself."""

from functools import partial

from comptoir.domains.notifications import model
from comptoir.flows import (
    carrying_over,
    closing,
    fulfilling,
    giving_back,
    letters,
    reconciling,
    renewing,
    tidying,
    tokens,
    topping_up,
)
from comptoir.flows.letters import Mailroom
from comptoir.flows.till import Till
from comptoir.jobs.duties import Duties
from comptoir.jobs.model import Handler
from comptoir.jobs.schedule import Periodic

_LETTER_SECONDS = 60.0
_TIDY_SECONDS = 900.0
_TOP_UPS = 3


def built_in(room: Mailroom, till: Till) -> Duties:
    """What every worker can do, whatever its application adds."""
    return Duties.of(
        Handler(model.TYPE, partial(letters.send, room), timeout=_LETTER_SECONDS),
        Handler(tidying.TYPE, partial(tidying.tidy, room.pool), timeout=_TIDY_SECONDS),
        Handler(renewing.ROLL_OVER, partial(carrying_over.carry_over, till)),
        Handler(topping_up.TYPE, partial(topping_up.top_up, till), attempts=_TOP_UPS),
        Handler(tokens.TYPE, partial(tokens.make_statements, till), timeout=_TIDY_SECONDS),
        Handler(reconciling.TYPE, partial(reconciling.by_itself, till), timeout=_TIDY_SECONDS),
        Handler(closing.TYPE, partial(closing.by_itself, till), timeout=_TIDY_SECONDS),
        Handler(fulfilling.CLOSE, partial(closing.close_job, till)),
        Handler(
            fulfilling.GIVE_BACK,
            partial(giving_back.give_back, till),
            attempts=giving_back.ATTEMPTS,
        ),
        periodic=[
            closing.EVERY_MINUTE,
            Periodic(tidying.TYPE, tidying.CRON),
            tokens.PERIODIC,
            reconciling.OFTEN,
            reconciling.DAILY,
        ],
    )
