"""All pages for customers, and what their forms do."""

from typing import Final

from comptoir.web.portal import entering, history, home, plan, waiting
from comptoir.web.routing import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *waiting.OPERATIONS,
    *home.OPERATIONS,
    *entering.OPERATIONS,
    *history.OPERATIONS,
    *plan.OPERATIONS,
)
