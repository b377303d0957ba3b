"""Payments: the inbox, what was paid and for what, plans that are subscribed to, the outbox."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0006_payments.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
