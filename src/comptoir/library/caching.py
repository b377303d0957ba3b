"""The cache for applications: what need not be worked out again."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from comptoir.app import App
from comptoir.guards.cache.door import Terms
from comptoir.guards.cache.model import Place
from comptoir.guards.names import named
from comptoir.kit.errors import Misuse

P = ParamSpec("P")
R = TypeVar("R")


class Cache:
    """What need not be worked out again: JSON, for a time that must be said.

    In Redis for all processes; without one each process remembers for itself, at most 10,000
    values of 64 MiB in all. While Redis is down nothing is found and nothing is kept. Never decide
    on money by what is in here.

    A group is forgotten in one step, however many keys it has: `invalidate("user:42")` for all
    that was kept with `group="user:42"`.
    """

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    async def get(self, key: str, default: Any = None, *, group: str | None = None) -> Any:  # noqa: ANN401  # JSON
        """The value of a key, or `default`.

        Raises:
            Invalid: the key or the group cannot be a name.
        """
        cache = (await self._app.guards(self._book)).cache
        found = await cache.get(Place.of(key, group))
        return default if found is None else found[0]

    async def set(self, key: str, value: object, ttl: float, *, group: str | None = None) -> None:
        """Keep a value.

        Args:
            key: 1 to 255 printable characters.
            value: anything that JSON can say, at most 1 MiB.
            ttl: seconds, at most 7 days; up to a tenth less, so that what was kept together does
                not end together.
            group: what it is forgotten with.

        Raises:
            Invalid: a name, the value or the time cannot be.
        """
        cache = (await self._app.guards(self._book)).cache
        await cache.set(Place.of(key, group), value, ttl)

    async def delete(self, key: str) -> None:
        """Forget the value of a key that has no group.

        Raises:
            Invalid: the key cannot be a name.
        """
        await self.invalidate(key)

    async def work_out(
        self,
        key: str,
        work: Callable[[], Awaitable[R]],
        ttl: float,
        *,
        group: str | None = None,
        stale: float = 0.0,
    ) -> R:
        """The value of a key; if there is none, what `work` gives, which is kept.

        Of several callers one works it out and the others wait, of several processes too while
        Redis is up. What is worked out while its group is invalidated is given, and not kept.

        Args:
            key: 1 to 255 printable characters.
            work: gives the value, as JSON says it; None is a value too.
            ttl: seconds for which it is fresh.
            group: what it is forgotten with.
            stale: seconds after that for which it is given still, while a new one is worked out.

        Raises:
            Invalid: a name, the value or a time cannot be.
            Exception: what `work` has raised.
        """
        cache = (await self._app.guards(self._book)).cache
        return await cache.work_out(Place.of(key, group), work, Terms(ttl, stale))

    def cached(
        self,
        key: Callable[P, str],
        ttl: float,
        *,
        group: Callable[P, str] | None = None,
        stale: float = 0.0,
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Let a function remember what it gave.

        ::

            @books.cache.cached(lambda user: f"profile:{user}", 60)
            async def profile(user: str) -> dict[str, str]: ...
        """

        def keep(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            @functools.wraps(function)
            async def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
                of = None if group is None else group(*args, **kwargs)
                work = functools.partial(function, *args, **kwargs)
                return await self.work_out(key(*args, **kwargs), work, ttl, group=of, stale=stale)

            return remembered

        return keep

    async def invalidate(self, group: str) -> None:
        """Forget everything of a group, in one step; `tx.cache.invalidate` does so after a commit.

        Raises:
            Invalid: it cannot be a name.
        """
        cache = (await self._app.guards(self._book)).cache
        await cache.invalidate(named("group", group))

    async def invalidate_pattern(self, pattern: str) -> int:
        """Forget what has keys like a glob, for operators: it looks at every key there is.

        Returns:
            How many there were.

        Raises:
            Invalid: it is too long.
            Unavailable: Redis is down.
        """
        return await (await self._app.guards(self._book)).cache.sweep(pattern)


class JoinedCache:
    """What is to be forgotten once a transaction has committed; before, it would be kept anew."""

    def __init__(self, cache: Cache, *, is_ours: bool) -> None:
        self._cache = cache
        self._is_ours = is_ours
        self._groups: list[str] = []

    def invalidate(self, group: str) -> None:
        """Forget everything of a group once the transaction has committed; else nothing.

        Raises:
            Invalid: it cannot be a name.
            Misuse: the transaction is the caller's to commit, so that nobody here knows when.
        """
        if not self._is_ours:
            raise Misuse("commit-not-ours", fix="invalidate with Comptoir.cache after the commit")
        self._groups.append(named("group", group))

    async def committed(self) -> None:
        """Forget it now: for the transaction alone."""
        for group in self._groups:
            await self._cache.invalidate(group)
