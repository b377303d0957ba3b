"""`comptoir portal`: a link that opens a customer's own pages, once."""

from typing import Annotated

import typer

from comptoir.cli.asking import change
from comptoir.cli.desk import desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.domains.identity.visitors import LINK_SECONDS, LINK_SECONDS_MAX
from comptoir.web.api import portal_links

[_ROUTE] = portal_links.OPERATIONS


def portal(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="option.customer")],
    seconds: Annotated[
        int,
        typer.Option(
            "--ttl", metavar="SECONDS", min=1, max=LINK_SECONDS_MAX, help="option.portal-ttl"
        ),
    ] = LINK_SECONDS,
    book: Annotated[str, typer.Option("--book", metavar="live|test", help="option.book")] = "live",
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> None:
    """Make a link; whoever opens it first sees the pages of that customer."""
    desk = desk_of(ctx)
    asked = Asked(_ROUTE, {"customer": customer, "ttl_seconds": seconds})
    made = run_now(change(desk, book, asked)).body
    if as_json:
        print_json(made)
        return
    print(made["url"])
    desk.note("portal.made", customer=customer, until=made["expires_at"])
