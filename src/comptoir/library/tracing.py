"""One span a verb, in whatever trace the caller is in, with whatever SDK he has set up."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from comptoir.store.tracing import is_on, spanned

P = ParamSpec("P")
T = TypeVar("T")
Verb = Callable[P, Coroutine[Any, Any, T]]


def traced(name: str) -> Callable[[Verb[P, T]], Verb[P, T]]:
    """Give a verb a span of that name; without an SDK it runs as it stands."""

    def trace(verb: Verb[P, T]) -> Verb[P, T]:
        @wraps(verb)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            if not is_on():
                return await verb(*args, **kwargs)
            with spanned(f"comptoir {name}"):
                return await verb(*args, **kwargs)

        return run

    return trace
