"""The jobs that Comptoir does by itself: sending letters, tidying up."""

from functools import partial

from comptoir.domains.notifications import model
from comptoir.flows import letters, tidying
from comptoir.flows.letters import Mailroom
from comptoir.jobs.duties import Duties
from comptoir.jobs.model import Handler
from comptoir.jobs.schedule import Periodic

_LETTER_SECONDS = 60.0
_TIDY_SECONDS = 900.0


def built_in(room: Mailroom) -> Duties:
    """What every worker can do, whatever its application adds."""
    return Duties.of(
        Handler(model.TYPE, partial(letters.send, room), timeout=_LETTER_SECONDS),
        Handler(tidying.TYPE, partial(tidying.tidy, room.pool), timeout=_TIDY_SECONDS),
        periodic=[Periodic(tidying.TYPE, tidying.CRON)],
    )
