"""The guards for applications: double clicks, quotas, rates, counters."""

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

from psycopg import AsyncConnection

from comptoir.app import App
from comptoir.guards import counters, leases, quotas
from comptoir.guards.leases import Lease
from comptoir.guards.limits.limiter import Policies, WhenDown, Where
from comptoir.guards.limits.ring import Policy, Verdict
from comptoir.guards.limits.stores import Question
from comptoir.guards.once import Call, Claim, Joined, inside
from comptoir.guards.quotas import Asked, Reserved, Usage
from comptoir.kit.errors import Misuse
from comptoir.kit.limits import SECOND

P = ParamSpec("P")
R = TypeVar("R")


class JoinedGuards:
    """Guards inside of a transaction of the caller's own: they end, or are undone, with it."""

    def __init__(self, app: App, book: int, connection: AsyncConnection[Any]) -> None:
        self._app = app
        self._book = book
        self._connection = connection

    async def lock(self, key: str) -> None:
        """Hold a key until the transaction ends.

        Raises:
            Conflict: another transaction holds it; `code` is operation-in-progress.
            Invalid: the key cannot be.
        """
        await leases.lock(self._connection, self._book, key)

    def once(
        self, key: str, said: object = None, *, scope: str = "", ttl: float | None = None
    ) -> AbstractAsyncContextManager[Joined]:
        """Make a call once: its key, its effect and its result commit together.

        ::

            async with tx.guards.once(f"pay:{invoice}") as once:
                if not once.replayed:
                    once.result = await pay(tx.connection, invoice)

        Args:
            key: 1 to 255 printable characters.
            said: what is asked, as JSON can say it: the same key for something else is refused.
            scope: whose key it is: another one's is another call.
            ttl: seconds for which the result is kept; for ever by default.

        Raises:
            Conflict: the key is that of another call, or somebody is making it and takes his time.
            Invalid: the key, or what is asked, or the result cannot be.
        """
        call = Call.of(self._book, key, said, scope, ttl)
        return inside(self._connection, self._book, call, self._app.new_id())

    async def count(self, name: str, amount: int = 1, *, id: str) -> int | None:  # noqa: A002  # what it is
        """Count an event exactly once; what the counter has then, or None when it was counted.

        Raises:
            Invalid: a name or the amount cannot be.
        """
        return await counters.add(self._connection, self._book, name, amount, id)


@dataclass(slots=True)
class Using:
    """A reservation that is being used.

    Attributes:
        reserved: what was set aside, and how much that leaves.
        used: set it to what was used; all of it by default.
    """

    reserved: Reserved
    used: int | None = None


class Quotas:
    """What a customer's plan allows in a day."""

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    @asynccontextmanager
    async def reserve(
        self, customer: str, metric: str, quantity: int = 1, *, ttl: float = quotas.TTL
    ) -> AsyncGenerator[Using]:
        """Set a part of today's quota aside while the block runs.

        When it ends, what was used counts; when it raises, all is given back. A process that is
        killed meanwhile leaves it reserved until its time is up.

        Args:
            customer: his own id.
            metric: what is counted, as `ai-calls`.
            quantity: how much of it.
            ttl: seconds after which it is free again, whatever becomes of the block.

        Raises:
            QuotaReached: the plan allows no more today; `figures` has limit, used and resets_at.
            NotFound: no plan names the metric.
            Invalid: a field cannot be what it is.
            Unavailable: the database is down.
        """
        asked = Asked(self._app.new_id(), customer, metric, quantity, ttl)
        reserved = await quotas.reserve(self._app.pool, self._book, asked)
        using = Using(reserved)
        try:
            yield using
        except BaseException:
            guards = await self._app.guards(self._book)
            # Not awaited: a cancelled block ends at once.
            guards.leases.begin(self._give_back(reserved))
            raise
        await quotas.settle(self._app.pool, self._book, reserved.id, using.used)

    async def usage(self, customer: str, metrics: Sequence[str]) -> dict[str, Usage]:
        """What a customer has used today, to show it; `reserve` decides.

        Raises:
            Invalid: a name cannot be one, or there are more than fifty.
            Unavailable: the database is down.
        """
        return await quotas.usage(self._app.pool, self._book, customer, metrics)

    async def _give_back(self, reserved: Reserved) -> None:
        try:
            await quotas.settle(self._app.pool, self._book, reserved.id, 0)
        except Exception:  # noqa: BLE001  # its time will be up
            return


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So much in any so many seconds.

    Attributes:
        name: of the policy.
        limit: how much.
        window: seconds.
        store: where what was admitted is kept: `redis` for all processes (in PostgreSQL where no
            Redis is configured), `pg` for all through PostgreSQL, `local` to each process.
        when_down: what is done while that place is down: each process keeps the limit by itself
            (`local`), PostgreSQL does (`pg`), everything goes through (`open`), nothing (`closed`).
    """

    name: str
    limit: int
    window: float
    store: Literal["redis", "pg", "local"] = "redis"
    when_down: Literal["local", "pg", "open", "closed"] = "local"

    def policy(self) -> Policy:
        """The policy as the ring knows it."""
        return Policy(self.name, self.limit, round(self.window * SECOND))


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call goes through.

    Attributes:
        allowed: it does, and was charged; one that does not costs nothing.
        retry_after: seconds until it would, if nobody else asks; 0 when it is allowed.
        verdicts: what each policy said.
        by: who decided: redis, pg, local, or open when nobody could.
    """

    allowed: bool
    retry_after: float
    verdicts: Sequence[Verdict]
    by: str

    @property
    def remaining(self) -> int:
        """How much more would go through now."""
        return min(verdict.remaining for verdict in self.verdicts)


