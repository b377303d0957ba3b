"""Verbs of the library have spans in the caller's own trace, and none where nobody listens."""

import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import StatusCode

from comptoir import Comptoir, Insufficient
from comptoir import sync as waiting
from comptoir.library.credits import Credits
from comptoir.library.ledger import Ledger
from comptoir.library.people import Customers
from comptoir.library.prices import Prices
from comptoir.store import tracing
from tests.support.telemetry import Heard, listening

SECRETS = ("ada-lovelace", "grant-key-1", "for the first programme", "spend-key-1", "31975.25")


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as found:
        yield found


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


async def test_a_verb_is_a_span_of_the_callers_trace(heard: Heard, books: Comptoir) -> None:
    with trace.get_tracer("shop").start_as_current_span("checkout"):
        await books.credits.grant("ada", 5, reason="x", idempotency_key="g")
    outer, verb = heard.one("checkout"), heard.one("comptoir credits.grant")
    submit, commit = heard.one("ledger submit"), heard.one("ledger commit")
    assert parent(verb) == id_of(outer)
    assert parent(submit) == id_of(verb)
    assert parent(commit) is None
    assert [link.context.span_id for link in commit.links] == [id_of(submit)]
    assert submit.attributes is not None
    assert submit.attributes["comptoir.requests"] == 1
    assert submit.attributes["comptoir.commit.requests"] == 1
    assert submit.attributes["comptoir.lane"] == "writer"
    waited = submit.attributes["comptoir.queue_seconds"]
    assert isinstance(waited, float)
    assert 0 <= waited < 30


async def test_a_refusal_is_no_error_and_has_its_code(heard: Heard, books: Comptoir) -> None:
    with pytest.raises(Insufficient):
        await books.credits.spend("ada", 5, idempotency_key="s")
    verb = heard.one("comptoir credits.spend")
    assert verb.status.status_code is StatusCode.UNSET
    assert verb.attributes == {"comptoir.code": "insufficient-credits"}


async def test_an_error_is_one_by_its_type_alone(heard: Heard, books: Comptoir) -> None:
    with pytest.raises(AttributeError):
        await books.customers.put("ada", metadata=Loud("ada"))
    verb = heard.one("comptoir customers.put")
    assert verb.status.status_code is StatusCode.ERROR
    assert verb.attributes == {"error.type": "AttributeError"}
    assert not verb.events
    assert not verb.status.description


class Loud(dict[str, str]):
    def items(self):
        raise AttributeError(*self.args)

    def __init__(self, *args: str) -> None:
        super().__init__()
        self.args = args


async def test_no_span_tells_who_what_or_how_much(heard: Heard, books: Comptoir) -> None:
    customer, grant, reason, spend, amount = SECRETS
    await books.customers.put(customer, name=reason, email="ada@example.org")
    await books.credits.grant(customer, amount, reason=reason, idempotency_key=grant)
    await books.credits.spend(customer, "1.5", idempotency_key=spend, reference=reason)
    await books.credits.balance(customer)
    await books.credits.movements(customer)
    await books.ledger.verify()
    said = "\n".join(span.to_json() for span in heard.all())
    assert len(heard.all()) > 8
    assert [secret for secret in (*SECRETS, "ada@example.org") if secret in said] == []


async def test_a_batch_is_one_submit(heard: Heard, books: Comptoir) -> None:
    from comptoir import Grant  # noqa: PLC0415

    asked = [
        Grant(customer=f"c{n}", amount=1, reason="x", idempotency_key=f"b{n}") for n in range(20)
    ]
    await books.ledger.batch(asked)
    submit = heard.one("ledger submit")
    assert submit.attributes is not None
    assert submit.attributes["comptoir.requests"] == 20
    assert parent(submit) == id_of(heard.one("comptoir ledger.batch"))


class CommitsAlone(Sampler):
    """Samples what is part of no request."""

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, *_: object, **__: object
    ) -> SamplingResult:
        return SamplingResult(
            Decision.RECORD_AND_SAMPLE if name == "ledger commit" else Decision.DROP
        )

    def get_description(self) -> str:
        return type(self).__name__


async def test_a_commit_whose_requests_are_not_sampled_has_no_span(books: Comptoir) -> None:
    with listening(CommitsAlone()) as heard:
        await books.credits.grant("ada", 5, reason="x", idempotency_key="g")
        assert not heard.all()


def test_without_async_too(heard: Heard, shop: waiting.Comptoir) -> None:
    with trace.get_tracer("shop").start_as_current_span("checkout"):
        shop.credits.grant("ada", 5, reason="x", idempotency_key="g")
        with shop.transaction() as tx:
            tx.credits.spend("ada", 2, idempotency_key="s")
    outer = heard.one("checkout")
    for name in ("comptoir credits.grant", "comptoir credits.spend"):
        assert parent(heard.one(name)) == id_of(outer)


async def test_an_sdk_may_come_after_the_books(
    books: Comptoir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "LOOK_SECONDS", 0.0)
    tracing.look()
    await books.credits.grant("ada", 5, reason="x", idempotency_key="g")
    with listening(at_once=False) as heard:
        await books.credits.spend("ada", 2, idempotency_key="s")
        assert {span.name for span in heard.all()} == {
            "comptoir credits.spend", "ledger submit", "ledger commit",
        }  # fmt: skip
    await books.credits.spend("ada", 1, idempotency_key="s2")
    assert len(heard.all()) == 3, "and may go again"


@pytest.mark.parametrize("module", ["comptoir", "comptoir.sync", "comptoir.cli.main"])
def test_nothing_loads_what_sends(module: str) -> None:
    said = f"import sys, {module}\nprint(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    loaded = ended.stdout.split()
    assert "opentelemetry.trace" in loaded
    assert [name for name in loaded if name.startswith(("opentelemetry.sdk", "sentry_sdk"))] == []


@pytest.mark.parametrize("place", [Credits, Customers, Prices, Ledger])
def test_every_verb_of_the_library_has_a_span(place: type) -> None:
    verbs = {
        name: found
        for name, found in inspect.getmembers(place, inspect.iscoroutinefunction)
        if not name.startswith("_") and name != "scale"
    }
    assert verbs
    assert [name for name, found in verbs.items() if not hasattr(found, "__wrapped__")] == []
