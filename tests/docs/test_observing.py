"""What the page on observing names is there, and what there is to see is on the page."""

import re
from pathlib import Path

import pytest
from opentelemetry.sdk import environment_variables

from comptoir import Comptoir, Insufficient
from comptoir.config import Settings
from comptoir.guards.redis.link import Mode
from comptoir.web.metrics import Metrics, Money
from comptoir.web.reserved import Reserved, page_of
from tests.support.postgres import Database
from tests.support.site import serving
from tests.support.telemetry import listening, wait_for

PAGES = Path(__file__).parents[2] / "docs" / "operating"
PAGE = (PAGES / "observing.md").read_text()
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))
VARIABLE = re.compile(r"\b(?:OTEL|SENTRY|COMPTOIR|METRICS)_[A-Z_]+\b")


def test_every_variable_exists() -> None:
    named = set(VARIABLE.findall(PAGE))
    ours = {str(field.alias) for field in Settings.model_fields.values()}
    theirs = {name for name in vars(environment_variables) if name.startswith("OTEL_")}
    assert named - ours - theirs == set()
    assert {name for name in ours if name.startswith(("OTEL_", "SENTRY_"))} <= named


def test_every_figure_is_named() -> None:
    """Also what only a busy server shows: the names are those of the families, not of samples."""
    metrics = Metrics()
    metrics.look({}, Mode.DOWN)
    page = (metrics.page(Money({}, {})) + page_of(Reserved({}, {}))).decode()
    shown = set(re.findall(r"^# TYPE (comptoir_\w+?)(?:_created)? ", page, re.MULTILINE))
    assert {name for name in NAMED if re.fullmatch(r"comptoir_\w+", name)} == shown
    alerts = set(re.findall(r"comptoir_\w+", (PAGES / "go-live.md").read_text()))
    assert alerts - {"comptoir_app"} <= shown


async def test_every_span_and_every_attribute_is_named(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening() as heard:
        with serving(database, tmp_path) as site:
            site.post("/api/credits/spend", {"customer": "ada", "amount": 1})
            wait_for(lambda: bool(heard.named("POST /api/credits/spend")))
        async with Comptoir.open(database.url) as books:
            with pytest.raises(Insufficient):
                await books.credits.spend("ada", 1, idempotency_key="s")
    spans = {name for name in NAMED if re.match(r"(POST|comptoir|ledger) ", name)} - {
        "comptoir serve"
    }
    assert {span.name for span in heard.all()} == spans
    told = {key for span in heard.all() for key in span.attributes or {}}
    attributes = {
        name for name in NAMED if re.fullmatch(r"(http|url|network|comptoir)\.[\w.]+", name)
    }
    assert told == attributes
    requests = [line for line in capfd.readouterr().err.splitlines() if '"event":"request"' in line]
    fields = {name for line in requests for name in re.findall(r'"(\w+)":', line)}
    assert fields
    assert fields <= NAMED
