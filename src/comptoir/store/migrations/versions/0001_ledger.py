"""The ledger: books, assets, customers, accounts, journal, requests, lots, holds, prices, keys."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0001_ledger.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
