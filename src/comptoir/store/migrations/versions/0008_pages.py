"""Pages for operators: who signs in, and what each of them did."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0008_pages.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
