"""All pages for operators, and what their forms do."""

from typing import Final

from comptoir.web.dashboard import (
    account,
    accounts,
    crediting,
    goods,
    inbox,
    margins,
    overview,
    search,
    signing_in,
    streaming,
)
from comptoir.web.routing import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *signing_in.OPERATIONS,
    *overview.OPERATIONS,
    *search.OPERATIONS,
    *accounts.OPERATIONS,
    *account.OPERATIONS,
    *goods.OPERATIONS,
    *inbox.OPERATIONS,
    *crediting.OPERATIONS,
    *margins.OPERATIONS,
    *streaming.OPERATIONS,
)
