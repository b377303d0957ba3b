"""The errors that cross floors. Refusals of the ledger are values (Outcome), not exceptions.

::

    ComptoirError
    ├── Invalid            the caller wrote something that no state of the books could accept
    ├── NotFound           the caller named something that is not in his book
    ├── Denied             the caller may not do this
    ├── Misuse             a program uses the library in a way that cannot work
    ├── Conflict           the caller's request contradicts what is already there
    └── Unavailable        a dependency is down or full: nothing is known to have changed
        └── OutcomeUnknown the connection was lost at COMMIT and nobody could be asked afterwards
"""


class ComptoirError(Exception):
    """Any error with a stable code.

    Attributes:
        code: kebab-case and stable; the texts in English and French hang on it.
        figures: what the text needs, and what a problem document shows as more fields.
    """

    def __init__(self, code: str, /, **figures: object) -> None:
        super().__init__(code, figures)
        self.code = code
        self.figures = figures

    def __str__(self) -> str:
        """The code with its figures: insufficient-credits (needed 5, available 3)."""
        told = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.code} ({told})" if told else self.code


class Invalid(ComptoirError):
    """The caller wrote something that no state of the books could accept."""


class NotFound(ComptoirError):
    """The caller named something that is not in his book."""


class Denied(ComptoirError):
    """The caller may not do this."""


class Misuse(ComptoirError):
    """A program uses the library in a way that cannot work; `figures["fix"]` says what to do."""


class Conflict(ComptoirError):
    """The request contradicts what is already there."""


class Unavailable(ComptoirError):
    """A dependency is down or a queue is full; repeat with the same key.

    Attributes:
        retry_after: seconds after which a repeat makes sense.
    """

    def __init__(self, code: str, /, *, retry_after: int = 1, **figures: object) -> None:
        super().__init__(code, **figures)
        self.retry_after = retry_after


class OutcomeUnknown(Unavailable):
    """The connection was lost at COMMIT: the effect may exist or not. Repeat with the same key."""


def is_bug(error: BaseException) -> bool:
    """Whether nobody expected it: any error but ours, and what ours calls internal."""
    return not isinstance(error, ComptoirError) or error.code == "internal"
