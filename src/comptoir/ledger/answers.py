"""Making answers and journal lines: what every verb of the ledger ends with."""

from comptoir.ledger.model import Account, Answer, Book, Kind, Line
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Request
from comptoir.ledger.slice import write_line


def refuse(request: Request, outcome: Outcome, at: int = 0, account: int | None = None) -> Answer:
    """The answer to a request that did not happen."""
    return Answer(request.id, request.mark, request.op, outcome, account, at)


def insufficient(request: Request, account: Account, needed: int, at: int) -> Answer:
    """The answer to a request for more than the account has."""
    answer = refuse(request, Outcome.INSUFFICIENT, at, account.id)
    answer.needed = needed
    answer.available = account.available
    return answer


def done(request: Request, line: Line) -> Answer:
    """The answer to a request that happened."""
    return Answer(
        request.id, request.mark, request.op, Outcome.CREATED, line.account, line.at, line
    )


def journal(  # noqa: PLR0913, PLR0917  # the figures of one line; a record of them would cost
    book: Book, account: Account, kind: Kind, contra: int, amount: int, at: int, request: Request
) -> Line:
    """Write the line of a request; its lots and parts are for the caller to add."""
    note = None if account.anonymous else request.note
    line = Line(account.id, 0, contra, amount, 0, 0, 0, 0, kind, at, request.id, [], [], note=note)
    return write_line(book, account, line)
