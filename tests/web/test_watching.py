"""Figures of the money that comes in, as Prometheus asks for them: cheap, and not too often."""

from pathlib import Path

import psycopg
import pytest

from comptoir.app import Urls, open_app
from comptoir.config import Settings
from comptoir.store.sql_inbox import WATCHED
from comptoir.web.watching import FRESH, Remembered, coming_in
from tests.support.postgres import Database

pytestmark = pytest.mark.pg

COMING_IN = f"""
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at,
        received_at, via, state, due_at)
    SELECT CASE state WHEN 'failed' THEN 2 ELSE 1 END, 'stripe', state || n, 'a', state || n, true,
        now(), now() - age, 'webhook', state, CASE WHEN waits THEN now() - age END
    FROM (VALUES ('received', {WATCHED} + 5, interval '2 hours', true),
        ('failed', 1, interval '1 minute', true), ('dead', 3, interval '3 days', false),
        ('done', 7, interval '3 days', false)) AS t(state, times, age, waits)
    CROSS JOIN LATERAL generate_series(1, times) n;
INSERT INTO comptoir.cases (book_id, id, kind, subject, closed_at)
    SELECT 1, gen_random_uuid(), kind, n::text, CASE WHEN n = 4 THEN now() END
    FROM (VALUES ('dispute', 1), ('dispute', 2), ('orphan-event', 3), ('dispute', 4)) t(kind, n)
"""


async def test_figures_of_what_comes_in(database: Database, tmp_path: Path) -> None:
    """All books, whatever is not done, and of a backlog no more than so many rows."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(COMING_IN.encode())
    now = 1_000_000_000
    watch = Remembered(coming_in)
    settings = Settings.model_validate({"COMPTOIR_HOME": tmp_path})
    async with open_app(settings, Urls(database.app_url, database.owner_url)) as app:
        found = await watch.read(app, now)
        assert found is not None
        assert {place: count for place, (count, _) in found.events.items()} == {
            (1, "received"): WATCHED, (1, "dead"): 3, (2, "failed"): 1,
        }  # fmt: skip
        assert 7_200 < found.events[1, "received"][1] < 7_300
        assert 60 <= found.events[2, "failed"][1] < 120
        assert found.cases == {(1, "dispute"): 2, (1, "orphan-event"): 1}
        with psycopg.connect(database.owner_url, autocommit=True) as connection:
            connection.execute("DELETE FROM comptoir.cases")
        assert await watch.read(app, now + FRESH - 1) is found
        later = await watch.read(app, now + FRESH)
        assert later is not None
        assert later.cases == {}
    assert await watch.read(app, now + 2 * FRESH) is None
