"""All pages for operators, and what their forms do."""

from typing import Final

from comptoir.web.dashboard import (
    account,
    accounts,
    crediting,
    goods,
    inbox,
    margins,
    minute,
    order_acts,
    orders,
    overview,
    search,
    settings,
    signing_in,
    streaming,
    works,
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
    *works.OPERATIONS,
    *settings.OPERATIONS,
    *orders.OPERATIONS,
    *order_acts.OPERATIONS,
    *minute.OPERATIONS,
    *crediting.OPERATIONS,
    *margins.OPERATIONS,
    *streaming.OPERATIONS,
)
