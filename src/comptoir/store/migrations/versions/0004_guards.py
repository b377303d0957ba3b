"""Guards and jobs: leases, idempotency, quotas, counters, rate limits, plans, the queue."""

from pathlib import Path

from alembic import op

from comptoir.store import queue_schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the queue's own schema, then the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0004_guards.sql").read_text()
    cursor = op.get_bind().connection.cursor()
    cursor.execute(queue_schema.script())
    cursor.execute(text)