class Limits:
    """How often something may be done."""

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    async def hit(self, subject: str, *limits: RateLimit, cost: int = 1) -> Decision:
        """Ask to do something once more; all limits are decided at once, or none is charged.

        Args:
            subject: who asks: a user, a key, an address.
            limits: at most eight, all kept in one place.
            cost: how much of each limit it takes.

        Raises:
            Invalid: the subject cannot be, or so much can never go through.
            Misuse: the limits are kept in several places.
            Unavailable: the place is down, and nothing is to go through then.
        """
        places = {(limit.store, limit.when_down) for limit in limits}
        if len(places) != 1:
            raise Misuse("limits-apart", fix="give limits of one store and one when_down")
        [(store, when_down)] = places
        guards = await self._app.guards(self._book)
        question = Question(subject, tuple(limit.policy() for limit in limits), cost)
        said = await guards.limiter.ask(question, Policies(Where(store), WhenDown(when_down)))
        wait = max(verdict.wait for verdict in said.verdicts)
        return Decision(said.is_admitted, wait / SECOND, said.verdicts, said.by)


class Guarding:
    """The guards of a book that need no transaction."""

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    @asynccontextmanager
    async def lease(
        self, key: str, *, ttl: float = leases.TTL, wait: float = 0.0
    ) -> AsyncGenerator[leases.Held]:
        """Hold a key while the block runs, across transactions and the network.

        Write under `held.fence(tx)`: a holder who was paused, and has lost his lease without
        knowing, is refused there. When the lease is lost the block is cancelled.

        Args:
            key: 1 to 255 printable characters.
            ttl: seconds after which a holder who is not heard of has gone; it is renewed thrice.
            wait: seconds to wait for whoever holds it.

        Raises:
            Conflict: somebody holds it (operation-in-progress), or it was lost (lease-lost).
            Invalid: the key or the time cannot be.
            Unavailable: the database is down.
        """
        guards = await self._app.guards(self._book)
        async with Lease(guards.leases, key, guards.new_id(), ttl, wait) as held:
            yield held

    async def once(
        self,
        key: str,
        work: Callable[[Claim], Awaitable[R]],
        *,
        said: object = None,
        scope: str = "",
        ttl: float | None = None,
    ) -> R:
        """Make a call once that asks somebody over the network; else `once` of a transaction.

        Args:
            key: 1 to 255 printable characters.
            work: makes it, given a claim: `claim.step(name, work)` keeps what a step has given,
                and gives it a key for its provider that stays the same after a crash.
            said: what is asked, as JSON can say it: the same key for something else is refused.
            scope: whose key it is: another one's is another call.
            ttl: seconds for which the result is kept; for ever by default.

        Returns:
            The result, as JSON says it; of a call that was made before, the one from then.

        Raises:
            Conflict: the key is that of another call; somebody is making it and takes more than
                two seconds; or somebody has taken it over.
            Invalid: the key, or what is asked, or the result cannot be.
            Unavailable: the database is down: nothing was begun.
        """
        guards = await self._app.guards(self._book)
        call = Call.of(self._book, key, said, scope, ttl)
        result, _ = await guards.once.run(call, work)
        return result

    def idempotent(
        self, key: Callable[P, str], *, scope: str = "", ttl: float | None = None
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Let a function do what it does once for each key.

        ::

            @books.guards.idempotent(lambda invoice, amount: f"pay:{invoice}")
            async def pay(invoice: str, amount: int) -> dict: ...

        Its arguments and its result are JSON. The same key with other arguments is refused.

        Args:
            key: makes the key of the arguments.
            scope: whose keys they are; the function's name by default.
            ttl: seconds for which the result is kept; for ever by default.
        """

        def decorate(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            whose = scope or f"{function.__module__}.{function.__qualname__}"
            signature = inspect.signature(function)

            @functools.wraps(function)
            async def call(*args: P.args, **kwargs: P.kwargs) -> R:
                async def work(_: Claim) -> R:
                    return await function(*args, **kwargs)

                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                said = bound.arguments
                own = key(*args, **kwargs)
                return await self.once(own, work, said=dict(said), scope=whose, ttl=ttl)

            return call

        return decorate
