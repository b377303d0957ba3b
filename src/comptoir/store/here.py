"""Are the books of a database still here? Asked before a program uses them."""

from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.store import gate
from comptoir.store.copying import connect


def check_here(url: str) -> None:
    """See to it that the books are not on their way to another database, or there already.

    Raises:
        ComptoirError: they are there.
        Unavailable: they are on their way, or the database cannot be reached.
    """
    with connect(url) as connection:
        there = gate.read(connection)
    if there is None or there.is_open:
        return
    if there.state is gate.State.MOVED:
        raise ComptoirError("home-moved", place=there.place)
    if there.state is gate.State.ARRIVING:
        raise Unavailable("books-arriving")
    raise Unavailable("books-moving")
