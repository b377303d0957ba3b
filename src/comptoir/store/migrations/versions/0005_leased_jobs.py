"""Jobs that are done elsewhere, under a lease."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0005_leased_jobs.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
